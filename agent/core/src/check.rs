//! Laws that hold between any two steps. Simulations and property tests ask for them; the daemon
//! does not, since they look at everything.

use std::collections::BTreeSet;

use reeve_model::{ContainerId, FrameworkId, Resources};

use crate::agent::Agent;
use crate::executors::{Executor, State};
use crate::frameworks::Framework;
use crate::paths;
use crate::step::Whose;
use crate::view::Stage;

impl Agent {
    /// Whether the agent's books are in order.
    ///
    /// # Errors
    /// The law that is broken, by its number in the design documents where it has one.
    pub fn check(&self) -> Result<(), String> {
        self.updates.check()?;
        for (id, framework) in &self.frameworks {
            check_framework(self, id, framework).map_err(|law| format!("framework {id}: {law}"))?;
        }
        for (container, whose) in &self.containers {
            let executor = self.executor(&whose.0, &whose.1);
            if executor.is_none_or(|executor| executor.container != *container) {
                return Err(format!("container {container} has no executor"));
            }
        }
        for (stream, whose) in &self.streams {
            let executor = self.executor(&whose.0, &whose.1);
            if executor.and_then(Executor::stream) != Some(*stream) {
                return Err(format!("stream {stream:?} is not that of {}", whose.1));
            }
        }
        check_collector(self)
    }

    /// What is running or about to be: containers that may have a process.
    pub fn live_containers(&self) -> BTreeSet<ContainerId> {
        let live = self.containers.iter().filter(|(_, whose)| {
            let executor = self.executor(&whose.0, &whose.1);
            executor.is_some_and(|executor| !matches!(executor.state, State::Preparing { .. }))
        });
        live.map(|(container, _)| container.clone()).collect()
    }

    /// What tasks and the frameworks' own executors may use together (G4: never more than the
    /// agent has, if its master keeps its books). What the agent adds for command executors is on
    /// top, as it is in Mesos, and so is what a framework that was ended holds until its executors
    /// are gone.
    pub fn load(&self) -> Resources {
        let mut load = Resources::new();
        let executors = self.frameworks.values().filter(|owner| !owner.ending);
        let executors = executors.flat_map(|owner| owner.executors.values());
        for executor in executors.filter(|one| one.state != State::Terminated) {
            let tasks = executor.tasks.values().filter(|task| task.stage != Stage::Terminated);
            tasks.for_each(|task| load += &task.info.resources);
            if !executor.is_command() {
                load += &executor.info.resources;
            }
        }
        load
    }

    /// Whether nothing is here and nothing waits: no framework, no update, no write.
    pub fn is_idle(&self) -> bool {
        self.frameworks.is_empty() && self.updates.len() == 0 && self.writes.len() == 0
    }
}

fn check_framework(agent: &Agent, id: &FrameworkId, framework: &Framework) -> Result<(), String> {
    if framework.executors.is_empty() {
        return Err("it is kept without an executor".to_owned());
    }
    for (task, executor) in &framework.tasks {
        let executor = framework.executors.get(executor);
        if !executor.is_some_and(|executor| executor.tasks.contains_key(task)) {
            return Err(format!("task {task} is with no executor"));
        }
    }
    for (name, executor) in &framework.executors {
        let whose = (id.clone(), name.clone());
        check_executor(agent, framework, &whose, executor)
            .map_err(|law| format!("executor {name}: {law}"))?;
    }
    Ok(())
}

fn check_executor(
    agent: &Agent,
    framework: &Framework,
    whose: &Whose,
    executor: &Executor,
) -> Result<(), String> {
    let contained = agent.containers.get(&executor.container) == Some(whose);
    if contained == (executor.state == State::Terminated) {
        return Err(format!("G2: in {:?}, but contained: {contained}", executor.state));
    }
    let queued: Vec<_> = executor.queue.iter().flat_map(|batch| &batch.tasks).collect();
    for (id, task) in &executor.tasks {
        if framework.tasks.get(id) != Some(&whose.1) {
            return Err(format!("task {id} is not known to be here"));
        }
        if (task.stage == Stage::Queued) != queued.contains(&id) {
            return Err(format!("task {id} is {:?}, which the queue does not say", task.stage));
        }
        let key = (whose.0.clone(), id.clone());
        let terminated = task.stage == Stage::Terminated;
        if terminated && !framework.ending && !agent.updates.has(&key) {
            return Err(format!("S2: task {id} is terminal and nobody is told"));
        }
        if !terminated && executor.state == State::Terminated && !framework.ending {
            return Err(format!("task {id} outlived its executor"));
        }
    }
    Ok(())
}

/// G6: nothing that is used, or around what is used, is deleted.
fn check_collector(agent: &Agent) -> Result<(), String> {
    let executors = agent.frameworks.values().flat_map(|owner| owner.executors.values());
    for executor in executors {
        let ends = executor.sandbox.match_indices('/').map(|(end, _)| end);
        for end in ends.chain([executor.sandbox.len()]) {
            let around = &executor.sandbox[..end];
            if agent.collector.has(around) || agent.collector.has(&paths::meta(around)) {
                return Err(format!("G6: {around} is to be deleted around a run"));
            }
        }
    }
    Ok(())
}
