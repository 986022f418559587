//! ACCEPT: offers become tasks, reservations and volumes (SC-3, FL-8).

use reeve_model::{Filters, OfferId, Operation, Reason, Resources, Role, TaskId};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::OfferNr;
use super::end::refusal;
use crate::master::Master;
use crate::step::Step;
use crate::tasks::Speech;
use crate::view::OfferEnd;

/// What accepted offers give: on which agent, in which role, and what is left of it.
#[derive(Debug)]
pub(crate) struct Terms {
    pub framework: FrameworkIx,
    pub agent: AgentIx,
    pub role: Role,
    pub left: Resources,
}

impl Master {
    /// Uses offers. If one of them cannot be used, none is, and nothing is launched.
    pub(crate) fn accept(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        offers: &[OfferId],
        operations: Vec<Operation>,
        filters: Filters,
    ) {
        match self.usable_offers(fx, offers) {
            Ok(numbers) => {
                let Some(mut terms) = self.use_offers(step, &numbers) else { return };
                for operation in operations {
                    self.operate(step, &mut terms, operation);
                }
                let Terms { framework, agent, left, .. } = terms;
                self.recover(step, framework, agent, left, refusal(filters));
            }
            Err(why) => {
                for id in offers {
                    let Some(number) = self.offers.find(id) else { continue };
                    if self.offers.get(number).is_some_and(|live| live.framework == fx) {
                        self.end_offer(step, number, OfferEnd::Accepted, None);
                    }
                }
                for operation in operations {
                    self.drop_operation(step, fx, operation, &why);
                }
            }
        }
    }

    /// Whether the offers can be used together.
    fn usable_offers(&self, fx: FrameworkIx, ids: &[OfferId]) -> Result<Vec<OfferNr>, String> {
        if ids.is_empty() {
            return Err("No offers specified".to_owned());
        }
        let mut numbers = Vec::with_capacity(ids.len());
        let mut first: Option<&super::Live> = None;
        for id in ids {
            let found = self.offers.find(id).and_then(|nr| Some((nr, self.offers.get(nr)?)));
            let Some((number, live)) = found.filter(|(_, live)| live.framework == fx) else {
                return Err(format!("Offer {id} is no longer valid"));
            };
            if numbers.contains(&number) {
                return Err(format!("Duplicate offer {id} in offer list"));
            }
            let first = *first.get_or_insert(live);
            if first.agent != live.agent {
                return Err(format!(
                    "Aggregated offers must belong to one single agent. Offer {id} uses agent {} \
                     and offer {} uses agent {}",
                    live.offer.agent_id, first.offer.id, first.offer.agent_id
                ));
            }
            if first.offer.role != live.offer.role {
                return Err(format!(
                    "Aggregated offers must be allocated to the same role. Offer {id} uses role \
                     '{}' but another is using role '{}'",
                    live.offer.role, first.offer.role
                ));
            }
            numbers.push(number);
        }
        Ok(numbers)
    }

    fn use_offers(&mut self, step: &mut Step<'_>, numbers: &[OfferNr]) -> Option<Terms> {
        let mut terms: Option<Terms> = None;
        for number in numbers {
            let Some(live) = self.take_offer(step, *number, OfferEnd::Accepted) else { continue };
            let terms = terms.get_or_insert_with(|| Terms {
                framework: live.framework,
                agent: live.agent,
                role: live.offer.role.clone(),
                left: Resources::new(),
            });
            terms.left += &live.offer.resources;
        }
        terms
    }

    fn operate(&mut self, step: &mut Step<'_>, terms: &mut Terms, operation: Operation) {
        match operation {
            Operation::Launch(tasks) => {
                for task in tasks {
                    self.launch(step, terms, task);
                }
            }
            Operation::LaunchGroup { executor, tasks } => {
                self.launch_group(step, terms, executor, tasks);
            }
            other => self.convert(step, terms, other),
        }
    }

    /// An operation on offers that cannot be used: whoever waits for its outcome hears of it.
    fn drop_operation(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        operation: Operation,
        why: &str,
    ) {
        let tasks = match operation {
            Operation::Launch(tasks) | Operation::LaunchGroup { tasks, .. } => tasks,
            other => return self.operation_dropped(step, fx, &other, why),
        };
        for task in tasks {
            let (id, agent) = match task {
                Ok(task) => (task.id, task.agent),
                Err(invalid) => (invalid.id, invalid.agent),
            };
            self.drop_task(step, fx, id, agent, why);
        }
    }

    fn drop_task(
        &mut self,
        step: &mut Step<'_>,
        fx: FrameworkIx,
        task: TaskId,
        agent: reeve_model::AgentId,
        why: &str,
    ) {
        let speech = Speech {
            state: reeve_model::TaskState::Dropped,
            reason: Reason::InvalidOffers,
            message: format!("Task launched with invalid offers: {why}"),
        };
        self.refuse_task(step, fx, task, agent, speech);
    }
}
