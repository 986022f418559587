//! The machine's part in the checks of its task: they run while the task does, and end with the
//! first attempt to stop it.

use std::time::Duration;

use reeve_wire::v1::task_status::Reason;
use reeve_wire::v1::{TaskId, TaskState, TaskStatus};

use super::{Effect, Executor, Stamp, Stop, Task};
use crate::checks::{Checks, Due, Kind, Outcome, Verdict};

impl<S: FnMut() -> Stamp> Executor<S> {
    /// Begins and gives up probes whose time has come.
    pub(super) fn meet_checks(&mut self, now: Duration, out: &mut Vec<Effect>) {
        while let Some(due) = self.checks().and_then(|checks| checks.due(now)) {
            match due {
                Due::Begin(check, probe) => {
                    out.push(Effect::Probe { check, probe: Box::new(probe) });
                }
                Due::Abandon(check, verdict) => {
                    out.push(Effect::Abandon(check));
                    self.follow(now, verdict, out);
                }
            }
        }
    }

    pub(super) fn probed(
        &mut self,
        now: Duration,
        check: Kind,
        outcome: &Outcome,
        out: &mut Vec<Effect>,
    ) {
        if let Some(checks) = self.checks() {
            let verdict = checks.probed(now, check, outcome);
            self.follow(now, verdict, out);
        }
    }

    /// An update of a running task, with what its checks say.
    pub(super) fn running_status(
        &mut self,
        id: &TaskId,
        message: Option<&str>,
        reason: Option<Reason>,
    ) -> TaskStatus {
        let mut status = self.status(id, TaskState::TaskRunning, message, reason);
        if let Some(checks) = self.checks() {
            checks.describe(&mut status);
        }
        status
    }

    fn follow(&mut self, now: Duration, verdict: Verdict, out: &mut Vec<Effect>) {
        if let (Some((reason, message)), Some(id)) = (verdict.tell, self.current().cloned()) {
            let status = self.running_status(&id, message.as_deref(), Some(reason));
            self.update(status, out);
        }
        if let Some(why) = verdict.kill {
            self.stop(now, Stop::Unhealthy(why), None, out);
        }
    }

    /// The checks, as long as the task runs.
    fn checks(&mut self) -> Option<&mut Checks> {
        match &mut self.task {
            Task::Running { checks, .. } => Some(checks),
            Task::Waiting | Task::Starting { .. } | Task::Stopping { .. } | Task::Ended { .. } => {
                None
            }
        }
    }
}
