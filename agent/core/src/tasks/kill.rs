//! A task is to be killed (FL-11).

use reeve_model::{ExecutorId, FrameworkId, KillPolicy, Reason, TaskId, TaskState};

use crate::agent::Agent;
use crate::effect::ToExecutor;
use crate::executors::{Cause, State};
use crate::step::Step;
use crate::view::Stage;

impl Agent {
    /// `KillTaskMessage`. A task its executor never got is killed here, with its group; others are
    /// their executor's to kill.
    pub(crate) fn kill(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        task: &TaskId,
        policy: Option<KillPolicy>,
    ) {
        let owner = self.frameworks.get_mut(framework);
        let Some(owner) = owner else { return self.kill_unknown(step, framework, task) };
        if owner.ending {
            return;
        }
        let Some(id) = owner.tasks.get(task).cloned() else {
            return self.kill_unknown(step, framework, task);
        };
        let Some(executor) = owner.executors.get_mut(&id) else { return };
        let Some(known) = executor.tasks.get_mut(task) else { return };
        match known.stage {
            Stage::Queued => self.kill_queued(step, framework, &id, task),
            Stage::Launched => {
                known.kill = Some(policy);
                if matches!(executor.state, State::Running { .. }) {
                    let message = ToExecutor::Kill(task.clone(), policy);
                    self.to_executor(step, framework, &id, message);
                }
            }
            // Its end is on its way to the framework.
            Stage::Terminated | Stage::Completed => {}
        }
    }

    fn kill_queued(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
        task: &TaskId,
    ) {
        let Some(executor) = self.executor_mut(framework, id) else { return };
        let killed = executor.unqueue(task);
        let message = "Killed before delivered to the executor";
        let cause = Cause::new(TaskState::Killed, Reason::TaskKilledDuringLaunch, message);
        for task in killed {
            self.report(step, framework, &task, &cause);
        }
        self.shutdown_if_idle(step, framework, id);
    }

    /// An executor whose every task was taken back before it got one has nothing to do.
    pub(crate) fn shutdown_if_idle(
        &mut self,
        step: &mut Step<'_>,
        framework: &FrameworkId,
        id: &ExecutorId,
    ) {
        let Some(executor) = self.executor(framework, id) else { return };
        let live = executor.tasks.values().any(|task| task.stage != Stage::Terminated);
        if !live && !executor.used {
            self.shutdown_executor(step, framework, id, None);
        }
    }

    /// The framework asks for the death of what is not here, so it must be told.
    fn kill_unknown(&mut self, step: &mut Step<'_>, framework: &FrameworkId, task: &TaskId) {
        if self.updates.has(&(framework.clone(), task.clone())) {
            return;
        }
        let state = self.lost_in(framework, TaskState::Dropped);
        let cause = Cause::new(state, Reason::ExecutorTerminated, "Unable to find executor");
        self.report_stray(step, framework, task, &cause);
    }
}
