//! The invariants of the books, for simulations and property tests. Far too slow for anything else.

use std::collections::BTreeMap;

use reeve_model::Resources;
use reeve_module_sdk::allocator::{AgentIx, FrameworkIx};

use crate::agents::{Agent, State};
use crate::inverse_offers::Talk;
use crate::master::Master;
use crate::tasks::Tally;

impl Master {
    /// Looks everything through.
    ///
    /// # Errors
    /// The first invariant that does not hold, with the ids concerned.
    pub fn check(&self) -> Result<(), String> {
        for (ix, agent) in self.agents.iter() {
            self.check_index(ix, agent)?;
            self.check_books(ix, agent)?;
            self.check_tally(agent)?;
        }
        self.check_offers()?;
        self.check_inverse_offers()?;
        self.check_tasks()?;
        self.check_frameworks()
    }

    /// free + offered + used = total, but for what the agent has lost meanwhile.
    fn check_books(&self, ix: AgentIx, agent: &Agent) -> Result<(), String> {
        let mut held = Resources::new();
        for number in &agent.offers {
            let live = self.offers.get(*number).ok_or(format!("{number:?} is no offer"))?;
            held += live.offer.resources.unallocated().non_shared();
        }
        for tx in &agent.tasks {
            let task = self.tasks.get(*tx).ok_or(format!("{tx:?} is no task"))?;
            if task.agent != ix {
                return Err(format!("task {} is on another agent than {}", task.id, agent.id));
            }
            if !task.state.is_terminal() {
                held += task.resources.unallocated().non_shared();
            }
        }
        for executor in agent.executors.values() {
            held += executor.resources.unallocated().non_shared();
        }
        let has = agent.total().non_shared() + &agent.debt;
        let accounted = &agent.free + &held;
        if has != accounted {
            return Err(format!(
                "agent {}: total {} and debt {} are not free {} and held {held}",
                agent.id,
                agent.total(),
                agent.debt,
                agent.free
            ));
        }
        Ok(())
    }

    /// What the allocation machine is told of tasks is a count of them.
    fn check_tally(&self, agent: &Agent) -> Result<(), String> {
        let mut recount = Tally::default();
        for task in agent.tasks.iter().filter_map(|tx| self.tasks.get(*tx)) {
            if !task.state.is_terminal() {
                recount.add(task.framework, task.role());
            }
        }
        if recount == agent.tally {
            return Ok(());
        }
        Err(format!("agent {}: {:?} are counted, there are {recount:?}", agent.id, agent.tally))
    }

    fn check_index(&self, ix: AgentIx, agent: &Agent) -> Result<(), String> {
        if self.agents.find(&agent.id) != Some(ix) {
            return Err(format!("agent {} is not found by its id", agent.id));
        }
        // One that is not connected may have lost its address to a newcomer.
        if agent.state == State::Connected && self.agents.at(&agent.pid) != Some(ix) {
            return Err(format!("agent {} is not found at {}", agent.id, agent.pid));
        }
        if self.agents.is_awaited(&agent.id) || self.agents.unreachable(&agent.id).is_some() {
            return Err(format!("agent {} is registered and missed at once", agent.id));
        }
        if self.agents.deactivation(&agent.id) != agent.deactivated.as_ref() {
            return Err(format!("agent {} is out of use only in part", agent.id));
        }
        Ok(())
    }

    fn check_offers(&self) -> Result<(), String> {
        for (number, live) in self.offers.iter() {
            let id = &live.offer.id;
            let agent = self.agents.get(live.agent);
            let agent = agent.filter(|agent| agent.is_active());
            let agent = agent.ok_or(format!("offer {id} names an agent that is not active"))?;
            let framework = self.frameworks.get(live.framework).filter(|f| f.is_active());
            let framework =
                framework.ok_or(format!("offer {id} names a framework that is not active"))?;
            if !agent.offers.contains(number) || !framework.offers.contains(number) {
                return Err(format!("offer {id} is unknown to its agent or framework"));
            }
        }
        Ok(())
    }

    /// Who has something on an agent with maintenance ahead is asked about it, or was; nobody else.
    fn check_inverse_offers(&self) -> Result<(), String> {
        for (ix, fx, talk) in self.inverse_offers.iter() {
            let agent = self.agents.get(ix).ok_or(format!("{fx:?} is asked about no agent"))?;
            let framework = self.frameworks.get(fx).filter(|framework| framework.is_active());
            framework.ok_or(format!("{fx:?} is asked about {} and is not active", agent.id))?;
            let Talk::Asked(offer) = talk else { continue };
            if !agent.is_active() || self.unavailability_of(ix) != Some(offer.unavailability) {
                return Err(format!("{} is asked about although it is not to go", agent.id));
            }
            if self.inverse_offers.find(&offer.id) != Some((ix, fx)) {
                return Err(format!("inverse offer {} is not found by its id", offer.id));
            }
        }
        for (ix, agent) in self.agents.iter().filter(|(_, agent)| agent.is_active()) {
            for (_, fx) in self.to_ask_about(ix) {
                let active = self.frameworks.get(fx).is_some_and(|one| one.is_active());
                if active && self.inverse_offers.get(ix, fx).is_none() {
                    return Err(format!("{fx:?} is not asked about {}", agent.id));
                }
            }
        }
        Ok(())
    }

    fn check_tasks(&self) -> Result<(), String> {
        for (tx, task) in self.tasks.iter() {
            let framework = self.frameworks.get(task.framework);
            let framework = framework.ok_or(format!("task {} has no framework", task.id))?;
            if framework.tasks.get(&task.id) != Some(&tx) {
                return Err(format!("task {} is unknown to its framework", task.id));
            }
            let agent = self.agents.get(task.agent);
            if !agent.is_some_and(|agent| agent.tasks.contains(&tx)) {
                return Err(format!("task {} is unknown to its agent", task.id));
            }
            if framework.unreachable.contains_key(&task.id) {
                return Err(format!("task {} is tracked and unreachable at once", task.id));
            }
        }
        Ok(())
    }

    fn check_frameworks(&self) -> Result<(), String> {
        let mut places = BTreeMap::<(FrameworkIx, AgentIx), u32>::new();
        for (_, task) in self.tasks.iter() {
            *places.entry((task.framework, task.agent)).or_default() += 1;
        }
        for (ix, agent) in self.agents.iter() {
            for (fx, _) in agent.executors.keys() {
                *places.entry((*fx, ix)).or_default() += 1;
            }
        }
        for (fx, framework) in self.frameworks.iter() {
            if self.frameworks.find(&framework.id) != Some(fx) {
                return Err(format!("framework {} is not found by its id", framework.id));
            }
            if self.frameworks.is_completed(&framework.id) {
                return Err(format!("framework {} lives and is completed", framework.id));
            }
            for (ix, count) in &framework.agents {
                let there = places.remove(&(fx, *ix)).unwrap_or(0);
                if there != *count {
                    return Err(format!(
                        "framework {} counts {count} tasks and executors on {ix:?}, there are \
                         {there}",
                        framework.id
                    ));
                }
            }
            let all_tracked = framework.tasks.values().all(|tx| self.tasks.get(*tx).is_some());
            if !all_tracked {
                return Err(format!("framework {} has a task that is not tracked", framework.id));
            }
        }
        for (stream, id) in &self.frameworks.opening {
            if !self.frameworks.waiting.contains_key(id) {
                return Err(format!("{stream:?} waits for {id}, which nothing is written about"));
            }
        }
        match places.first_key_value() {
            None => Ok(()),
            Some(((fx, ix), _)) => Err(format!("{fx:?} is on {ix:?} and does not know it")),
        }
    }
}
