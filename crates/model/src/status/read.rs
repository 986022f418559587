//! Reading a status from its encoding, field by field. When agents return, a master reads one or more
//! for each task of the cluster: nothing is built that is not kept.

use bytes::{Bytes, BytesMut};
use prost::Message as _;
use reeve_wire::splice::{self, Raw, RawField};
use reeve_wire::v1;

use super::{TaskStatus, state, uuid};
use crate::error::WireError;
use crate::ids::{AgentId, ExecutorId, TaskId};
use crate::states::{Reason, Source, TaskState};
use crate::units::Seconds;

/// Ids that a status is likely to repeat; then it shares their memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kin<'a> {
    /// Its task.
    pub task: Option<&'a TaskId>,
    /// Where that runs.
    pub agent: Option<&'a AgentId>,
    /// Who runs it.
    pub executor: Option<&'a ExecutorId>,
}

impl TaskStatus {
    /// Reads an encoded `TaskStatus` that has its required fields; fields unknown here are kept.
    ///
    /// # Errors
    /// If the bytes are no such message, or a field breaks its rule.
    pub fn read(bytes: &Bytes, kin: Kin<'_>) -> Result<Self, WireError> {
        let task_id = kin.task.cloned().unwrap_or_else(|| TaskId::new(""));
        let mut status = TaskStatus::new(task_id, TaskState::Staging);
        let mut rest = BytesMut::new();
        for field in splice::fields(bytes) {
            let RawField { number, value, range } =
                field.map_err(|error| WireError::message("status", &error))?;
            match (number, value) {
                (1, Raw::Bytes(id)) => status.task = task(value_of(id)?, kin),
                (2, Raw::Varint(number)) => status.state = state(number as i32, "status.state")?,
                (4, Raw::Bytes(message)) => status.message = Some(text(message)?.to_owned()),
                (5, Raw::Bytes(id)) => status.agent = Some(agent(value_of(id)?, kin)),
                (6, Raw::Fixed64(bits)) => status.timestamp = Some(Seconds(f64::from_bits(bits))),
                (7, Raw::Bytes(id)) => status.executor = Some(executor(value_of(id)?, kin)),
                (8, Raw::Varint(truth)) => status.healthy = Some(truth != 0),
                (9, Raw::Varint(number)) => status.source = Source::try_from(number as i32).ok(),
                (10, Raw::Varint(number)) => status.reason = Reason::try_from(number as i32).ok(),
                (11, Raw::Bytes(bytes)) => status.uuid = uuid(Some(bytes), "status.uuid")?,
                (14, Raw::Bytes(time)) => {
                    let time = v1::TimeInfo::decode(time)
                        .map_err(|error| WireError::message("status.unreachable_time", &error))?;
                    status.unreachable_time = Some(time.nanoseconds);
                }
                (1 | 2 | 4..=11 | 14, _) => {
                    let rule = format!("has a field {number} of another type");
                    return Err(WireError::new("status", rule));
                }
                _ => rest.extend_from_slice(&bytes[range]),
            }
        }
        status.rest = rest.freeze();
        if !status.rest.is_empty() {
            // It is passed on as it is: it must be what it says.
            v1::TaskStatus::decode(status.rest.clone())
                .map_err(|error| WireError::message("status", &error))?;
        }
        Ok(status)
    }
}

/// The text of an encoded id.
fn value_of(message: &[u8]) -> Result<&str, WireError> {
    let mut value = "";
    for field in splice::fields(message) {
        let field = field.map_err(|error| WireError::message("status", &error))?;
        if let (1, Raw::Bytes(bytes)) = (field.number, field.value) {
            value = text(bytes)?;
        }
    }
    Ok(value)
}

fn text(bytes: &[u8]) -> Result<&str, WireError> {
    std::str::from_utf8(bytes).map_err(|error| WireError::message("status", &error))
}

fn task(id: &str, kin: Kin<'_>) -> TaskId {
    kin.task.filter(|own| own.as_str() == id).cloned().unwrap_or_else(|| TaskId::new(id))
}

fn agent(id: &str, kin: Kin<'_>) -> AgentId {
    kin.agent.filter(|own| own.as_str() == id).cloned().unwrap_or_else(|| AgentId::new(id))
}

/// An executor of one task often has the task's id.
fn executor(id: &str, kin: Kin<'_>) -> ExecutorId {
    let own = kin.executor.filter(|own| own.as_str() == id).cloned();
    let task = || kin.task.filter(|own| own.as_str() == id).map(ExecutorId::from);
    own.or_else(task).unwrap_or_else(|| ExecutorId::new(id))
}
