//! The cluster at one moment, for readers.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{OrdMap, Vector};
use reeve_machine::Wall;
use reeve_model::{
    AgentId, AgentInfo, ExecutorId, FrameworkId, Machine, MachineId, OfferId, Resources, Role,
    TaskId, Window,
};

use super::{
    AgentRecord, Answered, Ended, ExecutorRecord, FrameworkRecord, OfferCounts, StateCounts,
    TaskRecord,
};
use crate::few::Few;
use crate::inverse_offers::InverseOffer;
use crate::offers::Offer;
use crate::roles::Quota;

/// The cluster at one moment. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The master's id; empty until it leads.
    pub master: Option<Arc<str>>,
    /// Since when it leads.
    pub elected: Option<Wall>,
    /// Agents that registered.
    pub agents: OrdMap<AgentId, Arc<AgentView>>,
    /// Agents of an earlier leader that have not come back yet.
    pub awaited: OrdMap<AgentId, Arc<AgentInfo>>,
    /// Agents out of reach, and since when.
    pub unreachable: OrdMap<AgentId, Wall>,
    /// Frameworks that are not completed.
    pub frameworks: OrdMap<FrameworkId, Arc<FrameworkView>>,
    /// Completed frameworks, oldest first (`--max_completed_frameworks`).
    pub completed: Vector<Arc<FrameworkView>>,
    /// Outstanding offers.
    pub offers: OrdMap<OfferId, Arc<Offer>>,
    /// Quota of top-level roles that have some.
    pub quotas: OrdMap<Role, Quota>,
    /// Weights of roles that were given one.
    pub weights: OrdMap<Role, f64>,
    /// When machines are to be down.
    pub schedule: Arc<Vec<Window>>,
    /// The machines in the schedule.
    pub machines: Arc<BTreeMap<MachineId, Machine>>,
    /// What frameworks have answered last, by the agents with maintenance ahead that they were
    /// asked about.
    pub answers: OrdMap<AgentId, OrdMap<FrameworkId, Answered>>,
    /// Numbers for metrics.
    pub tallies: Arc<Tallies>,
}

/// One agent and what is on it.
#[derive(Clone, Debug)]
pub struct AgentView {
    /// The agent.
    pub record: Arc<AgentRecord>,
    /// What tasks and executors hold, with allocation info.
    pub used: Resources,
    /// What is in outstanding offers, with allocation info.
    pub offered: Resources,
    /// Its tasks by state: those that run, and those that ended while it was registered.
    pub counts: StateCounts,
    /// How many live tasks, executors and offers each framework has here.
    pub frameworks: Few<FrameworkId>,
}

/// One framework and what it has.
#[derive(Clone, Debug)]
pub struct FrameworkView {
    /// The framework.
    pub record: Arc<FrameworkRecord>,
    /// Its tasks that are not terminal, or not yet acknowledged.
    pub tasks: OrdMap<TaskId, Arc<TaskRecord>>,
    /// Its tasks on agents out of reach.
    pub unreachable: OrdMap<TaskId, Arc<TaskRecord>>,
    /// Its completed tasks, oldest first (`--max_completed_tasks_per_framework`).
    pub completed: Vector<Arc<TaskRecord>>,
    /// Its executors.
    pub executors: OrdMap<(AgentId, ExecutorId), Arc<ExecutorRecord>>,
    /// Its outstanding offers.
    pub offers: OrdMap<OfferId, Arc<Offer>>,
    /// What it is asked, and has not answered.
    pub inverse_offers: OrdMap<OfferId, Arc<InverseOffer>>,
    /// What its tasks and executors hold, with allocation info.
    pub used: Resources,
    /// What it is offered, with allocation info.
    pub offered: Resources,
    /// Its tasks by state, those that ended included.
    pub counts: StateCounts,
    /// What became of its offers.
    pub offer_counts: OfferCounts,
    /// How many of its operations were carried out, by name.
    pub operations: OrdMap<&'static str, u64>,
    /// How many live tasks, executors and offers it has on each agent.
    pub agents: OrdMap<AgentId, u32>,
}

/// Counts since this master leads, and gauges that readers would have to sum up otherwise.
#[derive(Clone, Debug, Default)]
pub struct Tallies {
    /// Live tasks by state, and ended ones by how they ended (`master/tasks_*`).
    pub tasks: StateCounts,
    /// Ends by state, source and reason.
    pub ended: BTreeMap<Ended, u64>,
    /// Agents that registered (`master/slave_registrations`).
    pub registrations: u64,
    /// Agents that came back (`master/slave_reregistrations`).
    pub reregistrations: u64,
    /// Agents that left.
    pub departures: Departures,
    /// Offers (`master/offers_*`).
    pub offers: OfferCounts,
}

/// How many agents left, by how they did, since this master leads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Departures {
    /// They were to be given up (`master/slave_unreachable_scheduled`).
    pub scheduled: u64,
    /// They were there before their turn came (`master/slave_unreachable_canceled`).
    pub canceled: u64,
    /// They went out of reach (`master/slave_unreachable_completed`).
    pub unreachable: u64,
    /// Those of them that this master never saw (`master/recovery_slave_removals`).
    pub after_failover: u64,
    /// They said that they leave (`master/slave_removals/reason_unregistered`).
    pub unregistered: u64,
    /// Others came in their place (`master/slave_removals/reason_registered`).
    pub replaced: u64,
    /// Their machines were taken down.
    pub taken_down: u64,
    /// An operator said that they are gone.
    pub gone: u64,
}

impl Snapshot {
    /// What all agents have, as they count for `master/cpus_total` and the like.
    pub fn total(&self) -> Resources {
        self.agents.values().fold(Resources::new(), |mut sum, agent| {
            sum += &agent.record.total;
            sum
        })
    }

    /// What all agents' tasks and executors hold.
    pub fn used(&self) -> Resources {
        self.agents.values().fold(Resources::new(), |mut sum, agent| {
            sum += &agent.used;
            sum
        })
    }
}
