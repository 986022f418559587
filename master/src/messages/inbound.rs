//! A message that arrived, as an event of the core.

use bytes::Bytes;
use prost::Message;
use reeve_master_core::event::{AgentUpdate, Caller, Channel, Kind, Subscription};
use reeve_model::{AgentId, ExecutorId, FrameworkId, Pid, Resources, StatusUpdate};
use reeve_transport::Inbound;
use reeve_wire::{Described, WireMessage, decode, internal, v0, v1};

use super::repeated::Returned;
use super::returning::Memory;
use super::{older, parts};
use crate::api::{call, unknown};
use crate::readers::Readers;

/// What became of a message.
#[derive(Debug)]
pub enum Parsed {
    /// A fact for the core.
    Event(Kind),
    /// The sender has only not heard the answer yet that is on its way.
    Repeated,
    /// A v0 driver subscribes; the owner of the core gives the subscription its number.
    Subscribes(Box<Subscription>),
    /// A v0 driver's subscription breaks a rule, which the driver is to hear of.
    Refused(String),
}

/// Reads messages, and remembers what helps to read the next.
#[derive(Debug)]
pub struct Reader {
    memory: Memory,
    returned: Returned,
}

impl Reader {
    /// A reader that looks up in `readers` who is registered.
    pub fn new(readers: Readers) -> Self {
        Reader { memory: Memory::default(), returned: Returned::new(readers) }
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// A text for the log: the message is unknown, or does not say what it should.
    pub fn read(&mut self, message: &Inbound) -> Result<Parsed, String> {
        let (from, body) = (message.from.clone(), &message.body);
        let kind = match &*message.name {
            internal::PongSlaveMessage::NAME => Kind::AgentPonged(from),
            internal::StatusUpdateMessage::NAME => status_update(from, body)?,
            internal::RegisterSlaveMessage::NAME => {
                Kind::AgentRegisters(from, Box::new(parts::registration(read(body)?)?))
            }
            internal::ReregisterSlaveMessage::NAME => {
                if self.returned.repeats(&from, body) {
                    return Ok(Parsed::Repeated);
                }
                let back = self.memory.reregistration(body)?;
                self.returned.note(&from, body, back.registration.info.id.as_ref());
                Kind::AgentReregisters(from, Box::new(back))
            }
            internal::UnregisterSlaveMessage::NAME => {
                let wire: internal::UnregisterSlaveMessage = read(body)?;
                Kind::AgentUnregisters(from, AgentId::from(wire.slave_id))
            }
            internal::UpdateSlaveMessage::NAME => agent_update(from, read(body)?)?,
            internal::ExecutorToFrameworkMessage::NAME => executor_message(read(body)?),
            internal::ExitedExecutorMessage::NAME => executor_exited(read(body)?),
            internal::DeactivateFrameworkMessage::NAME => {
                let wire: internal::DeactivateFrameworkMessage = read(body)?;
                Kind::DriverDeactivates(from, FrameworkId::from(wire.framework_id))
            }
            v0::scheduler::Call::NAME => return driver_call(from, body),
            other => {
                let older = older::call(other, body).map_err(|error| error.to_string())?;
                let Some((call, force)) = older else {
                    return Err(format!("{other} is not a message that this master knows"));
                };
                return called(from, call, force, None);
            }
        };
        Ok(Parsed::Event(kind))
    }
}

fn read<T: WireMessage>(body: &Bytes) -> Result<T, String> {
    decode(body).map_err(|error| error.to_string())
}

fn status_update(from: Pid, body: &Bytes) -> Result<Kind, String> {
    let wire: internal::StatusUpdateMessage = read(body)?;
    let update = StatusUpdate::try_from(wire.update).map_err(|error| error.to_string())?;
    Ok(Kind::StatusUpdated(from, Box::new(update)))
}

fn executor_message(wire: internal::ExecutorToFrameworkMessage) -> Kind {
    Kind::ExecutorMessage(
        AgentId::from(wire.slave_id),
        FrameworkId::from(wire.framework_id),
        ExecutorId::from(wire.executor_id),
        wire.data,
    )
}

fn executor_exited(wire: internal::ExitedExecutorMessage) -> Kind {
    Kind::ExecutorExited(
        AgentId::from(wire.slave_id),
        FrameworkId::from(wire.framework_id),
        ExecutorId::from(wire.executor_id),
        wire.status,
    )
}

fn agent_update(from: Pid, wire: internal::UpdateSlaveMessage) -> Result<Kind, String> {
    let oversubscribed =
        Resources::try_from(&wire.oversubscribed_resources).map_err(|error| error.to_string())?;
    // Agents before 1.4 set no flag and sent the message only for oversubscribed resources.
    let speaks = wire.update_oversubscribed_resources.unwrap_or(!oversubscribed.is_empty());
    let update = AgentUpdate {
        oversubscribed: speaks.then_some(oversubscribed),
        resource_version: parts::uuid(wire.resource_version_uuid.as_ref())?,
    };
    Ok(Kind::AgentUpdates(from, AgentId::from(wire.slave_id), Box::new(update)))
}

/// A call of a v0 driver: v1's calls in another wrapping.
fn driver_call(from: Pid, body: &Bytes) -> Result<Parsed, String> {
    let wire: v0::scheduler::Call = read(body)?;
    // Something was lost in reading if writing it again is shorter.
    let lost = (wire.encoded_len() != body.len()).then_some(body);
    let (wire, force) = <(v1::scheduler::Call, bool)>::from(wire);
    called(from, wire, force, lost)
}

/// A driver's call; `whole` are its bytes, if something was lost in reading them.
fn called(
    from: Pid,
    wire: v1::scheduler::Call,
    force: bool,
    whole: Option<&Bytes>,
) -> Result<Parsed, String> {
    call::check(&wire)?;
    let subscribes = wire.r#type == Some(v1::scheduler::call::Type::Subscribe.into());
    if let (true, Some(subscribe)) = (subscribes, &wire.subscribe) {
        let channel = Channel::Libprocess(from);
        let subscription = call::subscription(subscribe.clone(), channel, force);
        return Ok(match subscription {
            Ok(subscription) => Parsed::Subscribes(Box::new(subscription)),
            Err(why) => Parsed::Refused(why),
        });
    }
    let framework = wire.framework_id.as_ref().map(FrameworkId::from).ok_or("no framework_id")?;
    let mut call = call::from_wire(wire).map_err(|refusal| format!("{refusal:?}"))?;
    if let Some(bytes) = whole {
        unknown::restore(&mut call, bytes);
    }
    Ok(Parsed::Event(Kind::Calls(framework, Caller::Driver(from), call)))
}
