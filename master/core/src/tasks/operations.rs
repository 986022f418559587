//! Reservations and volumes made of accepted offers (mesos.md §1.5). They take effect at once, and
//! the agent is told the outcome; what only a storage plugin can do is refused.

use reeve_model::{
    AgentId, Conversion, Operation, OperationId, OperationState, OperationStatus, Principal,
    Reservation, Resources, Role,
};
use reeve_module_sdk::allocator::FrameworkIx;

use crate::allocation;
use crate::effect::{ToAgent, ToScheduler};
use crate::master::Master;
use crate::offers::Terms;
use crate::step::Step;
use crate::view::Change;

impl Master {
    /// Applies an operation to what is left of accepted offers.
    pub(crate) fn convert(&mut self, step: &mut Step<'_>, terms: &mut Terms, operation: Operation) {
        let Some(framework) = self.frameworks.get(terms.framework) else { return };
        let (framework_id, principal) = (framework.id.clone(), framework.info.principal.clone());
        let conversion = conversion(&operation, &terms.role, principal.as_ref());
        let done = conversion.and_then(|conversion| {
            let left = terms.left.apply(&conversion).map_err(|error| error.to_string())?;
            let Some(agent) = self.agents.get_mut(terms.agent) else {
                return Err("Agent removed".to_owned());
            };
            agent.convert(&conversion).map_err(|error| error.to_string())?;
            terms.left = left;
            Ok(conversion)
        });
        let Some(agent) = self.agents.get(terms.agent) else { return };
        let mut status = OperationStatus::new(operation.id().cloned(), OperationState::Finished);
        status.agent = Some(agent.id.clone());
        match done {
            Err(why) => {
                status.state = OperationState::Error;
                status.message = Some(why);
            }
            Ok(Conversion { consumed, converted }) => {
                step.agent(&agent.pid, ToAgent::CheckpointResources(agent.checkpointed()));
                step.changed(agent.change());
                step.changed(Change::Operated(framework_id, operation.name()));
                status.converted = converted.unallocated();
                step.allocation(allocation::Event::Converted {
                    framework: Some(terms.framework),
                    agent: terms.agent,
                    from: consumed,
                    to: converted,
                });
            }
        }
        self.tell_operation(step, terms.framework, status);
    }

    /// An operation could not be tried.
    pub(crate) fn operation_dropped(
        &self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        operation: &Operation,
        why: &str,
    ) {
        let mut status = OperationStatus::new(operation.id().cloned(), OperationState::Dropped);
        status.message = Some(format!("Operation dropped, because its offers are invalid: {why}"));
        self.tell_operation(step, fx, status);
    }

    /// RECONCILE_OPERATIONS: none is ever pending, so only where the agent is can be told (§5.5).
    pub(crate) fn reconcile_operations(
        &self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        operations: Vec<(OperationId, Option<AgentId>)>,
    ) {
        for (operation, agent) in operations {
            let state = match &agent {
                Some(agent) if self.agents.is_awaited(agent) => OperationState::Recovering,
                Some(agent) if self.agents.unreachable(agent).is_some() => {
                    OperationState::Unreachable
                }
                Some(agent) if self.agents.is_gone(agent) => OperationState::GoneByOperator,
                None if self.agents.any_awaited() => OperationState::Recovering,
                _ => OperationState::Unknown,
            };
            let mut status = OperationStatus::new(Some(operation), state);
            status.agent = agent;
            self.tell_operation(step, fx, status);
        }
    }

    /// Tells of an operation, if its framework asked for it by giving it an id (SE-6).
    fn tell_operation(&self, step: &mut Step<'_>, fx: FrameworkIx, status: OperationStatus) {
        if status.operation.is_some() {
            self.tell(step, fx, ToScheduler::OperationUpdate(Box::new(status)));
        }
    }
}

/// What the operation does to offered resources.
fn conversion(
    operation: &Operation,
    role: &Role,
    principal: Option<&Principal>,
) -> Result<Conversion, String> {
    let made = match operation {
        Operation::Reserve { source, resources, .. } => {
            check_reservation(resources, role, principal)?;
            Conversion::reserve(&source.allocated_to(role), &resources.allocated_to(role))
        }
        Operation::Unreserve { resources, .. } => {
            Conversion::unreserve(&resources.allocated_to(role))
        }
        Operation::Create { volumes, .. } => Conversion::create(&volumes.allocated_to(role)),
        Operation::Destroy { volumes, .. } => Conversion::destroy(&volumes.allocated_to(role)),
        Operation::Launch(_) | Operation::LaunchGroup { .. } => Ok(Conversion::default()),
        Operation::Forbidden { why, .. } => return Err(why.clone()),
        Operation::GrowVolume { .. } | Operation::ShrinkVolume { .. } => {
            return Err("Resizing of volumes is not supported by this master".to_owned());
        }
        Operation::CreateDisk { .. } | Operation::DestroyDisk { .. } => {
            return Err("The agent has no resource provider that could make disks".to_owned());
        }
    };
    made.map_err(|error| error.to_string())
}

/// A framework reserves for the role of its offer, in its own name.
fn check_reservation(
    resources: &Resources,
    role: &Role,
    principal: Option<&Principal>,
) -> Result<(), String> {
    for one in resources.iter() {
        let Some(Reservation::Dynamic { role: kept, principal: by, .. }) = one.reservations.last()
        else {
            return Err(format!("Resource '{one}' is not dynamically reserved"));
        };
        if kept != role {
            return Err(format!(
                "A reserve operation was attempted for a resource with role '{kept}', but the \
                 framework can only reserve resources with role '{role}'"
            ));
        }
        if by.as_ref().is_some_and(|by| Some(by) != principal) {
            return Err(format!(
                "A reserve operation was attempted in the name of another principal for '{one}'"
            ));
        }
    }
    Ok(())
}
