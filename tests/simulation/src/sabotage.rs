//! Errors put in on purpose, each what a forgotten or wrong line in a core would do. A simulation
//! that does not notice them proves nothing.

use reeve_agent_core::effect::{Effect as AgentEffect, Record, ToMaster};
use reeve_agent_core::recovery::{Fate, Recovered};
use reeve_master_core::Effect as MasterEffect;
use reeve_master_core::allocation;
use reeve_master_core::effect::ToAgent;

use reeve_model::TaskStatus;

use crate::cluster::Cluster;
use crate::executor::uuid;

/// What is done wrong, now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The master forgets to give resources back.
    ForgetsToRecover,
    /// The master gives resources back twice.
    RecoversTwice,
    /// The master forgets to count a task that ended.
    ForgetsToCount,
    /// The master sends a task to its agent twice.
    RunsTwice,
    /// The master does not tell a framework's agents of its end.
    ForgetsShutdown,
    /// The master does not tell an agent that it is to be emptied.
    ForgetsDrain,
    /// An agent passes an update on before it is durable.
    ReportsTooEarly,
    /// An agent starts an executor before its record is durable.
    SkipsExecutorRecord,
    /// An agent does not destroy what it should.
    ForgetsToDestroy,
    /// An agent tells an executor twice to run its task.
    DeliversTwice,
    /// An agent forgets which id it was given.
    ForgetsItsId,
    /// An agent does not know an update again that its executor repeats.
    TakesUpdatesTwice,
    /// A restarted agent overlooks a task of an executor that outlived it.
    OverlooksTask,
    /// A restarted agent overlooks what was reported of a task.
    OverlooksUpdates,
    /// A master that slept past the end of its lease goes on as if it had not.
    KeepsLeading,
    /// A leader takes a server's word for it that its session lives.
    RenewsByReading,
    /// The registry takes the writes of a leader of earlier times.
    IsNotFenced,
}

impl Sabotage {
    /// Every kind.
    pub const ALL: [Sabotage; 17] = [
        Sabotage::ForgetsToRecover,
        Sabotage::RecoversTwice,
        Sabotage::ForgetsToCount,
        Sabotage::RunsTwice,
        Sabotage::ForgetsShutdown,
        Sabotage::ForgetsDrain,
        Sabotage::ReportsTooEarly,
        Sabotage::SkipsExecutorRecord,
        Sabotage::ForgetsToDestroy,
        Sabotage::DeliversTwice,
        Sabotage::ForgetsItsId,
        Sabotage::TakesUpdatesTwice,
        Sabotage::OverlooksTask,
        Sabotage::OverlooksUpdates,
        Sabotage::KeepsLeading,
        Sabotage::RenewsByReading,
        Sabotage::IsNotFenced,
    ];
}

impl Cluster {
    /// Puts an error in.
    #[must_use]
    pub fn sabotaged(mut self, sabotage: Sabotage) -> Self {
        self.sabotage = Some(sabotage);
        if let Some(ensemble) = &mut self.ensemble {
            ensemble.unfenced = sabotage == Sabotage::IsNotFenced;
        }
        self
    }

    fn errs(&mut self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage) && self.dice.one_in(20)
    }

    /// What becomes of the master's effects.
    pub(crate) fn sabotage_master(&mut self, effects: Vec<MasterEffect>) -> Vec<MasterEffect> {
        if self.sabotage.is_none() {
            return effects;
        }
        let mut out = Vec::new();
        for effect in effects {
            let times = match &effect {
                MasterEffect::Allocation(allocation::Event::Recover { .. }) => {
                    self.times(Sabotage::ForgetsToRecover, Sabotage::RecoversTwice)
                }
                MasterEffect::Allocation(allocation::Event::Tasks { .. }) => {
                    usize::from(!self.errs(Sabotage::ForgetsToCount))
                }
                MasterEffect::ToAgent(_, ToAgent::Run { .. }) if self.errs(Sabotage::RunsTwice) => {
                    2
                }
                MasterEffect::ToAgent(_, ToAgent::ShutdownFramework(_))
                    if self.sabotage == Some(Sabotage::ForgetsShutdown) =>
                {
                    0
                }
                MasterEffect::ToAgent(_, ToAgent::Drain(_))
                    if self.sabotage == Some(Sabotage::ForgetsDrain) =>
                {
                    0
                }
                _ => 1,
            };
            (0..times).for_each(|_| out.push(effect.clone()));
        }
        out
    }

    fn times(&mut self, never: Sabotage, twice: Sabotage) -> usize {
        if self.errs(never) {
            0
        } else if self.errs(twice) {
            2
        } else {
            1
        }
    }

    /// What a restarted agent reads.
    pub(crate) fn sabotage_recovery(&mut self, found: &mut Recovered) {
        let overlooks = [Sabotage::OverlooksTask, Sabotage::OverlooksUpdates];
        let Some(sabotage) = self.sabotage.filter(|it| overlooks.contains(it)) else { return };
        let executors = found.frameworks.iter_mut().flat_map(|framework| &mut framework.executors);
        let alive = executors.filter(|executor| matches!(executor.fate, Fate::Alive(_)));
        for executor in alive {
            match executor.tasks.first_mut() {
                Some(task) if sabotage == Sabotage::OverlooksUpdates => task.log.clear(),
                Some(_) => drop(executor.tasks.remove(0)),
                None => {}
            }
        }
    }

    /// What an agent makes of an update.
    pub(crate) fn sabotage_update(&mut self, which: usize, mut status: TaskStatus) -> TaskStatus {
        let known = |uuid| self.agents[which].asked.contains(&uuid);
        let errs = self.sabotage == Some(Sabotage::TakesUpdatesTwice);
        if errs && status.uuid.is_some_and(known) {
            status.uuid = Some(uuid(&mut self.dice));
        }
        status
    }

    /// What becomes of an agent's effects.
    pub(crate) fn sabotage_agent(
        &mut self,
        which: usize,
        effects: Vec<AgentEffect>,
    ) -> Vec<AgentEffect> {
        if self.sabotage.is_none() {
            return effects;
        }
        let mut out = Vec::new();
        for effect in effects {
            match &effect {
                AgentEffect::Checkpoint(_, Record::Update(.., update))
                    if self.errs(Sabotage::ReportsTooEarly) =>
                {
                    let master = self.agents[which].leader.unwrap_or(self.masters[0].node);
                    let master = self.pid_of(master);
                    let message = ToMaster::Status(update.clone());
                    out.push(effect.clone());
                    out.push(AgentEffect::ToMaster(master, message));
                }
                AgentEffect::Checkpoint(id, Record::Executor(..))
                    if self.errs(Sabotage::SkipsExecutorRecord) =>
                {
                    let nothing = Record::Resources(Default::default());
                    out.push(AgentEffect::Checkpoint(*id, nothing));
                }
                AgentEffect::Checkpoint(id, Record::Agent(_))
                    if self.sabotage == Some(Sabotage::ForgetsItsId) =>
                {
                    let nothing = Record::Resources(Default::default());
                    out.push(AgentEffect::Checkpoint(*id, nothing));
                    self.agents[which].forgets_id();
                }
                AgentEffect::Destroy(_) if self.errs(Sabotage::ForgetsToDestroy) => {}
                AgentEffect::ToExecutor(_, reeve_agent_core::effect::ToExecutor::Launch(_))
                    if self.errs(Sabotage::DeliversTwice) =>
                {
                    out.push(effect.clone());
                    out.push(effect);
                }
                _ => out.push(effect),
            }
        }
        out
    }
}
