//! The agent is to be emptied (AM-8, MN-3): it kills what runs, and says why.

use reeve_model::{DrainConfig, FrameworkId, KillPolicy, Reason, TaskId, TaskState, TaskStatus};

use crate::agent::Agent;
use crate::effect::Record;
use crate::registration::Registration;
use crate::step::{Step, Waiting};
use crate::view::{Change, Stage};

impl Agent {
    /// `DrainSlaveMessage`. Nothing is killed before it is durable that the agent is emptied: what
    /// ends is to be told why, whatever becomes of the agent meanwhile. Masters repeat the message
    /// whenever the agent comes back, so one that has nothing left forgets it.
    pub(crate) fn drain(&mut self, step: &mut Step<'_>, config: DrainConfig) {
        let hears = matches!(
            self.registration,
            Registration::Enrolling { .. } | Registration::Registered { .. }
        );
        if !hears || self.is_empty() {
            return;
        }
        self.draining = Some(config);
        self.writes.write(step, Record::Drain(Some(config)), Waiting::Drain);
        step.change(Change::Draining(Some((config, step.wall))));
    }

    /// That the agent is emptied is as durable as it will be: a full disk does not keep tasks
    /// alive, since the master asks again.
    pub(crate) fn drain_saved(&mut self, step: &mut Step<'_>) {
        self.kill_all(step);
    }

    /// The agent was being emptied when it ended. What is killed is killed once survivors are
    /// back: before, it is not known which tasks they have.
    pub(crate) fn drain_found(&mut self, step: &mut Step<'_>, config: Option<DrainConfig>) {
        self.draining = config;
        step.change(Change::Draining(config.map(|config| (config, step.wall))));
    }

    /// Goes on with the emptying that an earlier life of the agent began.
    pub(crate) fn drain_again(&mut self, step: &mut Step<'_>) {
        self.kill_all(step);
        self.drained_if_empty(step);
    }

    fn kill_all(&mut self, step: &mut Step<'_>) {
        let Some(config) = self.draining else { return };
        for (framework, task, policy) in self.running(config) {
            self.kill(step, &framework, &task, policy);
        }
    }

    /// The tasks that have not ended, and how each is to be killed.
    fn running(&self, config: DrainConfig) -> Vec<(FrameworkId, TaskId, Option<KillPolicy>)> {
        let mut all = Vec::new();
        for (id, framework) in &self.frameworks {
            for task in framework.executors.values().flat_map(|executor| executor.tasks.values()) {
                if matches!(task.stage, Stage::Queued | Stage::Launched) {
                    let grace = config.grace(task.info.kill_grace);
                    let policy = grace.map(|grace| KillPolicy { grace: Some(grace) });
                    all.push((id.clone(), task.info.id.clone(), policy));
                }
            }
        }
        all
    }

    /// Ends the emptying if every task ended and its framework knows.
    pub(crate) fn drained_if_empty(&mut self, step: &mut Step<'_>) {
        if self.draining.is_some() && self.is_empty() {
            self.draining = None;
            self.writes.write(step, Record::Drain(None), Waiting::Nothing);
            step.change(Change::Draining(None));
        }
    }

    /// Executors without tasks may stay: masters do not wait for them.
    fn is_empty(&self) -> bool {
        self.frameworks.values().all(|framework| framework.tasks.is_empty())
    }

    /// What dies while the agent is emptied is said to die of that. If the agent is never to come
    /// back, its tasks are gone, for frameworks that know the word. (Mesos says so when a task has
    /// only begun to end, and then never again; here KILLING stays what it is.)
    pub(crate) fn blame_drain(&self, framework: &FrameworkId, status: &mut TaskStatus) {
        let Some(config) = self.draining else { return };
        if !matches!(status.state, TaskState::Killing | TaskState::Killed) {
            return;
        }
        status.reason = Some(Reason::AgentDraining);
        let aware = self
            .frameworks
            .get(framework)
            .is_some_and(|owner| owner.info.capabilities.partition_aware());
        if config.mark_gone && aware && status.state == TaskState::Killed {
            status.state = TaskState::GoneByOperator;
        }
    }
}
