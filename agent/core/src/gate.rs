//! Whether a call of an executor can be taken at all (§1.6), so that its HTTP answer need not wait
//! for the step that carries it out.

use reeve_model::{ContainerId, ExecutorId, FrameworkId};

use crate::agent::Agent;
use crate::event::StreamId;
use crate::executors::State;
use crate::registration::Registration;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 503: checkpoints are not read yet.
    #[error("Agent has not finished recovery")]
    Recovering,
    /// 400: no such framework here.
    #[error("Framework cannot be found")]
    NoFramework,
    /// 400: no such executor here.
    #[error("Executor cannot be found")]
    NoExecutor,
    /// 403: it has to SUBSCRIBE first.
    #[error("Executor is not subscribed")]
    NotSubscribed,
}

impl Refusal {
    /// The HTTP status Mesos answers with.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::Recovering => 503,
            Refusal::NoFramework | Refusal::NoExecutor => 400,
            Refusal::NotSubscribed => 403,
        }
    }
}

impl Agent {
    /// The connection of an executor.
    pub fn connection_of(
        &self,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> Option<StreamId> {
        self.executor(framework, executor)?.stream()
    }

    /// The container of an executor.
    pub fn container_of(
        &self,
        framework: &FrameworkId,
        executor: &ExecutorId,
    ) -> Option<&ContainerId> {
        self.executor(framework, executor).map(|executor| &executor.container)
    }

    /// Whether an executor's call can be taken. `subscribes` is true for SUBSCRIBE, which is what
    /// makes the other calls possible.
    ///
    /// # Errors
    /// What to answer instead.
    pub fn admits(
        &self,
        framework: &FrameworkId,
        executor: &ExecutorId,
        subscribes: bool,
    ) -> Result<(), Refusal> {
        if matches!(self.registration, Registration::Recovering { read: false, .. }) {
            return Err(Refusal::Recovering);
        }
        let framework = self.frameworks.get(framework).ok_or(Refusal::NoFramework)?;
        let executor = framework.executors.get(executor).ok_or(Refusal::NoExecutor)?;
        match executor.state {
            State::Terminated => Err(Refusal::NoExecutor),
            _ if subscribes || executor.stream().is_some() => Ok(()),
            _ => Err(Refusal::NotSubscribed),
        }
    }
}
