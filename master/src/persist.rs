//! The registry's records: which keys, and what stands in them.
//!
//! `agents/<id>` holds a `SlaveInfo`, `unreachable/<id>` and `gone/<id>` a `TimeInfo` (since
//! when), `master` the last leader's `MasterInfo`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use reeve_machine::Wall;
use reeve_master_core::effect::Mutation;
use reeve_master_core::event::Recovered;
use reeve_model::{AgentId, AgentInfo, Format, MasterInfo};
use reeve_registry::Write;
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
            vec![Write::Delete(key("agents", id)), Write::Delete(key("unreachable", id))]
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
            _ => tracing::warn!(key, "the registry has a record that this version does not know"),
        }
    }
    Ok(recovered)
}

fn key(kind: &str, id: &AgentId) -> String {
    format!("{kind}/{id}")
}

fn agent(info: &AgentInfo) -> Result<Write, String> {
    let id = info.id.as_ref().ok_or("the agent has no id")?;
    let wire = info.to_slave_info(Format::PostRefinement).map_err(|error| error.to_string())?;
    Ok(Write::Put(key("agents", id), wire.encode_to_vec()))
}

fn time(kind: &str, id: &AgentId, at: Wall) -> Write {
    Write::Put(key(kind, id), v1::TimeInfo { nanoseconds: at.0 }.encode_to_vec())
}

fn read_agent(key: &str, value: Vec<u8>) -> Result<AgentInfo, Error> {
    let wire: SlaveInfo = read(key, value)?;
    AgentInfo::try_from(wire)
        .map_err(|error| Error::Record { key: key.to_owned(), why: error.to_string() })
}

fn read_time(key: &str, value: Vec<u8>) -> Result<Wall, Error> {
    read::<v1::TimeInfo>(key, value).map(|time| Wall(time.nanoseconds))
}

fn read<T: WireMessage>(key: &str, value: Vec<u8>) -> Result<T, Error> {
    decode(&Bytes::from(value))
        .map_err(|error| Error::Record { key: key.to_owned(), why: error.to_string() })
}
