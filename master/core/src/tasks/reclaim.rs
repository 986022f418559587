//! Taking resources from a framework because the allocator wants them for another: its offers
//! first, then its tasks, the youngest first.
//!
//! A task that must give way is killed like any other, and its framework sees it end once, as
//! `TASK_KILLED`. The reason is `REASON_CONTAINER_PREEMPTED`, and the message says why.

use std::sync::Arc;

use reeve_machine::Tick;
use reeve_model::{
    KillPolicy, OfferId, Quantities, Reason, Resources, Role, TaskState, TaskStatus,
};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx, Reclaim};

use super::TaskIx;
use crate::allocation::Reclaimed;
use crate::effect::{Effect, TookBack};
use crate::master::Master;
use crate::offers::OfferNr;
use crate::step::Step;

/// A task must give way to others.
#[derive(Debug)]
pub(crate) struct GivesWay {
    why: Arc<str>,
    /// If it still runs then, it cannot be counted on.
    until: Tick,
}

/// Whose resources are taken back, and where.
#[derive(Clone, Copy, Debug)]
struct Holder<'a> {
    framework: FrameworkIx,
    agent: AgentIx,
    role: &'a Role,
}

impl Master {
    /// Takes back what is wanted, as far as ending offers and tasks helps. What has come meanwhile,
    /// or is about to because a task gives way already, is not taken twice.
    pub(crate) fn reclaim(&mut self, step: &mut Step<'_>, reclaim: Reclaimed) {
        let Reclaimed { framework, role, agent, amounts, held, grace, reason } = reclaim;
        let Some(owner) = self.frameworks.get(framework).map(|f| f.id.clone()) else { return };
        let Some(place) = self.agents.get(agent).map(|agent| agent.id.clone()) else { return };
        let holder = Holder { framework, agent, role: &role };
        let mut missing = amounts;
        missing -= &(held - &self.held_by(holder));
        missing -= &self.coming_back(holder, step.now);
        let offers = self.take_offers_back(step, holder, &mut missing);
        let until = step.now + Reclaim::stands_for(grace);
        let why = Arc::new(GivesWay { why: reason.clone(), until });
        let policy = KillPolicy { grace: Some(grace) };
        let mut tasks = Vec::new();
        for tx in self.tasks_that_help(holder, &mut missing) {
            let Some(task) = self.tasks.get_mut(tx) else { continue };
            task.gives_way = Some(why.clone());
            tasks.push(task.id.clone());
            self.kill_task(step, tx, Some(policy));
        }
        let (framework, agent) = (owner, place);
        step.push(Effect::TookBack(TookBack {
            framework,
            role,
            agent,
            offers,
            tasks,
            missing,
            reason,
        }));
    }

    /// What a framework holds in the role on the agent, as far as it is of use to others.
    fn held_by(&self, holder: Holder<'_>) -> Quantities {
        let Some(agent) = self.agents.get(holder.agent) else { return Quantities::new() };
        let mut held = Quantities::new();
        for (_, offered) in self.offers_to(holder) {
            held += &of_use(offered, holder.role);
        }
        for (_, task) in self.live_tasks_of(holder) {
            held += &of_use(&task.resources, holder.role);
        }
        for (_, executor) in agent.executors_of(holder.framework) {
            held += &of_use(&executor.resources, holder.role);
        }
        held
    }

    /// What comes from tasks that give way already.
    fn coming_back(&self, holder: Holder<'_>, now: Tick) -> Quantities {
        let mut coming = Quantities::new();
        for (_, task) in self.live_tasks_of(holder) {
            if task.gives_way.as_ref().is_some_and(|gives_way| gives_way.until > now) {
                coming += &of_use(&task.resources, holder.role);
            }
        }
        coming
    }

    /// Takes back offers that help, those with revocable resources first: they were lent.
    fn take_offers_back(
        &mut self,
        step: &mut Step<'_>,
        holder: Holder<'_>,
        missing: &mut Quantities,
    ) -> Vec<OfferId> {
        let mut offers: Vec<_> = self
            .offers_to(holder)
            .map(|(number, offered)| {
                let firm = !offered.iter().any(|one| one.revocable);
                (firm, number, of_use(offered, holder.role))
            })
            .collect();
        offers.sort_by_key(|(firm, number, _)| (*firm, *number));
        let mut taken = Vec::new();
        for (_, number, gives) in offers {
            if helps(missing, &gives)
                && let Some(live) = self.offers.get(number)
            {
                taken.push(live.offer.id.clone());
                self.rescind(step, number);
                *missing -= &gives;
            }
        }
        taken
    }

    /// The tasks that must end, the youngest first.
    fn tasks_that_help(&self, holder: Holder<'_>, missing: &mut Quantities) -> Vec<TaskIx> {
        let mut tasks: Vec<_> = self
            .live_tasks_of(holder)
            .filter(|(_, task)| task.gives_way.is_none())
            .map(|(tx, task)| (task.number, tx, of_use(&task.resources, holder.role)))
            .collect();
        tasks.sort_by_key(|(number, ..)| std::cmp::Reverse(*number));
        let mut ends = Vec::new();
        for (_, tx, gives) in tasks {
            if helps(missing, &gives) {
                ends.push(tx);
                *missing -= &gives;
            }
        }
        ends
    }

    fn offers_to<'a>(
        &'a self,
        holder: Holder<'a>,
    ) -> impl Iterator<Item = (OfferNr, &'a Resources)> {
        let offers = self.agents.get(holder.agent).into_iter().flat_map(|agent| &agent.offers);
        offers.filter_map(move |number| {
            let live = self.offers.get(*number)?;
            let is_its = live.framework == holder.framework && live.offer.role == *holder.role;
            is_its.then_some((*number, &live.offer.resources))
        })
    }

    fn live_tasks_of<'a>(
        &'a self,
        holder: Holder<'a>,
    ) -> impl Iterator<Item = (TaskIx, &'a super::Task)> {
        let tasks = self.agents.get(holder.agent).into_iter().flat_map(|agent| &agent.tasks);
        tasks.filter_map(move |tx| {
            let task = self.tasks.get(*tx)?;
            let is_its = task.framework == holder.framework && !task.state.is_terminal();
            is_its.then_some((*tx, task))
        })
    }

    /// Has the status of a task that gave way say so. One that finished meanwhile did not.
    pub(super) fn say_why(&self, tx: TaskIx, status: &mut TaskStatus) {
        let Some(gives_way) = self.tasks.get(tx).and_then(|task| task.gives_way.as_ref()) else {
            return;
        };
        let killed = matches!(status.state, TaskState::Killing | TaskState::Killed);
        if killed {
            status.reason = Some(Reason::ContainerPreempted);
        }
        if killed || (status.state.is_terminal() && status.state != TaskState::Finished) {
            status.message = Some(match status.message.as_deref() {
                Some(said) if !said.is_empty() => format!("{} ({said})", gives_way.why),
                _ => gives_way.why.to_string(),
            });
        }
    }
}

/// The part of resources that others could use: neither reserved nor revocable nor shared.
fn of_use(resources: &Resources, role: &Role) -> Quantities {
    let is_of_use = |one: &reeve_model::Resource| {
        let own = one.allocation.as_ref().is_none_or(|allocation| allocation == role);
        own && !one.is_reserved() && !one.revocable && !one.shared
    };
    resources.filter(is_of_use).quantities()
}

/// Whether something of what is missing would come.
fn helps(missing: &Quantities, gives: &Quantities) -> bool {
    missing.iter().any(|(name, _)| gives.get(name).is_positive())
}
