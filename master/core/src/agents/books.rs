//! One agent's books: what is free of what it has.

use std::time::Duration;

use reeve_model::{Conversion, ConversionError, Reservation, Resource, Resources};
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use super::Agent;
use crate::allocation;
use crate::master::Master;
use crate::step::Step;

impl Agent {
    /// Whether all of this may be offered now. Shared volumes may be offered over and over.
    pub fn has_free(&self, resources: &Resources) -> bool {
        let plain = resources.unallocated();
        self.free.contains(&plain.non_shared()) && self.own.contains(&plain.shared())
    }

    /// This is offered or used from now on.
    pub fn take(&mut self, resources: &Resources) {
        self.free -= resources.unallocated().non_shared();
    }

    /// This is used from now on, whether it is there or not.
    pub fn owe(&mut self, resources: &Resources) {
        let plain = resources.unallocated().non_shared();
        let missing = &plain - &self.free;
        self.debt += &missing;
        self.free -= plain;
    }

    /// This is neither offered nor used any longer.
    pub fn give(&mut self, resources: &Resources) {
        let mut plain = resources.unallocated().non_shared();
        if !self.debt.is_empty() {
            let rest = &plain - &self.debt;
            self.debt -= plain;
            plain = rest;
        }
        self.free += plain;
    }

    /// The agent has something else from now on.
    pub fn retotal(&mut self, own: Resources, oversubscribed: Resources) {
        let held = self.total().non_shared() + &self.debt - &self.free;
        self.own = own;
        self.oversubscribed = oversubscribed;
        let total = self.total().non_shared();
        self.free = &total - &held;
        self.debt = held - total;
    }

    /// Offered or free resources become others, and with them the agent's own.
    ///
    /// # Errors
    /// If the agent does not have what is to go.
    pub fn convert(&mut self, conversion: &Conversion) -> Result<(), ConversionError> {
        self.own = self.own.apply(&conversion.unallocated())?;
        Ok(())
    }

    /// What the agent must keep in mind itself: dynamic reservations and volumes.
    pub fn checkpointed(&self) -> Resources {
        self.own.filter(|one| one.is_persistent() || is_dynamic(one))
    }
}

fn is_dynamic(resource: &Resource) -> bool {
    resource.reservations.iter().any(Reservation::is_dynamic)
}

impl Master {
    /// Resources of an agent are free again; `filter` is for how long the framework does not want
    /// them.
    pub(crate) fn recover(
        &mut self,
        step: &mut Step<'_>,
        framework: FrameworkIx,
        agent: AgentIx,
        resources: Resources,
        filter: Option<Duration>,
    ) {
        if resources.is_empty() {
            return;
        }
        if let Some(agent) = self.agents.get_mut(agent) {
            agent.give(&resources);
        }
        step.allocation(allocation::Event::Recover { framework, agent, resources, filter });
    }
}
