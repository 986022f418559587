//! What leaders may do, one after the other (M2, M6).

use std::collections::{BTreeMap, BTreeSet};

use reeve_machine::Tick;
use reeve_master_core::Effect;
use reeve_master_core::effect::{Mutation, ToAgent, ToScheduler};
use reeve_model::{AgentId, FrameworkId, TaskId, TaskInfo};

use crate::cluster::Cluster;

/// What is known of all terms together.
#[derive(Debug, Default)]
pub struct Judge {
    /// The newest term that acted.
    acted: u64,
    allocators: u64,
    /// Agents that were ever out of reach.
    pub written_off: BTreeSet<AgentId>,
    /// When the scheduler of each framework was last there.
    present: BTreeMap<FrameworkId, Tick>,
    /// In which term each task was sent to its agent.
    launched: BTreeMap<(FrameworkId, TaskId), u64>,
}

impl Judge {
    /// A number for an allocation machine.
    pub(super) fn next_allocator(&mut self) -> u64 {
        self.allocators += 1;
        self.allocators
    }
}

/// What only a leader may do.
fn is_an_act(effect: &Effect) -> bool {
    match effect {
        Effect::Persist(..) => true,
        Effect::ToAgent(_, message) => !matches!(message, ToAgent::Ping { .. }),
        Effect::ToScheduler(_, event) => !matches!(event, ToScheduler::Heartbeat),
        _ => false,
    }
}

impl Cluster {
    /// M6: once a term acted, no earlier one does.
    pub(super) fn judge_acts(&mut self, which: usize, term: u64, effects: &[Effect]) {
        effects.iter().for_each(|effect| self.judge_lasting(which, effect));
        let Some(act) = effects.iter().find(|effect| is_an_act(effect)) else { return };
        let newest = self.judge.acted;
        if newest > term {
            self.violated(format!("M6: term {newest} has begun, and term {term} does {act:?}"));
        }
        self.judge.acted = newest.max(term);
    }

    /// Schedulers that are there now, before one of them may be there no longer.
    pub(super) fn judge_presence(&mut self, which: usize) {
        let now = self.world.now();
        // A leader that slept through the end of its term sees what was there before.
        let newest = self.judge.acted;
        let Some(term) = self.term(which).filter(|term| term.number >= newest) else { return };
        for framework in term.streams.connected() {
            self.judge.present.insert(framework, now);
        }
    }

    /// What must hold over terms: an agent that is gone does not come back (R4), and a framework is
    /// not ended before its failover timeout.
    fn judge_lasting(&mut self, which: usize, effect: &Effect) {
        match effect {
            Effect::ToAgent(
                _,
                ToAgent::Registered { agent, .. } | ToAgent::Reregistered { agent, .. },
            ) if self.registry(which).is_gone(agent) => {
                self.violated(format!("R4: {agent} is gone, and comes back"));
            }
            Effect::Persist(_, Mutation::Complete { completed, .. }) if !self.over => {
                let Some(id) = &completed.info.id else { return };
                self.judge_presence(which);
                let now = self.world.now();
                let seen = self.judge.present.get(id).copied().unwrap_or(Tick::ZERO);
                // Clocks differ by a few per cent.
                let least = completed.info.failover_timeout * 95 / 100;
                if now.since(seen) < least {
                    self.violated(format!("FW-2: {id} is ended, and was there at {seen}"));
                }
            }
            _ => {}
        }
    }

    /// M2: what is run was asked for with an offer that stood, and is run once.
    pub(super) fn judge_run(&mut self, which: usize, message: &ToAgent) {
        let (framework, tasks): (_, Vec<&TaskInfo>) = match message {
            ToAgent::Run { framework, task, .. } => (framework, vec![task]),
            ToAgent::RunGroup { framework, tasks, .. } => {
                (framework, tasks.iter().map(|task| &**task).collect())
            }
            _ => return,
        };
        let Some(id) = framework.id.clone() else { return };
        for TaskInfo { id: task, agent, .. } in tasks {
            let key = (id.clone(), task.clone());
            let Some(now) = self.term(which) else { return };
            let term = now.number;
            if !now.streams.lawful.remove(&key) {
                return self.violated(format!("M2: {task} is run without an offer"));
            }
            if let Err(law) = now.records.judge_run(agent) {
                return self.violated(law);
            }
            if let Some(before) = self.judge.launched.insert(key, term) {
                return self.violated(format!("M6: {task} is run in terms {before} and {term}"));
            }
        }
    }
}
