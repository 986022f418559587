//! The registry's records: what makes the core's mutations durable, and what it recovers from.
//!
//! Keys and messages of the records live in `reeve-records`.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve_machine::Wall;
use reeve_master_core::effect::Mutation;
use reeve_master_core::event::{CompletedFramework, Recovered, RecoveredFramework};
use reeve_master_core::roles::Quota;
use reeve_model::{
    AgentId, AgentInfo, Deactivation, DrainInfo, Format, FrameworkInfo, Machine, MasterInfo, Role,
    Window,
};
use reeve_records::{Kind, Records, lacking, machine_id, read};
use reeve_registry::Write;
use reeve_wire::internal::registry::MinimumCapability;
use reeve_wire::records::Drain;
use reeve_wire::v1::master::response::get_frameworks::Framework;
use reeve_wire::{SlaveInfo, v1};

use crate::Error;
use crate::quota;

/// What makes a mutation durable.
///
/// # Errors
///
/// A text, if the agent's description has no encoding.
pub fn writes(mutation: &Mutation) -> Result<Vec<Write>, String> {
    Ok(match mutation {
        Mutation::Admit(info) => vec![agent(info)?],
        Mutation::MarkUnreachable(id, since) => {
            vec![
                Kind::Agents.delete(id.as_str()),
                Kind::Unreachable.put(id.as_str(), &time(*since)),
            ]
        }
        Mutation::MarkReachable(info) => {
            let id = info.id.clone().ok_or("the agent has no id")?;
            vec![Kind::Unreachable.delete(id.as_str()), agent(info)?]
        }
        Mutation::Remove(id) => {
            let kinds = [Kind::Agents, Kind::Unreachable, Kind::Gone, Kind::Drain];
            kinds.map(|kind| kind.delete(id.as_str())).to_vec()
        }
        Mutation::MarkGone(id, since) => vec![
            Kind::Agents.delete(id.as_str()),
            Kind::Unreachable.delete(id.as_str()),
            Kind::Drain.delete(id.as_str()),
            Kind::Gone.put(id.as_str(), &time(*since)),
        ],
        Mutation::Deactivate(id, deactivation) => {
            let info = deactivation.drain.map(|drain| drain.to_wire());
            let record = Drain { info, deactivated: Some(true) };
            vec![Kind::Drain.put(id.as_str(), &record), needs("AGENT_DRAINING")]
        }
        Mutation::Reactivate(id) => vec![Kind::Drain.delete(id.as_str())],
        Mutation::Maintain { windows, machines, up } => {
            let put = machines
                .iter()
                .map(|one| Kind::Machines.put(&machine_id(&one.id.to_wire()), &one.to_wire()));
            let delete = up.iter().map(|id| Kind::Machines.delete(&machine_id(&id.to_wire())));
            [schedule(windows)].into_iter().chain(put).chain(delete).collect()
        }
        Mutation::SetQuotas(quotas) => {
            quotas.iter().map(|(role, quota)| set_quota(role, quota)).collect()
        }
        Mutation::SetWeights(weights) => {
            weights.iter().map(|(role, weight)| set_weight(role, *weight)).collect()
        }
        Mutation::Describe(info, registered) => {
            vec![framework(Kind::Frameworks, info, *registered, None)?]
        }
        Mutation::Complete { completed, forgotten } => {
            let CompletedFramework { info, registered, ended } = completed;
            let id = info.id.as_ref().ok_or("the framework has no id")?;
            let mut writes = vec![
                Kind::Frameworks.delete(id.as_str()),
                framework(Kind::Completed, info, *registered, Some(*ended))?,
            ];
            writes.extend(forgotten.iter().map(|id| Kind::Completed.delete(id.as_str())));
            writes
        }
        Mutation::ForgetFramework(id) => {
            vec![Kind::Frameworks.delete(id.as_str()), Kind::Completed.delete(id.as_str())]
        }
    })
}

/// The record that tells who leads.
pub fn leader(info: &MasterInfo) -> Write {
    Kind::Master.put("", &info.to_wire())
}

/// The records of what roles weigh.
pub fn weights(weights: &BTreeMap<Role, f64>) -> impl Iterator<Item = Write> + '_ {
    weights.iter().map(|(role, weight)| set_weight(role, *weight))
}

/// What the records say.
///
/// # Errors
///
/// If they ask for a capability that this version lacks (MA-4), or the first record that cannot be
/// read.
pub fn recovered(master: Arc<str>, records: Records) -> Result<Recovered, Error> {
    if let Some(capability) = lacking(&records).first() {
        return Err(Error::Capability((*capability).to_owned()));
    }
    let mut recovered = Recovered { master, ..Recovered::default() };
    for (key, value) in records {
        let Some((kind, id)) = Kind::of(&key) else {
            tracing::warn!(key, "the registry has a record that this version does not know");
            continue;
        };
        let id = || AgentId::new(id);
        match kind {
            Kind::Agents => recovered.agents.push(read_agent(&key, &value)?),
            Kind::Unreachable => recovered.unreachable.push((id(), read_time(&key, &value)?)),
            Kind::Gone => recovered.gone.push((id(), read_time(&key, &value)?)),
            Kind::Drain => {
                let drain: Drain = read(&key, &value)?;
                let drain = drain.info.as_ref().map(DrainInfo::from);
                recovered.deactivated.push((id(), Deactivation { drain }));
            }
            Kind::Machines => {
                let machine = Machine::from_wire(&read(&key, &value)?);
                let wrong = |why| Error::Record { key: key.clone(), why };
                recovered.machines.extend(machine.map_err(|why| wrong(why.to_string()))?);
            }
            Kind::Maintenance => {
                let wire: v1::maintenance::Schedule = read(&key, &value)?;
                let windows = wire.windows.iter().map(Window::try_from);
                let wrong = |why| Error::Record { key: key.clone(), why };
                let windows = windows.collect::<Result<_, _>>();
                recovered.schedule = windows.map_err(|why| wrong(why.to_string()))?;
            }
            Kind::Quota => {
                let (role, quota) = quota::parse(&read::<v1::quota::QuotaConfig>(&key, &value)?)
                    .map_err(|why| Error::Record { key: key.clone(), why })?;
                recovered.quotas.insert(role, quota);
            }
            Kind::Weights => {
                let wire: v1::WeightInfo = read(&key, &value)?;
                recovered.weights.insert(Role::new(wire.role()), wire.weight);
            }
            Kind::Frameworks => {
                let (info, registered, _) = read_framework(&key, &value)?;
                recovered.frameworks.push(RecoveredFramework { info, registered });
            }
            Kind::Completed => {
                let (info, registered, ended) = read_framework(&key, &value)?;
                recovered.completed.push(CompletedFramework { info, registered, ended });
            }
            _ => {}
        }
    }
    Ok(recovered)
}

fn agent(info: &AgentInfo) -> Result<Write, String> {
    let id = info.id.as_ref().ok_or("the agent has no id")?;
    let wire = info.to_slave_info(Format::PostRefinement).map_err(|error| error.to_string())?;
    Ok(Kind::Agents.put(id.as_str(), &wire))
}

/// The record of the schedule; none if nothing is in it.
fn schedule(windows: &[Window]) -> Write {
    if windows.is_empty() {
        return Kind::Maintenance.delete("");
    }
    let windows = windows.iter().map(Window::to_wire).collect();
    Kind::Maintenance.put("", &v1::maintenance::Schedule { windows })
}

/// The record that keeps masters from leading that do not know of this (MA-4). It stays: they would
/// not see what is written later, either.
fn needs(capability: &str) -> Write {
    Kind::Capabilities.put(capability, &MinimumCapability { capability: capability.to_owned() })
}

fn set_quota(role: &Role, quota: &Quota) -> Write {
    if quota.is_none() {
        return Kind::Quota.delete(role.as_str());
    }
    Kind::Quota.put(role.as_str(), &quota::to_wire(role, quota))
}

fn set_weight(role: &Role, weight: f64) -> Write {
    let wire = v1::WeightInfo { role: Some(role.to_string()), weight };
    Kind::Weights.put(role.as_str(), &wire)
}

fn framework(
    kind: Kind,
    info: &FrameworkInfo,
    registered: Wall,
    ended: Option<Wall>,
) -> Result<Write, String> {
    let id = info.id.as_ref().ok_or("the framework has no id")?;
    let record = Framework {
        framework_info: info.to_wire(),
        registered_time: Some(time(registered)),
        unregistered_time: ended.map(time),
        ..Framework::default()
    };
    Ok(kind.put(id.as_str(), &record))
}

fn time(at: Wall) -> v1::TimeInfo {
    v1::TimeInfo { nanoseconds: at.0 }
}

fn read_agent(key: &str, value: &[u8]) -> Result<AgentInfo, Error> {
    let wire: SlaveInfo = read(key, value)?;
    AgentInfo::try_from(wire)
        .map_err(|error| Error::Record { key: key.to_owned(), why: error.to_string() })
}

fn read_time(key: &str, value: &[u8]) -> Result<Wall, Error> {
    Ok(Wall(read::<v1::TimeInfo>(key, value)?.nanoseconds))
}

/// A framework, when it first subscribed, and when it ended.
fn read_framework(key: &str, value: &[u8]) -> Result<(Arc<FrameworkInfo>, Wall, Wall), Error> {
    let wire: Framework = read(key, value)?;
    let at = |time: Option<v1::TimeInfo>| Wall(time.unwrap_or_default().nanoseconds);
    let (registered, ended) = (at(wire.registered_time), at(wire.unregistered_time));
    let info = FrameworkInfo::try_from(wire.framework_info)
        .map_err(|error| Error::Record { key: key.to_owned(), why: error.to_string() })?;
    Ok((Arc::new(info), registered, ended))
}

#[cfg(test)]
mod tests;
