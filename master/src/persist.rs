//! The registry's records: which keys, and what stands in them.
//!
//! `agents/<id>` holds a `SlaveInfo`, `unreachable/<id>` and `gone/<id>` a `TimeInfo` (since
//! when), `frameworks/<id>` and `completed/<id>` what GET_FRAMEWORKS has of a framework itself,
//! `master` the last leader's `MasterInfo`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use reeve_machine::Wall;
use reeve_master_core::effect::Mutation;
use reeve_master_core::event::{CompletedFramework, Recovered, RecoveredFramework};
use reeve_model::{AgentId, AgentInfo, Format, FrameworkInfo, MasterInfo};
use reeve_registry::Write;
use reeve_wire::v1::master::response::get_frameworks::Framework;
use reeve_wire::{SlaveInfo, WireMessage, decode, v1};

use crate::Error;

/// What makes a mutation durable.
///
/// # Errors
///
/// A text, if the agent's description has no encoding.
pub fn writes(mutation: &Mutation) -> Result<Vec<Write>, String> {
    Ok(match mutation {
        Mutation::Admit(info) => vec![agent(info)?],
        Mutation::MarkUnreachable(id, since) => {
            vec![Write::Delete(key("agents", id)), time("unreachable", id, *since)]
        }
        Mutation::MarkReachable(info) => {
            let id = info.id.clone().ok_or("the agent has no id")?;
            vec![Write::Delete(key("unreachable", &id)), agent(info)?]
        }
        Mutation::Remove(id) => {
            let kinds = ["agents", "unreachable", "gone"];
            kinds.map(|kind| Write::Delete(key(kind, id))).to_vec()
        }
        Mutation::MarkGone(id, since) => vec![
            Write::Delete(key("agents", id)),
            Write::Delete(key("unreachable", id)),
            time("gone", id, *since),
        ],
        Mutation::Describe(info, registered) => {
            vec![framework("frameworks", info, *registered, None)?]
        }
        Mutation::Complete { completed, forgotten } => {
            let CompletedFramework { info, registered, ended } = completed;
            let id = info.id.as_ref().ok_or("the framework has no id")?;
            let mut writes = vec![
                Write::Delete(key("frameworks", id)),
                framework("completed", info, *registered, Some(*ended))?,
            ];
            writes.extend(forgotten.iter().map(|id| Write::Delete(key("completed", id))));
            writes
        }
        Mutation::ForgetFramework(id) => {
            vec![Write::Delete(key("frameworks", id)), Write::Delete(key("completed", id))]
        }
    })
}

/// The record that tells who leads.
pub fn leader(info: &MasterInfo) -> Write {
    Write::Put("master".to_owned(), info.to_wire().encode_to_vec())
}

/// What the records say.
///
/// # Errors
///
/// The first record that cannot be read.
pub fn recovered(master: Arc<str>, records: BTreeMap<String, Vec<u8>>) -> Result<Recovered, Error> {
    let mut recovered = Recovered { master, ..Recovered::default() };
    for (key, value) in records {
        let Some((kind, id)) = key.split_once('/') else { continue };
        let id = AgentId::new(id);
        match kind {
            "agents" => recovered.agents.push(read_agent(&key, value)?),
            "unreachable" => recovered.unreachable.push((id, read_time(&key, value)?)),
            "gone" => recovered.gone.push((id, read_time(&key, value)?)),
            "frameworks" => {
                let (info, registered, _) = read_framework(&key, value)?;
                recovered.frameworks.push(RecoveredFramework { info, registered });
            }
            "completed" => {
                let (info, registered, ended) = read_framework(&key, value)?;
                recovered.completed.push(CompletedFramework { info, registered, ended });
            }
            _ => tracing::warn!(key, "the registry has a record that this version does not know"),
        }
    }
    Ok(recovered)
}

fn key(kind: &str, id: &impl Display) -> String {
    format!("{kind}/{id}")
}

fn agent(info: &AgentInfo) -> Result<Write, String> {
    let id = info.id.as_ref().ok_or("the agent has no id")?;
    let wire = info.to_slave_info(Format::PostRefinement).map_err(|error| error.to_string())?;
    Ok(Write::Put(key("agents", id), wire.encode_to_vec()))
}

fn time(kind: &str, id: &AgentId, at: Wall) -> Write {
    Write::Put(key(kind, id), nanoseconds(at).encode_to_vec())
}

fn nanoseconds(at: Wall) -> v1::TimeInfo {
    v1::TimeInfo { nanoseconds: at.0 }
}

fn framework(
    kind: &str,
    info: &FrameworkInfo,
    registered: Wall,
    ended: Option<Wall>,
) -> Result<Write, String> {
    let id = info.id.as_ref().ok_or("the framework has no id")?;
    let record = Framework {
        framework_info: info.to_wire(),
        registered_time: Some(nanoseconds(registered)),
        unregistered_time: ended.map(nanoseconds),
        ..Framework::default()
    };
    Ok(Write::Put(key(kind, id), record.encode_to_vec()))
}

fn read_agent(key: &str, value: Vec<u8>) -> Result<AgentInfo, Error> {
    let wire: SlaveInfo = read(key, value)?;
    AgentInfo::try_from(wire)
        .map_err(|error| Error::Record { key: key.to_owned(), why: error.to_string() })
}

fn read_time(key: &str, value: Vec<u8>) -> Result<Wall, Error> {
    read::<v1::TimeInfo>(key, value).map(|time| Wall(time.nanoseconds))
}

/// A framework, when it first subscribed, and when it ended.
fn read_framework(key: &str, value: Vec<u8>) -> Result<(Arc<FrameworkInfo>, Wall, Wall), Error> {
    let wire: Framework = read(key, value)?;
    let at = |time: Option<v1::TimeInfo>| Wall(time.unwrap_or_default().nanoseconds);
    let (registered, ended) = (at(wire.registered_time), at(wire.unregistered_time));
    let info = FrameworkInfo::try_from(wire.framework_info)
        .map_err(|error| Error::Record { key: key.to_owned(), why: error.to_string() })?;
    Ok((Arc::new(info), registered, ended))
}

fn read<T: WireMessage>(key: &str, value: Vec<u8>) -> Result<T, Error> {
    decode(&Bytes::from(value))
        .map_err(|error| Error::Record { key: key.to_owned(), why: error.to_string() })
}
