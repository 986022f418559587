//! What must be once things had time to settle: schedulers and the leader's readers take for true
//! what executors know (M5), what drains is empty (G7), and in the end nothing is left.

use std::collections::BTreeSet;

use reeve_model::{AgentId, Deactivation, FrameworkId, TaskId};

use crate::cluster::Cluster;

type Tasks = BTreeSet<(FrameworkId, TaskId)>;

/// The live tasks, as each takes them for such.
struct Beliefs {
    /// Executors.
    run: Tasks,
    /// The leader's readers.
    read: Tasks,
    /// Schedulers.
    wanted: Tasks,
}

impl Beliefs {
    /// Those of which not all say the same.
    fn doubtful(&self) -> Tasks {
        let mut doubtful: Tasks = self.run.symmetric_difference(&self.read).cloned().collect();
        doubtful.extend(self.run.symmetric_difference(&self.wanted).cloned());
        doubtful
    }
}

impl Cluster {
    /// Notes the tasks of which not all say the same; what is under way at this moment settles
    /// before the second look.
    pub(crate) fn look_at_views(&mut self, again: bool) {
        let Some(beliefs) = self.beliefs() else {
            return self.violated("liveness: nobody leads after a long peace".to_owned());
        };
        let doubtful = beliefs.doubtful();
        if !again {
            self.suspects = doubtful;
            return;
        }
        self.closing = true;
        if let Some(agent) = self.still_draining() {
            return self.violated(format!("G7: {agent} drains after a long peace"));
        }
        if let Some(found) = doubtful.intersection(&self.suspects).next() {
            let (framework, task) = found;
            let [runs, read, wanted] = [&beliefs.run, &beliefs.read, &beliefs.wanted]
                .map(|tasks| if tasks.contains(found) { "lives" } else { "is over" });
            self.violated(format!(
                "M5: {task} of {framework} {runs} for its executor, {read} for the leader, \
                 {wanted} for its scheduler"
            ));
        }
    }

    /// An agent that should be empty by now.
    fn still_draining(&self) -> Option<AgentId> {
        let term = self.masters[self.leading()?].term.as_deref()?;
        let readers = term.view.snapshot();
        let mut agents = readers.agents.values().map(|agent| &agent.record);
        let drains = |deactivation: Deactivation| deactivation.is_draining();
        let found = agents.find(|agent| agent.deactivated.is_some_and(drains))?;
        Some(found.id.clone())
    }

    fn beliefs(&self) -> Option<Beliefs> {
        let term = self.masters[self.leading()?].term.as_deref()?;
        let frameworks: BTreeSet<FrameworkId> =
            self.schedulers.iter().filter_map(|one| one.info.id.clone()).collect();
        let run: Tasks = self
            .executors
            .values()
            .filter(|executor| frameworks.contains(&executor.framework))
            .flat_map(|one| one.live().into_iter().map(|task| (one.framework.clone(), task)))
            .collect();
        let readers = term.view.snapshot();
        let mut read = Tasks::new();
        for (id, framework) in &readers.frameworks {
            let live = framework.tasks.iter().filter(|(_, task)| !task.state.is_terminal());
            read.extend(live.map(|(task, _)| (id.clone(), task.clone())));
        }
        read.retain(|(framework, _)| frameworks.contains(framework));
        Some(Beliefs { run, read, wanted: self.wanted_tasks() })
    }

    /// Tasks that run, as their schedulers have heard.
    fn wanted_tasks(&self) -> Tasks {
        let agents: BTreeSet<AgentId> =
            self.agents.iter().filter_map(|agent| agent.core.info().id.clone()).collect();
        let mut wanted = Tasks::new();
        for scheduler in &self.schedulers {
            let Some(id) = &scheduler.info.id else { continue };
            let live = scheduler.tasks.iter().filter(|(_, known)| !known.settled(&agents));
            wanted.extend(live.map(|(task, _)| (id.clone(), task.clone())));
        }
        wanted
    }

    /// After a long peace every task is settled, and known to be (M3, M7, S2), and executors that
    /// did not come back to their agent were ended (G2).
    pub(crate) fn judge_liveness(&self) -> Result<(), String> {
        if let Some(executor) = self.executors.values().find(|executor| executor.hangs) {
            return Err(format!("G2: executor {} hangs, and nobody ended it", executor.id));
        }
        let agents: BTreeSet<_> =
            self.agents.iter().filter_map(|agent| agent.core.info().id.clone()).collect();
        for scheduler in self.schedulers.iter().filter(|scheduler| !scheduler.over) {
            for (id, known) in &scheduler.tasks {
                if !known.settled(&agents) {
                    return Err(format!("liveness: {id} is still {known:?} after a long peace"));
                }
            }
        }
        Ok(())
    }

    /// When all frameworks are gone, so is everything else (M8, S5).
    pub(crate) fn judge_end(&self) -> Result<(), String> {
        let leader = self.leading().ok_or("nobody leads")?;
        let term = self.masters[leader].term.as_deref().ok_or("nobody leads")?;
        let readers = term.view.snapshot();
        if let Some(framework) = readers.frameworks.keys().next() {
            return Err(format!("M8: framework {framework} is still there"));
        }
        if !term.ledger.is_settled() {
            return Err("M8: not all resources came back".to_owned());
        }
        for (number, agent) in self.agents.iter().enumerate() {
            if !agent.core.is_idle() {
                return Err(format!("agent {number} is not idle: {:?}", agent.core));
            }
        }
        match self.executors.values().next() {
            Some(executor) => Err(format!("executor {} is left behind", executor.id)),
            None => Ok(()),
        }
    }
}
