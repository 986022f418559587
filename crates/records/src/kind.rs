//! The kinds of records.

use bytes::Bytes;
use reeve_model::{AgentInfo, FrameworkInfo, MasterInfo};
use reeve_registry::Write;
use reeve_wire::internal::registry::MinimumCapability;
use reeve_wire::records::Drain;
use reeve_wire::v1::master::response::get_frameworks::Framework;
use reeve_wire::{SlaveInfo, WireMessage, decode, json, v1};
use serde_json::Value;

/// A kind of record. Its key is the kind's name, and for most kinds `/` and an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `master`: who led last; `MasterInfo`.
    Master,
    /// `agents/<id>`: an agent that is admitted; `SlaveInfo`.
    Agents,
    /// `unreachable/<id>`: since when an agent is out of reach; `TimeInfo`.
    Unreachable,
    /// `gone/<id>`: when an operator declared an agent gone for good; `TimeInfo`.
    Gone,
    /// `drain/<id>`: an agent that is being emptied or gets no offers; `Drain`.
    Drain,
    /// `machines/<hostname>|<ip>`: a machine in maintenance; `MachineInfo`.
    Machines,
    /// `maintenance`: the schedule; `Schedule`.
    Maintenance,
    /// `quota/<role>`: what a role is guaranteed and may use; `QuotaConfig`.
    Quota,
    /// `weights/<role>`: a role's share; `WeightInfo`.
    Weights,
    /// `capabilities/<name>`: what a master must know of to lead (MA-4); `MinimumCapability`.
    Capabilities,
    /// `frameworks/<id>`: a framework that did not end; GET_FRAMEWORKS's `Framework`.
    Frameworks,
    /// `completed/<id>`: a framework that ended; the same message, with the time of its end.
    Completed,
}

/// A record that is not what its key says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record {key} of the registry cannot be read: {why}")]
pub struct Unreadable {
    /// Its key.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
}

/// The most bytes that a description may take in a record. ZooKeeper takes 1 MB at once, and what
/// belongs together must fit.
pub const LARGEST: usize = 768 << 10;

/// Makes sure that what somebody says of itself can be kept.
///
/// # Errors
///
/// If it is larger than [`LARGEST`].
pub fn check_size(description: &impl WireMessage) -> Result<(), String> {
    match description.encoded_len() {
        ..=LARGEST => Ok(()),
        bytes => Err(format!(
            "the description takes {bytes} bytes, and the registry keeps at most {LARGEST}; make \
             its labels, attributes or resources fewer"
        )),
    }
}

/// Reads the message of a record.
///
/// # Errors
///
/// If the bytes are another message, or not whole.
pub fn read<T: WireMessage>(key: &str, value: &[u8]) -> Result<T, Unreadable> {
    parse(value).map_err(|why| Unreadable { key: key.to_owned(), why })
}

/// The id of a machine: `<hostname>|<ip>`, either of which may be empty. Names of hosts are the
/// same in capitals.
pub fn machine_id(machine: &v1::MachineId) -> String {
    let hostname = machine.hostname.as_deref().unwrap_or_default().to_ascii_lowercase();
    format!("{hostname}|{}", machine.ip.as_deref().unwrap_or_default())
}

impl Kind {
    /// All of them, in the order in which people look at them.
    pub const ALL: [Kind; 12] = [
        Kind::Master,
        Kind::Agents,
        Kind::Unreachable,
        Kind::Gone,
        Kind::Drain,
        Kind::Machines,
        Kind::Maintenance,
        Kind::Quota,
        Kind::Weights,
        Kind::Capabilities,
        Kind::Frameworks,
        Kind::Completed,
    ];

    /// The first part of its keys.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Master => "master",
            Kind::Agents => "agents",
            Kind::Unreachable => "unreachable",
            Kind::Gone => "gone",
            Kind::Drain => "drain",
            Kind::Machines => "machines",
            Kind::Maintenance => "maintenance",
            Kind::Quota => "quota",
            Kind::Weights => "weights",
            Kind::Capabilities => "capabilities",
            Kind::Frameworks => "frameworks",
            Kind::Completed => "completed",
        }
    }

    /// Whether there is at most one record of this kind; its key has no id.
    pub fn single(self) -> bool {
        matches!(self, Kind::Master | Kind::Maintenance)
    }

    /// The kind and the id of a key; the id of a single record is empty. `None` for a key that
    /// this version does not know.
    pub fn of(key: &str) -> Option<(Kind, &str)> {
        let (name, id) = key.split_once('/').unwrap_or((key, ""));
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name)?;
        (kind.single() == id.is_empty() && kind.single() != key.contains('/')).then_some((kind, id))
    }

    /// The key of the record with this id, which a single one ignores.
    pub fn key(self, id: &str) -> String {
        if self.single() { self.name().to_owned() } else { format!("{}/{id}", self.name()) }
    }

    /// The record with this id says this from now on. The message must be the kind's.
    pub fn put<T: WireMessage>(self, id: &str, message: &T) -> Write {
        debug_assert_eq!(T::NAME, self.form().message, "the message of a record of {self:?}");
        Write::Put(self.key(id), message.encode_to_vec())
    }

    /// The record with this id is gone.
    pub fn delete(self, id: &str) -> Write {
        Write::Delete(self.key(id))
    }

    /// Whether the value can be the record with this id.
    ///
    /// # Errors
    ///
    /// Why it can't.
    pub fn check(self, id: &str, value: &[u8]) -> Result<(), String> {
        match (self.form().names)(value)? {
            Some(named) if named != id => Err(format!("it describes '{named}'")),
            _ => Ok(()),
        }
    }

    /// The value as JSON; `None` if JSON could not say all of it, since a newer version wrote it.
    ///
    /// # Errors
    ///
    /// If the value is not this kind's message.
    pub fn to_json(self, value: &[u8]) -> Result<Option<Value>, String> {
        (self.form().to_json)(value)
    }

    /// The value that JSON describes.
    ///
    /// # Errors
    ///
    /// If it does not describe this kind's message.
    pub fn from_json(self, json: &Value) -> Result<Vec<u8>, String> {
        (self.form().from_json)(json)
    }

    fn form(self) -> Form {
        match self {
            Kind::Master => Form::of::<v1::MasterInfo>(),
            Kind::Agents => Form::of::<SlaveInfo>(),
            Kind::Unreachable | Kind::Gone => Form::of::<v1::TimeInfo>(),
            Kind::Drain => Form::of::<Drain>(),
            Kind::Machines => Form::of::<v1::MachineInfo>(),
            Kind::Maintenance => Form::of::<v1::maintenance::Schedule>(),
            Kind::Quota => Form::of::<v1::quota::QuotaConfig>(),
            Kind::Weights => Form::of::<v1::WeightInfo>(),
            Kind::Capabilities => Form::of::<MinimumCapability>(),
            Kind::Frameworks | Kind::Completed => Form::of::<Framework>(),
        }
    }
}

/// What can be done with the values of a kind without knowing their type.
struct Form {
    message: &'static str,
    names: fn(&[u8]) -> Result<Option<String>, String>,
    to_json: fn(&[u8]) -> Result<Option<Value>, String>,
    from_json: fn(&Value) -> Result<Vec<u8>, String>,
}

impl Form {
    fn of<T: Content>() -> Form {
        Form {
            message: T::NAME,
            names: |value| parse::<T>(value)?.names(),
            to_json: |value| {
                let message = parse::<T>(value)?;
                let whole = message.encode_to_vec() == value;
                Ok(whole.then(|| json::to_value(&message)))
            },
            from_json: |value| {
                let message = json::from_value::<T>(value).map_err(|error| error.to_string())?;
                Ok(message.encode_to_vec())
            },
        }
    }
}

/// A message that is the value of a record.
trait Content: WireMessage {
    /// The id of the record it belongs to, if it says; or the rule that it breaks.
    fn names(self) -> Result<Option<String>, String> {
        Ok(None)
    }
}

impl Content for v1::TimeInfo {}
impl Content for v1::maintenance::Schedule {}
impl Content for Drain {}

impl Content for v1::MasterInfo {
    fn names(self) -> Result<Option<String>, String> {
        MasterInfo::try_from(self).map(|_| None).map_err(|error| error.to_string())
    }
}

impl Content for SlaveInfo {
    fn names(self) -> Result<Option<String>, String> {
        let info = AgentInfo::try_from(self).map_err(|error| error.to_string())?;
        Ok(Some(info.id.ok_or("the agent has no id")?.to_string()))
    }
}

impl Content for v1::MachineInfo {
    fn names(self) -> Result<Option<String>, String> {
        Ok(Some(machine_id(&self.id)))
    }
}

impl Content for v1::quota::QuotaConfig {
    fn names(self) -> Result<Option<String>, String> {
        Ok(Some(self.role))
    }
}

impl Content for v1::WeightInfo {
    fn names(self) -> Result<Option<String>, String> {
        if !(self.weight.is_finite() && self.weight > 0.0) {
            return Err(format!("the weight {} is not above 0", self.weight));
        }
        self.role.map(Some).ok_or_else(|| "the weight is of no role".to_owned())
    }
}

impl Content for MinimumCapability {
    fn names(self) -> Result<Option<String>, String> {
        Ok(Some(self.capability))
    }
}

impl Content for Framework {
    fn names(self) -> Result<Option<String>, String> {
        let info =
            FrameworkInfo::try_from(self.framework_info).map_err(|error| error.to_string())?;
        Ok(Some(info.id.ok_or("the framework has no id")?.to_string()))
    }
}

fn parse<T: WireMessage>(value: &[u8]) -> Result<T, String> {
    decode(&Bytes::copy_from_slice(value)).map_err(|error| error.to_string())
}
