//! What outlives a term: a file on the disk of a master without rivals, or znodes that are owned by
//! one leader after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use reeve_machine::sim::Node;
use reeve_machine::{Tick, Wall};
use reeve_master_core::effect::Mutation;
use reeve_master_core::event::{CompletedFramework, Kind, Recovered, RecoveredFramework, WriteId};
use reeve_master_core::roles::Quota;
use reeve_model::{
    AgentId, AgentInfo, Deactivation, FrameworkId, Machine, MachineId, MachineMode, Role, Window,
};

use super::term::InTerm;
use crate::cluster::{Cluster, Who};
use crate::faults::Fault;
use crate::parcel::{APART, ms};
use crate::zookeeper::{Ask, Purpose};

/// Committed mutations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    agents: BTreeMap<AgentId, AgentInfo>,
    unreachable: BTreeMap<AgentId, Wall>,
    gone: BTreeMap<AgentId, Wall>,
    deactivated: BTreeMap<AgentId, Deactivation>,
    frameworks: BTreeMap<FrameworkId, RecoveredFramework>,
    completed: BTreeMap<FrameworkId, CompletedFramework>,
    windows: Vec<Window>,
    machines: BTreeMap<MachineId, Machine>,
    quotas: BTreeMap<Role, Quota>,
    weights: BTreeMap<Role, f64>,
}

impl Records {
    /// A mutation is durable.
    pub fn apply(&mut self, mutation: Mutation) {
        match mutation {
            Mutation::Admit(info) | Mutation::MarkReachable(info) => {
                if let Some(id) = info.id.clone() {
                    self.unreachable.remove(&id);
                    self.agents.insert(id, AgentInfo::clone(&info));
                }
            }
            Mutation::MarkUnreachable(id, at) => {
                self.agents.remove(&id);
                self.unreachable.insert(id, at);
            }
            Mutation::Remove(id) => {
                self.agents.remove(&id);
                self.unreachable.remove(&id);
                self.gone.remove(&id);
                self.deactivated.remove(&id);
            }
            Mutation::MarkGone(id, at) => {
                self.agents.remove(&id);
                self.unreachable.remove(&id);
                self.deactivated.remove(&id);
                self.gone.insert(id, at);
            }
            Mutation::SetQuotas(quotas) => {
                self.quotas.extend(quotas);
                self.quotas.retain(|_, quota| !quota.is_none());
            }
            Mutation::SetWeights(weights) => self.weights.extend(weights),
            Mutation::Maintain { windows, machines, up } => {
                self.windows.clone_from(&windows);
                self.machines.retain(|id, _| !up.contains(id));
                self.machines.extend(machines.into_iter().map(|one| (one.id.clone(), one)));
            }
            Mutation::Describe(info, registered) => {
                if let Some(id) = info.id.clone() {
                    self.frameworks.insert(id, RecoveredFramework { info, registered });
                }
            }
            Mutation::Deactivate(id, deactivation) => {
                self.deactivated.insert(id, deactivation);
            }
            Mutation::Reactivate(id) => {
                self.deactivated.remove(&id);
            }
            Mutation::Complete { completed, forgotten } => {
                if let Some(id) = completed.info.id.clone() {
                    self.frameworks.remove(&id);
                    self.completed.insert(id, completed);
                }
                forgotten.iter().for_each(|id| {
                    self.completed.remove(id);
                });
            }
            Mutation::ForgetFramework(id) => {
                self.frameworks.remove(&id);
                self.completed.remove(&id);
            }
        }
    }

    /// Whether the agent may not come back (R4).
    pub(super) fn is_gone(&self, id: &AgentId) -> bool {
        self.gone.contains_key(id)
    }

    /// The maintenance that is planned.
    pub(crate) fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Machines that are down.
    pub(crate) fn machines_down(&self) -> Vec<MachineId> {
        let down = self.machines.values().filter(|machine| machine.mode == MachineMode::Down);
        down.map(|machine| machine.id.clone()).collect()
    }

    /// G7: nothing new runs on an agent that is out of use.
    pub(super) fn judge_run(&self, agent: &AgentId) -> Result<(), String> {
        match self.deactivated.get(agent) {
            Some(_) => Err(format!("G7: a task is sent to {agent}, which is out of use")),
            None => Ok(()),
        }
    }

    /// M12: who subscribed is written down, and who ended stays ended.
    pub(super) fn judge_subscribed(&self, id: &FrameworkId) -> Result<(), String> {
        if self.completed.contains_key(id) {
            return Err(format!("M12: {id} ended, and subscribes"));
        }
        if self.frameworks.contains_key(id) {
            return Ok(());
        }
        Err(format!("M12: {id} is not written down"))
    }

    /// What a new leader reads. Each leads under an id of its own.
    pub fn recovered(&self, term: u64) -> Recovered {
        Recovered {
            master: format!("m{term}").into(),
            agents: self.agents.values().cloned().collect(),
            unreachable: self.unreachable.clone().into_iter().collect(),
            gone: self.gone.clone().into_iter().collect(),
            deactivated: self.deactivated.clone().into_iter().collect(),
            frameworks: self.frameworks.values().cloned().collect(),
            completed: self.completed.values().cloned().collect(),
            schedule: self.windows.clone(),
            machines: self.machines.values().cloned().collect(),
            quotas: self.quotas.clone(),
            weights: self.weights.clone(),
        }
    }
}

/// A registry on disk: durable is what was synced, in order.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) records: Records,
    /// Written, and not synced yet.
    unsynced: Vec<Mutation>,
    pub(super) slow: Duration,
    pub(super) full: bool,
    pub(super) clear: Tick,
}

impl Cluster {
    /// The core wants a mutation to be durable.
    pub(super) fn registry_writes(&mut self, which: usize, id: WriteId, mutation: Mutation) {
        if self.ensemble.is_some() {
            let Some(term) = self.term(which) else { return };
            term.unwritten.insert(id, mutation.clone());
            let ask = Ask::Commit(term.number, id.0 + 1, Box::new(mutation));
            let node = self.masters[which].node;
            // Without a connection it waits with the others.
            if self.client_is_connected(node) {
                self.client_asks(node, ask, Purpose::Commit(id));
            }
            return;
        }
        let now = self.world.clock(self.masters[which].node);
        let delay = self.dice.duration(Duration::from_micros(500)..ms(10));
        let file = &mut self.masters[which].file;
        let at = (file.clear + APART).max(now + delay + file.slow);
        file.clear = at;
        if !file.full {
            file.unsynced.push(mutation.clone());
        }
        let wrote = InTerm::Synced(id, mutation, !file.full);
        self.in_term(which, at.since(now), wrote);
    }

    /// A write to the file is over.
    pub(super) fn file_synced(&mut self, which: usize, id: WriteId, mutation: Mutation, ok: bool) {
        if ok {
            let file = &mut self.masters[which].file;
            file.unsynced.remove(0);
            file.records.apply(mutation.clone());
        }
        self.registry_told(which, id, &mutation, ok);
    }

    /// The process died while it wrote: some of it is durable, a torn record is not.
    pub(super) fn file_torn(&mut self, which: usize) {
        let file = &mut self.masters[which].file;
        let unsynced = std::mem::take(&mut file.unsynced);
        if unsynced.is_empty() {
            return;
        }
        let kept = self.dice.below(unsynced.len() as u64 + 1) as usize;
        let file = &mut self.masters[which].file;
        unsynced.into_iter().take(kept).for_each(|mutation| file.records.apply(mutation));
        self.fault(Fault::TornWrites);
    }

    fn registry_told(&mut self, which: usize, id: WriteId, mutation: &Mutation, ok: bool) {
        if !ok {
            let why = "it is another leader's, or the disk is full".to_owned();
            return self.master_step(which, Kind::CommitFailed(id, why));
        }
        if let Mutation::MarkUnreachable(agent, _) = mutation {
            self.judge.written_off.insert(agent.clone());
        }
        self.judge_records(which, mutation);
        self.master_step(which, Kind::Committed(id));
    }

    /// What is durable.
    pub(crate) fn registry(&self, which: usize) -> &Records {
        match &self.ensemble {
            Some(ensemble) => &ensemble.records,
            None => &self.masters[which].file.records,
        }
    }

    /// R3: what a leader was told is durable is what the registry holds, and nothing else.
    fn judge_records(&mut self, which: usize, mutation: &Mutation) {
        let Some(term) = self.term(which) else { return };
        term.records.apply(mutation.clone());
        let Some(ensemble) = &self.ensemble else { return };
        let Some(term) = &self.masters[which].term else { return };
        let alone = term.unwritten.is_empty() && ensemble.is_owned_by(term.number);
        if alone && term.records != ensemble.records {
            let number = term.number;
            self.violated(format!("R3: the registry is not as term {number} wrote it"));
        }
    }

    /// A new leader wants the registry for itself.
    pub(super) fn registry_fences(&mut self, which: usize) {
        let node = self.masters[which].node;
        if self.client_is_connected(node) {
            self.client_asks(node, Ask::Fence, Purpose::Fence);
        }
    }

    /// The registry is this master's from now on.
    pub(crate) fn registry_is_ours(&mut self, node: Node, epoch: u64, records: &Records) {
        let Who::Master(which) = self.who[node.0 as usize] else { return };
        let master = &mut self.masters[which];
        if std::mem::take(&mut master.fencing) && master.term.is_none() {
            self.master_leads(which, epoch, records);
        }
    }

    /// A write has its answer.
    pub(crate) fn registry_wrote(&mut self, node: Node, id: WriteId, ok: bool) {
        let Who::Master(which) = self.who[node.0 as usize] else { return };
        let Some(term) = self.term(which) else { return };
        let Some(mutation) = term.unwritten.remove(&id) else { return };
        self.registry_told(which, id, &mutation, ok);
    }

    /// There is a connection again. What has no answer is asked for again: it is done once.
    pub(crate) fn registry_resumes(&mut self, node: Node) {
        let Who::Master(which) = self.who[node.0 as usize] else { return };
        if self.masters[which].fencing {
            return self.registry_fences(which);
        }
        let Some(term) = self.term(which) else { return };
        let epoch = term.number;
        for (id, mutation) in term.unwritten.clone() {
            let ask = Ask::Commit(epoch, id.0 + 1, Box::new(mutation));
            self.client_asks(node, ask, Purpose::Commit(id));
        }
    }
}
