//! A v1 scheduler call, checked and taken apart (SC-1 … SC-16).
//!
//! What is wrong with a call by itself is found here; what is wrong with it in the light of the
//! cluster's state, by the core.

use std::collections::BTreeSet;
use std::sync::Arc;

use reeve_master_core::event::{Call, Channel, Subscription};
use reeve_model::{
    AgentId, ExecutorId, Filters, FrameworkInfo, KillPolicy, OfferConstraints, OfferId, Operation,
    OperationId, Principal, Role, TaskId, Uuid,
};
use reeve_records::check_size;
use reeve_wire::v1;
use reeve_wire::v1::scheduler::call::{self, Type};

/// Why a call is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It does not say what it should (400).
    Invalid(String),
    /// Its type is none that we know (501).
    Unknown,
}

/// The checks that Mesos makes before it looks at a call, in its order and words.
///
/// # Errors
///
/// What the call lacks.
pub fn check(call: &v1::scheduler::Call) -> Result<(), String> {
    let Some(kind) = call.r#type else {
        return Err("Expecting 'type' to be present".to_owned());
    };
    let Ok(kind) = Type::try_from(kind) else { return Ok(()) };
    if kind == Type::Unknown {
        return Ok(());
    }
    if kind == Type::Subscribe {
        return check_subscribe(call);
    }
    if call.framework_id.is_none() {
        return Err("Expecting 'framework_id' to be present".to_owned());
    }
    match missing(kind, call) {
        Some(part) => Err(format!("Expecting '{part}' to be present")),
        None => Ok(()),
    }
}

fn check_subscribe(call: &v1::scheduler::Call) -> Result<(), String> {
    let Some(subscribe) = &call.subscribe else {
        return Err("Expecting 'subscribe' to be present".to_owned());
    };
    let value = |id: Option<&v1::FrameworkId>| id.map(|id| id.value.clone()).unwrap_or_default();
    if value(subscribe.framework_info.id.as_ref()) != value(call.framework_id.as_ref()) {
        return Err("'framework_id' differs from 'subscribe.framework_info.id'".to_owned());
    }
    Ok(())
}

/// Makes sure that a framework is described as its owner's, who goes by this name; where the
/// description leaves that open, it is filled in (SC-1).
///
/// # Errors
///
/// If the description names another.
pub fn belongs(call: &mut v1::scheduler::Call, principal: &Principal) -> Result<(), String> {
    let subscribed = call.subscribe.as_mut().map(|subscribe| &mut subscribe.framework_info);
    let updated = call.update_framework.as_mut().map(|update| &mut update.framework_info);
    for info in subscribed.into_iter().chain(updated) {
        match &info.principal {
            Some(named) if named != principal.as_str() => {
                return Err(format!(
                    "Authenticated principal '{principal}' does not match principal '{named}' set \
                     in `FrameworkInfo`"
                ));
            }
            _ => info.principal = Some(principal.to_string()),
        }
    }
    Ok(())
}

/// The part that a call of this type needs and lacks.
fn missing(kind: Type, call: &v1::scheduler::Call) -> Option<&'static str> {
    let (there, name) = match kind {
        Type::Accept => (call.accept.is_some(), "accept"),
        Type::Decline => (call.decline.is_some(), "decline"),
        Type::AcceptInverseOffers => {
            (call.accept_inverse_offers.is_some(), "accept_inverse_offers")
        }
        Type::DeclineInverseOffers => {
            (call.decline_inverse_offers.is_some(), "decline_inverse_offers")
        }
        Type::Kill => (call.kill.is_some(), "kill"),
        Type::Shutdown => (call.shutdown.is_some(), "shutdown"),
        Type::Acknowledge => (call.acknowledge.is_some(), "acknowledge"),
        Type::AcknowledgeOperationStatus => {
            (call.acknowledge_operation_status.is_some(), "acknowledge_operation_status")
        }
        Type::Reconcile => (call.reconcile.is_some(), "reconcile"),
        Type::ReconcileOperations => (call.reconcile_operations.is_some(), "reconcile_operations"),
        Type::Message => (call.message.is_some(), "message"),
        Type::Request => (call.request.is_some(), "request"),
        Type::UpdateFramework => (call.update_framework.is_some(), "update_framework"),
        Type::Unknown | Type::Subscribe | Type::Teardown | Type::Revive | Type::Suppress => {
            (true, "")
        }
    };
    (!there).then_some(name)
}

/// Reads SUBSCRIBE.
///
/// # Errors
///
/// The rule that the framework's description breaks.
pub fn subscription(
    wire: call::Subscribe,
    channel: Channel,
    force: bool,
) -> Result<Subscription, String> {
    Ok(Subscription {
        info: framework(wire.framework_info)?,
        suppressed: roles(wire.suppressed_roles).into_iter().collect(),
        constraints: constraints(wire.offer_constraints)?,
        channel,
        force,
    })
}

/// Reads a call that is not SUBSCRIBE and that [`check`] let pass.
///
/// # Errors
///
/// What of it breaks a rule.
pub fn from_wire(wire: v1::scheduler::Call) -> Result<Call, Refused> {
    let kind = wire.r#type.and_then(|number| Type::try_from(number).ok());
    let call = match kind {
        Some(Type::Teardown) => Some(Call::Teardown),
        Some(Type::Accept) => wire.accept.map(accept).transpose()?,
        Some(Type::Decline) => wire.decline.map(|decline| Call::Decline {
            filters: Filters::from(decline.filters.as_ref()),
            offers: offer_ids(decline.offer_ids),
        }),
        Some(Type::Revive) => Some(Call::Revive(roles(wire.revive.unwrap_or_default().roles))),
        Some(Type::Suppress) => {
            Some(Call::Suppress(roles(wire.suppress.unwrap_or_default().roles)))
        }
        Some(Type::Kill) => wire.kill.map(|kill| Call::Kill {
            task: TaskId::from(kill.task_id),
            agent: kill.agent_id.map(AgentId::from),
            policy: kill.kill_policy.as_ref().map(KillPolicy::from),
        }),
        Some(Type::Shutdown) => wire.shutdown.map(|shutdown| {
            let executor = ExecutorId::from(shutdown.executor_id);
            Call::Shutdown(executor, AgentId::from(shutdown.agent_id))
        }),
        Some(Type::Acknowledge) => wire.acknowledge.map(acknowledge).transpose()?,
        Some(Type::AcknowledgeOperationStatus) => {
            wire.acknowledge_operation_status.map(acknowledge_operation).transpose()?
        }
        Some(Type::Reconcile) => wire.reconcile.map(reconcile),
        Some(Type::ReconcileOperations) => wire.reconcile_operations.map(reconcile_operations),
        Some(Type::Message) => wire.message.map(|message| Call::Message {
            agent: AgentId::from(message.agent_id),
            executor: ExecutorId::from(message.executor_id),
            data: message.data,
        }),
        Some(Type::Request) => Some(Call::Request),
        Some(Type::UpdateFramework) => wire.update_framework.map(update_framework).transpose()?,
        Some(Type::AcceptInverseOffers) => wire.accept_inverse_offers.map(|answer| {
            let offers = offer_ids(answer.inverse_offer_ids);
            let filters = Filters::from(answer.filters.as_ref());
            Call::AnswerInverseOffers { offers, accepted: true, filters }
        }),
        Some(Type::DeclineInverseOffers) => wire.decline_inverse_offers.map(|answer| {
            let offers = offer_ids(answer.inverse_offer_ids);
            let filters = Filters::from(answer.filters.as_ref());
            Call::AnswerInverseOffers { offers, accepted: false, filters }
        }),
        Some(Type::Subscribe | Type::Unknown) | None => None,
    };
    call.ok_or(Refused::Unknown)
}

fn accept(wire: call::Accept) -> Result<Call, Refused> {
    let operations = wire.operations.into_iter().map(Operation::try_from);
    Ok(Call::Accept {
        filters: Filters::from(wire.filters.as_ref()),
        offers: offer_ids(wire.offer_ids),
        operations: operations
            .collect::<Result<_, _>>()
            .map_err(|error| Refused::Invalid(error.to_string()))?,
    })
}

fn acknowledge(wire: call::Acknowledge) -> Result<Call, Refused> {
    Ok(Call::Acknowledge {
        agent: AgentId::from(wire.agent_id),
        task: TaskId::from(wire.task_id),
        uuid: uuid(&wire.uuid)?,
    })
}

fn acknowledge_operation(wire: call::AcknowledgeOperationStatus) -> Result<Call, Refused> {
    Ok(Call::AcknowledgeOperation {
        agent: wire.agent_id.map(AgentId::from),
        operation: OperationId::from(wire.operation_id),
        uuid: uuid(&wire.uuid)?,
    })
}

fn reconcile(wire: call::Reconcile) -> Call {
    let tasks = wire.tasks.into_iter();
    Call::Reconcile(
        tasks.map(|task| (TaskId::from(task.task_id), task.agent_id.map(AgentId::from))).collect(),
    )
}

fn reconcile_operations(wire: call::ReconcileOperations) -> Call {
    let operations = wire.operations.into_iter();
    Call::ReconcileOperations(
        operations
            .map(|one| (OperationId::from(one.operation_id), one.agent_id.map(AgentId::from)))
            .collect(),
    )
}

fn update_framework(wire: call::UpdateFramework) -> Result<Call, Refused> {
    Ok(Call::UpdateFramework {
        info: framework(wire.framework_info).map_err(Refused::Invalid)?,
        suppressed: roles(wire.suppressed_roles).into_iter().collect::<BTreeSet<_>>(),
        constraints: constraints(wire.offer_constraints).map_err(Refused::Invalid)?,
    })
}

fn framework(wire: v1::FrameworkInfo) -> Result<Arc<FrameworkInfo>, String> {
    check_size(&wire)?;
    FrameworkInfo::try_from(wire).map(Arc::new).map_err(|error| error.to_string())
}

fn constraints(
    wire: Option<v1::scheduler::OfferConstraints>,
) -> Result<Option<Arc<OfferConstraints>>, String> {
    let read = |wire: v1::scheduler::OfferConstraints| {
        OfferConstraints::try_from(&wire).map(Arc::new).map_err(|error| error.to_string())
    };
    wire.map(read).transpose()
}

fn uuid(bytes: &[u8]) -> Result<Uuid, Refused> {
    Uuid::from_slice(bytes).map_err(|error| Refused::Invalid(format!("uuid: {error}")))
}

fn offer_ids(wire: Vec<v1::OfferId>) -> Vec<OfferId> {
    wire.into_iter().map(OfferId::from).collect()
}

fn roles(wire: Vec<String>) -> Vec<Role> {
    wire.into_iter().map(Role::new).collect()
}
