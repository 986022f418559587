//! What drivers said before Mesos 0.23 had one message for all calls (LP-5): each becomes the call
//! that newer drivers make in its place.

use bytes::Bytes;
use reeve_wire::internal::{
    KillTaskMessage, LaunchTasksMessage, ReconcileTasksMessage, RegisterFrameworkMessage,
    ReregisterFrameworkMessage, ResourceRequestMessage, ReviveOffersMessage,
    StatusUpdateAcknowledgementMessage, UnregisterFrameworkMessage,
};
use reeve_wire::v1::offer::{Operation, operation};
use reeve_wire::v1::scheduler::Call;
use reeve_wire::v1::scheduler::call::{self, Type};
use reeve_wire::{DecodeError, Described, decode, internal, v1};

/// The call that a message stands for, and whether it takes over by force; nothing if it is none
/// of them.
///
/// # Errors
///
/// If the bytes are no such message.
pub fn call(name: &str, body: &Bytes) -> Result<Option<(Call, bool)>, DecodeError> {
    let call = match name {
        RegisterFrameworkMessage::NAME => {
            let mut framework = decode::<RegisterFrameworkMessage>(body)?.framework;
            // Some set it to nothing: who registers has none.
            framework.id = None;
            return Ok(Some((subscribe(framework), false)));
        }
        ReregisterFrameworkMessage::NAME => {
            let wire: ReregisterFrameworkMessage = decode(body)?;
            return Ok(Some((subscribe(wire.framework), wire.failover)));
        }
        UnregisterFrameworkMessage::NAME => {
            let wire: UnregisterFrameworkMessage = decode(body)?;
            of(Type::Teardown, wire.framework_id)
        }
        ResourceRequestMessage::NAME => {
            let wire: ResourceRequestMessage = decode(body)?;
            let request = Some(call::Request { requests: wire.requests });
            Call { request, ..of(Type::Request, wire.framework_id) }
        }
        LaunchTasksMessage::NAME => launch(decode(body)?),
        ReviveOffersMessage::NAME => {
            let wire: ReviveOffersMessage = decode(body)?;
            let revive = Some(call::Revive { roles: wire.roles });
            Call { revive, ..of(Type::Revive, wire.framework_id) }
        }
        KillTaskMessage::NAME => {
            let wire: KillTaskMessage = decode(body)?;
            let (task_id, kill_policy) = (wire.task_id, wire.kill_policy);
            let kill = Some(call::Kill { task_id, agent_id: None, kill_policy });
            Call { kill, ..of(Type::Kill, wire.framework_id) }
        }
        StatusUpdateAcknowledgementMessage::NAME => {
            let wire: StatusUpdateAcknowledgementMessage = decode(body)?;
            let (agent_id, task_id, uuid) = (wire.slave_id, wire.task_id, wire.uuid);
            let acknowledge = Some(call::Acknowledge { agent_id, task_id, uuid });
            Call { acknowledge, ..of(Type::Acknowledge, wire.framework_id) }
        }
        ReconcileTasksMessage::NAME => reconcile(decode(body)?),
        internal::FrameworkToExecutorMessage::NAME => {
            let wire: internal::FrameworkToExecutorMessage = decode(body)?;
            let (agent_id, executor_id, data) = (wire.slave_id, wire.executor_id, wire.data);
            let message = Some(call::Message { agent_id, executor_id, data });
            Call { message, ..of(Type::Message, wire.framework_id) }
        }
        _ => return Ok(None),
    };
    Ok(Some((call, false)))
}

fn of(kind: Type, framework: v1::FrameworkId) -> Call {
    Call { r#type: Some(kind.into()), framework_id: Some(framework), ..Call::default() }
}

fn subscribe(framework_info: v1::FrameworkInfo) -> Call {
    Call {
        r#type: Some(Type::Subscribe.into()),
        framework_id: framework_info.id.clone(),
        subscribe: Some(call::Subscribe { framework_info, ..call::Subscribe::default() }),
        ..Call::default()
    }
}

/// To launch no task is to decline.
fn launch(wire: LaunchTasksMessage) -> Call {
    let LaunchTasksMessage { framework_id, tasks, filters, offer_ids } = wire;
    let launch = Operation {
        r#type: Some(operation::Type::Launch.into()),
        launch: Some(operation::Launch { task_infos: tasks }),
        ..Operation::default()
    };
    let some = launch.launch.as_ref().is_some_and(|launch| !launch.task_infos.is_empty());
    let operations = if some { vec![launch] } else { Vec::new() };
    let accept = call::Accept { offer_ids, operations, filters: Some(filters) };
    Call { accept: Some(accept), ..of(Type::Accept, framework_id) }
}

fn reconcile(wire: ReconcileTasksMessage) -> Call {
    let task = |status: v1::TaskStatus| call::reconcile::Task {
        task_id: status.task_id,
        agent_id: status.agent_id,
    };
    let tasks = wire.statuses.into_iter().map(task).collect();
    let reconcile = Some(call::Reconcile { tasks });
    Call { reconcile, ..of(Type::Reconcile, wire.framework_id) }
}

#[cfg(test)]
mod tests;
