//! UPDATE_MAINTENANCE_SCHEDULE, START_MAINTENANCE, STOP_MAINTENANCE (MO-14).

use std::collections::VecDeque;

use super::{Pending, Plan};
use crate::answer::{Answer, Refusal};
use crate::effect::{Effect, Mutation};
use crate::event::{MaintenanceChange, RequestId};
use crate::master::Master;
use crate::step::Step;
use crate::view::Change;

impl Master {
    /// Takes in what an earlier leader wrote down, before any agent is back.
    pub(crate) fn recover_machines(
        &mut self,
        step: &mut Step<'_>,
        windows: Vec<reeve_model::Window>,
        machines: Vec<reeve_model::Machine>,
    ) {
        self.machines.recover(windows, machines);
        self.show_machines(step);
    }

    /// An operator plans, begins or ends maintenance. Changes follow each other: each is checked
    /// against what the one before has made.
    pub(crate) fn maintenance_asked(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        change: MaintenanceChange,
    ) {
        if let Some(waiting) = &mut self.machines.waiting {
            return waiting.push_back((request, change));
        }
        match self.machines.plan.changed(change) {
            Ok(plan) => self.write_plan(step, request, plan, VecDeque::new()),
            Err(refusal) => refuse(step, request, refusal),
        }
    }

    fn write_plan(
        &mut self,
        step: &mut Step<'_>,
        request: RequestId,
        plan: Plan,
        waiting: VecDeque<(RequestId, MaintenanceChange)>,
    ) {
        self.machines.waiting = Some(waiting);
        let before = &self.machines.plan.machines;
        let changed = plan.machines.values().filter(|one| before.get(&one.id) != Some(*one));
        let gone = before.keys().filter(|id| !plan.machines.contains_key(*id));
        let mutation = Mutation::Maintain {
            windows: plan.windows.clone(),
            machines: changed.cloned().collect(),
            up: gone.cloned().collect(),
        };
        self.persist(step, mutation, Pending { request, plan });
    }

    /// New maintenance is durable.
    pub(crate) fn maintenance_written(&mut self, step: &mut Step<'_>, pending: Pending) {
        let Pending { request, plan } = pending;
        let before = std::mem::replace(&mut self.machines.plan, plan);
        self.show_machines(step);
        self.machines_changed(step, &before);
        step.push(Effect::Answer(request, Answer::Done));
        let mut waiting = self.machines.waiting.take().unwrap_or_default();
        while let Some((request, change)) = waiting.pop_front() {
            match self.machines.plan.changed(change) {
                Ok(plan) => return self.write_plan(step, request, plan, waiting),
                Err(refusal) => refuse(step, request, refusal),
            }
        }
    }

    fn show_machines(&self, step: &mut Step<'_>) {
        let Plan { windows, machines } = self.machines.plan.clone();
        step.changed(Change::Maintenance(windows, machines));
    }
}

fn refuse(step: &mut Step<'_>, request: RequestId, refusal: Refusal) {
    step.push(Effect::Answer(request, Answer::Refused(refusal)));
}
