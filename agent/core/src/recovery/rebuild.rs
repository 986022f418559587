//! From checkpoints to a running agent (RC-3 to RC-6).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use reeve_machine::Tick;
use reeve_model::{AgentId, AgentInfo, ExecutorId, FrameworkId, Reason, StatusUpdate, TaskState};

use super::sameness::Differences;
use super::{Fate, Logged, Recovered, RecoveredExecutor, RecoveredFramework, RecoveredTask};
use crate::agent::{Agent, Timer};
use crate::effect::{Effect, Record};
use crate::executors::{Batch, Cause, Executor, State};
use crate::frameworks::Framework;
use crate::options::Recover;
use crate::paths;
use crate::registration::Registration;
use crate::step::{Step, Waiting, Whose};
use crate::tasks::Task;
use crate::updates::{Home, Key};
use crate::view::{Change, Recovery, Stage};

impl Agent {
    /// Checkpoints were read.
    pub(crate) fn recover(&mut self, step: &mut Step<'_>, found: Recovered) {
        let Registration::Recovering { read, .. } = &mut self.registration else { return };
        if std::mem::replace(read, true) {
            return;
        }
        for path in found.leftovers {
            self.collector.schedule(step.now, path);
        }
        self.counters.recovery_errors += found.errors;
        self.checkpointed = found.resources;
        step.change(Change::Checkpointed(self.checkpointed.clone()));
        if let Some(agent) = found.agent
            && let Some(id) = agent.id.clone()
        {
            let differences =
                Differences::between(&agent, &self.info, self.options.reconfiguration);
            if differences.refused.is_empty() || self.options.recover == Recover::Cleanup {
                for difference in differences.allowed {
                    step.emit(Effect::Notice(format!("this agent's {difference}")));
                }
                self.drain_found(step, found.drain);
                self.resume_as(step, &id, found.frameworks, found.rebooted);
            } else if found.rebooted {
                // Nothing of the old agent can run: it may as well be another one.
                self.start_anew(step, &id);
            } else {
                step.emit(Effect::Fail(incompatible(&id, &differences.refused)));
            }
        }
        if self.options.recover == Recover::Cleanup {
            return self.leave(
                step,
                "all that ran here is ended, as --recover=cleanup".to_owned(),
                true,
            );
        }
        self.tell_standing(step);
        self.finish_recovery_if_settled(step);
    }

    fn start_anew(&mut self, step: &mut Step<'_>, old: &AgentId) {
        let path = format!("slaves/{old}");
        self.collector.schedule(step.now, paths::meta(&path));
        self.collector.schedule(step.now, path);
    }

    fn resume_as(
        &mut self,
        step: &mut Step<'_>,
        id: &AgentId,
        frameworks: Vec<RecoveredFramework>,
        rebooted: bool,
    ) {
        self.info = Arc::new(AgentInfo { id: Some(id.clone()), ..(*self.info).clone() });
        // Also what has not changed: with it stands in which boot of the machine that is so.
        let record = Record::Agent(self.info.clone());
        self.writes.write(step, record, Waiting::Agent);
        let mut fates = Vec::new();
        for framework in frameworks {
            self.rebuild_framework(step, id, framework, &mut fates);
        }
        for (whose, fate) in fates {
            self.settle(step, whose, fate, rebooted);
        }
        self.tell_if_too_small(step);
        let frameworks: Vec<FrameworkId> = self.frameworks.keys().cloned().collect();
        for framework in frameworks {
            self.framework_if_over(step, &framework);
        }
        if let Registration::Recovering { awaiting, .. } = &self.registration
            && !awaiting.is_empty()
        {
            let late = step.now + self.options.executor_reregistration_timeout;
            self.timers.set(Timer::Recovery, late);
        }
    }

    /// Says so if what runs here was promised more than there is now.
    fn tell_if_too_small(&self, step: &mut Step<'_>) {
        let used = self.load();
        if !self.info.resources.quantities().contains(&used.quantities()) {
            let total = &self.info.resources;
            step.emit(Effect::Notice(format!(
                "what runs here was given '{used}' and the agent has no more than '{total}'; it \
                 runs on, and what it has too much is not offered again"
            )));
        }
    }

    fn rebuild_framework(
        &mut self,
        step: &mut Step<'_>,
        agent: &AgentId,
        found: RecoveredFramework,
        fates: &mut Vec<(Whose, Fate)>,
    ) {
        let Some(id) = found.info.id.clone() else {
            self.counters.recovery_errors += 1;
            return;
        };
        let framework = Framework { saved: true, ..Framework::new(found.info.clone(), found.pid) };
        self.frameworks.insert(id.clone(), framework);
        step.change(Change::Framework(found.info));
        for executor in found.executors {
            self.rebuild_executor(step, agent, &id, executor, fates);
        }
    }

    fn rebuild_executor(
        &mut self,
        step: &mut Step<'_>,
        agent: &AgentId,
        framework: &FrameworkId,
        found: RecoveredExecutor,
        fates: &mut Vec<(Whose, Fate)>,
    ) {
        let id = found.info.id.clone();
        let mut executor = Executor {
            sandbox: paths::sandbox(agent, framework, &id, &found.container),
            container: found.container.clone(),
            process: None,
            state: State::Registering,
            tasks: BTreeMap::new(),
            queue: VecDeque::new(),
            granted: found.info.resources.clone(),
            checkpoint: true,
            used: false,
            status: None,
            strangers: found.strangers,
            info: found.info,
        };
        if found.over {
            return self.bury(step, framework, &executor);
        }
        for task in found.tasks {
            self.rebuild_task(framework, &mut executor, &task);
        }
        executor.granted = executor.needs();
        if let Fate::Alive(process) = found.fate {
            executor.process = Some(process);
            // Others come back by themselves.
            found.driver.into_iter().for_each(|pid| step.emit(Effect::Reconnect(pid)));
            step.emit(Effect::Remind(executor.container.clone(), executor.allowance()));
        }
        self.containers.insert(found.container, (framework.clone(), id.clone()));
        let rows: Vec<_> = executor.tasks.values().map(Task::row).collect();
        if let Some(owner) = self.frameworks.get_mut(framework) {
            owner.tasks.extend(executor.tasks.keys().map(|task| (task.clone(), id.clone())));
            owner.executors.insert(id.clone(), executor);
        }
        self.tell_executor(step, framework, &id);
        for row in rows {
            step.change(Change::Task(framework.clone(), id.clone(), row));
        }
        fates.push(((framework.clone(), id), found.fate));
    }

    /// A task and its updates. One without any update may never have reached its executor: it
    /// waits in the queue until the executor says that it has it.
    fn rebuild_task(
        &mut self,
        framework: &FrameworkId,
        executor: &mut Executor,
        found: &RecoveredTask,
    ) {
        let id = found.info.id.clone();
        let home: Home = (executor.info.id.clone(), executor.container.clone());
        let key: Key = (framework.clone(), id.clone());
        if !self.updates.replay(key, home, &found.log) {
            // Terminal and acknowledged.
            executor.used = true;
            return;
        }
        let mut task = Task::new(found.info.clone(), false, None);
        for update in updates(&found.log) {
            if task.stage != Stage::Terminated {
                task.stage = Stage::Launched;
                task.take(update.clone());
            }
        }
        if task.stage == Stage::Queued {
            executor.queue.push_back(Batch { tasks: vec![id.clone()], grouped: false });
        } else {
            executor.used = true;
        }
        executor.tasks.insert(id, task);
    }

    /// What became of an executor: either it is waited for, or it is over.
    fn settle(&mut self, step: &mut Step<'_>, whose: Whose, fate: Fate, rebooted: bool) {
        let Some(executor) = self.executor(&whose.0, &whose.1) else { return };
        let container = executor.container.clone();
        match fate {
            Fate::Alive(_) => {
                if let Registration::Recovering { awaiting, .. } = &mut self.registration {
                    awaiting.insert(whose);
                }
            }
            Fate::Ended(ending) if !rebooted || ending.status.is_some() => {
                self.container_ended(step, &container, &ending);
            }
            Fate::Ended(_) | Fate::Unknown if rebooted => {
                let cause = Cause {
                    state: self.lost_in(&whose.0, TaskState::Gone),
                    reason: Reason::AgentRestarted,
                    message: "Agent rebooted".to_owned(),
                };
                self.gone(step, &container, Some(cause), None);
            }
            Fate::Ended(_) | Fate::Unknown => {
                let cause = Cause {
                    state: TaskState::Failed,
                    reason: Reason::ExecutorTerminated,
                    message: "Abnormal executor termination: unknown container".to_owned(),
                };
                self.gone(step, &container, Some(cause), None);
            }
        }
    }

    /// An executor that outlived the agent is back, or gone for good.
    pub(crate) fn survivor_settled(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) {
        if let Registration::Recovering { read: true, awaiting } = &mut self.registration
            && awaiting.remove(&(framework.clone(), executor.clone()))
        {
            self.finish_recovery_if_settled(step);
        }
    }

    /// Survivors had their chance.
    pub(crate) fn survivors_late(&mut self, step: &mut Step<'_>) {
        let Registration::Recovering { awaiting, .. } = &mut self.registration else { return };
        for (framework, executor) in std::mem::take(awaiting) {
            if let Some(executor) = self.executor(&framework, &executor) {
                let container = executor.container.clone();
                self.resubscription_late(step, &container);
            }
        }
        self.finish_recovery_if_settled(step);
    }

    fn finish_recovery_if_settled(&mut self, step: &mut Step<'_>) {
        if let Registration::Recovering { read: true, awaiting } = &self.registration
            && awaiting.is_empty()
        {
            self.timers.cancel(&Timer::Recovery);
            let (took, errors) = (step.now.since(Tick::ZERO), self.counters.recovery_errors);
            step.change(Change::Recovered(Recovery { took, errors }));
            self.seek(step);
            self.drain_again(step);
        }
    }
}

fn incompatible(id: &AgentId, refused: &[String]) -> String {
    format!(
        "Incompatible agent info detected: {}. Undo that; or set --reconfiguration_policy=any to \
         let it pass and keep the id {id} and all that runs; or end all that runs with \
         --recover=cleanup, once, to join as a new agent after that",
        refused.join("; ")
    )
}

fn updates(log: &[Logged]) -> impl Iterator<Item = &Arc<StatusUpdate>> {
    log.iter().filter_map(|record| match record {
        Logged::Update(update) => Some(update),
        Logged::Acknowledged(_) => None,
    })
}
