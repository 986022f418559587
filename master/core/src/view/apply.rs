//! Taking changes in.

use std::sync::Arc;

use reeve_model::{AgentId, FrameworkId, OfferId, Resources, TaskId, TaskState, TaskStatus};

use super::change::{Change, Departure, Leaving, OfferEnd, TaskEnd};
use super::snapshot::{AgentView, FrameworkView, Snapshot, Tallies};
use super::{
    AgentRecord, Answered, Ended, ExecutorRecord, FrameworkRecord, OfferCounts, StateCounts,
    TaskRecord,
};
use crate::Options;
use crate::few::Few;
use crate::inverse_offers::InverseOffer;
use crate::offers::Offer;

/// The read model: one task applies changes to it, and readers take snapshots of it.
///
/// Changes about things it never heard of are ignored: it has no opinion of its own.
#[derive(Debug)]
pub struct View {
    now: Snapshot,
    completed_frameworks: usize,
    completed_tasks: usize,
}

impl View {
    /// An empty view with the caps on history that `options` name.
    pub fn new(options: &Options) -> Self {
        View {
            now: Snapshot::default(),
            completed_frameworks: options.max_completed_frameworks,
            completed_tasks: options.max_completed_tasks_per_framework,
        }
    }

    /// The cluster as far as changes were taken in.
    pub fn now(&self) -> &Snapshot {
        &self.now
    }

    /// The cluster now, in O(1).
    pub fn snapshot(&self) -> Snapshot {
        self.now.clone()
    }

    /// Takes one change in.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Led { master, at, awaited, unreachable } => {
                self.now.master = Some(master);
                self.now.elected = Some(at);
                self.now.awaited = awaited
                    .into_iter()
                    .filter_map(|info| info.id.clone().map(|id| (id, info)))
                    .collect();
                self.now.unreachable = unreachable.into_iter().collect();
            }
            Change::Agent(record) => self.agent(record),
            Change::AgentLeft(id, departure) => self.agent_left(&id, departure),
            Change::Quota(role, quota) if quota.is_none() => {
                self.now.quotas.remove(&role);
            }
            Change::Quota(role, quota) => {
                self.now.quotas.insert(role, quota);
            }
            Change::Weight(role, weight) => {
                self.now.weights.insert(role, weight);
            }
            Change::Maintenance(schedule, machines) => {
                self.now.schedule = schedule;
                self.now.machines = machines;
            }
            Change::RemovalScheduled => self.tallies().departures.scheduled += 1,
            Change::RemovalCanceled => self.tallies().departures.canceled += 1,
            Change::AgentForgotten(id) => {
                self.now.unreachable.remove(&id);
            }
            Change::Framework(record) => self.framework(record),
            Change::FrameworkCompleted(id, at) => self.framework_completed(&id, at),
            Change::ExecutorAdded(record) => self.executor_added(record),
            Change::ExecutorRemoved(framework, agent, executor) => {
                let key = (agent, executor);
                let Some(view) = self.framework_mut(&framework) else { return };
                let Some(record) = view.executors.remove(&key) else { return };
                self.release(&framework, &key.0, &record.info.resources);
                self.leave(&framework, &key.0);
            }
            Change::TasksAdded(records) => self.tasks_added(&records),
            Change::TaskProgressed { framework, task, latest, status } => {
                self.task_progressed(&framework, &task, latest, status);
            }
            Change::TaskRefused(_, status) => {
                let tallies = Arc::make_mut(&mut self.now.tallies);
                tallies.tasks.add(status.state);
                *tallies.ended.entry(ended(&status)).or_default() += 1;
            }
            Change::LostTaskEnded(framework, status) => self.lost_task_ended(&framework, status),
            Change::TaskRemoved(framework, task, end) => self.task_removed(&framework, &task, end),
            Change::OfferMade(offer) => self.offer_made(offer),
            Change::OfferEnded(id, end) => self.offer_ended(&id, end),
            Change::InverseOfferMade(offer) => {
                let Some(view) = self.framework_mut(&offer.framework) else { return };
                view.inverse_offers.insert(offer.id.clone(), offer);
            }
            Change::InverseOfferEnded(offer, answer) => self.inverse_offer_ended(&offer, answer),
            Change::AnswersVoid(agent) => {
                self.now.answers.remove(&agent);
            }
            Change::Operated(framework, operation) => {
                if let Some(view) = self.framework_mut(&framework) {
                    *view.operations.entry(operation).or_insert(0) += 1;
                }
            }
        }
    }

    fn agent(&mut self, record: Arc<AgentRecord>) {
        self.now.awaited.remove(&record.id);
        self.now.unreachable.remove(&record.id);
        if let Some(view) = self.now.agents.get_mut(&record.id) {
            let view = Arc::make_mut(view);
            if view.record.reregistered != record.reregistered {
                Arc::make_mut(&mut self.now.tallies).reregistrations += 1;
            }
            view.record = record;
            return;
        }
        let tallies = Arc::make_mut(&mut self.now.tallies);
        match record.reregistered {
            Some(_) => tallies.reregistrations += 1,
            None => tallies.registrations += 1,
        }
        let view = AgentView {
            record: record.clone(),
            used: Resources::new(),
            offered: Resources::new(),
            counts: StateCounts::default(),
            frameworks: Few::default(),
        };
        self.now.agents.insert(record.id.clone(), Arc::new(view));
    }

    fn agent_left(&mut self, id: &AgentId, departure: Departure) {
        self.now.agents.remove(id);
        self.now.answers.remove(id);
        self.now.awaited.remove(id);
        self.now.unreachable.remove(id);
        let departures = &mut self.tallies().departures;
        match departure {
            Departure::Unreachable { since, awaited } => {
                departures.unreachable += 1;
                departures.after_failover += u64::from(awaited);
                self.now.unreachable.insert(id.clone(), since);
            }
            Departure::Removed(Leaving::Unregistered) => departures.unregistered += 1,
            Departure::Removed(Leaving::Replaced) => departures.replaced += 1,
            Departure::Removed(Leaving::MachineDown) => departures.taken_down += 1,
            Departure::Gone(_) => departures.gone += 1,
        }
    }

    fn tallies(&mut self) -> &mut Tallies {
        Arc::make_mut(&mut self.now.tallies)
    }

    fn framework(&mut self, record: Arc<FrameworkRecord>) {
        if let Some(view) = self.framework_mut(&record.id) {
            view.record = record;
            return;
        }
        let view = FrameworkView {
            record: record.clone(),
            tasks: imbl::OrdMap::new(),
            unreachable: imbl::OrdMap::new(),
            completed: imbl::Vector::new(),
            executors: imbl::OrdMap::new(),
            offers: imbl::OrdMap::new(),
            inverse_offers: imbl::OrdMap::new(),
            used: Resources::new(),
            offered: Resources::new(),
            counts: StateCounts::default(),
            offer_counts: OfferCounts::default(),
            operations: imbl::OrdMap::new(),
            agents: imbl::OrdMap::new(),
        };
        self.now.frameworks.insert(record.id.clone(), Arc::new(view));
    }

    fn framework_completed(&mut self, id: &FrameworkId, at: reeve_machine::Wall) {
        let Some(mut view) = self.now.frameworks.remove(id) else { return };
        self.forget_answers(id);
        let completed = Arc::make_mut(&mut view);
        let record = Arc::make_mut(&mut completed.record);
        record.unregistered = Some(at);
        record.active = false;
        record.connected = false;
        push_capped(&mut self.now.completed, view, self.completed_frameworks);
    }

    fn executor_added(&mut self, record: Arc<ExecutorRecord>) {
        let key = (record.agent.clone(), record.info.id.clone());
        let Some(view) = self.framework_mut(&record.framework) else { return };
        if view.executors.insert(key, record.clone()).is_some() {
            return;
        }
        self.hold(&record.framework, &record.agent, &record.info.resources);
        self.arrive(&record.framework, &record.agent);
    }

    /// The commonest change of all when agents return: what it touches is looked up once.
    fn tasks_added(&mut self, records: &[Arc<TaskRecord>]) {
        let same = |a: &Arc<TaskRecord>, b: &Arc<TaskRecord>| {
            a.framework == b.framework && a.agent == b.agent
        };
        for records in records.chunk_by(same) {
            let (framework, agent) = (&records[0].framework, &records[0].agent);
            let mut held = Resources::new();
            for record in records.iter().filter(|record| !record.state.is_terminal()) {
                held += &record.resources;
            }
            let Some(view) = self.framework_mut(framework) else { continue };
            for record in records {
                view.unreachable.remove(&record.id);
                view.counts.add(record.state);
                view.tasks.insert(record.id.clone(), record.clone());
            }
            view.used += &held;
            *view.agents.entry(agent.clone()).or_insert(0) += records.len() as u32;
            if let Some(agent) = self.agent_mut(agent) {
                for record in records {
                    agent.counts.add(record.state);
                    agent.frameworks.add(framework.clone());
                }
                agent.used += &held;
            }
            let tasks = &mut Arc::make_mut(&mut self.now.tallies).tasks;
            records.iter().for_each(|record| tasks.add(record.state));
        }
    }

    fn task_progressed(
        &mut self,
        framework: &FrameworkId,
        task: &TaskId,
        latest: TaskState,
        status: Arc<TaskStatus>,
    ) {
        let Some(view) = self.framework_mut(framework) else { return };
        let Some(shared) = view.tasks.get_mut(task) else { return };
        let record = Arc::make_mut(shared);
        let before = record.state;
        record.state = latest;
        let way = Ended { state: latest, ..ended(&status) };
        match record.statuses.last_mut() {
            Some(last) if last.state == status.state => *last = status,
            _ => record.statuses.push(status),
        }
        if before == latest {
            return;
        }
        let (agent, resources) = (record.agent.clone(), record.resources.clone());
        view.counts.subtract(before);
        view.counts.add(latest);
        if let Some(agent) = self.agent_mut(&agent) {
            agent.counts.subtract(before);
            agent.counts.add(latest);
        }
        let tallies = Arc::make_mut(&mut self.now.tallies);
        tallies.tasks.subtract(before);
        tallies.tasks.add(latest);
        if latest.is_terminal() && !before.is_terminal() {
            *tallies.ended.entry(way).or_default() += 1;
            self.release(framework, &agent, &resources);
        }
    }

    fn lost_task_ended(&mut self, framework: &FrameworkId, status: Arc<TaskStatus>) {
        let cap = self.completed_tasks;
        *self.tallies().ended.entry(ended(&status)).or_default() += 1;
        let Some(view) = self.framework_mut(framework) else { return };
        let Some(mut record) = view.unreachable.remove(&status.task) else { return };
        let task = Arc::make_mut(&mut record);
        view.counts.subtract(task.state);
        view.counts.add(status.state);
        task.state = status.state;
        task.statuses.push(status);
        push_capped(&mut view.completed, record, cap);
    }

    fn task_removed(&mut self, framework: &FrameworkId, task: &TaskId, end: TaskEnd) {
        let cap = self.completed_tasks;
        let Some(view) = self.framework_mut(framework) else { return };
        let Some(record) = view.tasks.remove(task) else {
            view.unreachable.remove(task);
            return;
        };
        match end {
            TaskEnd::Completed => push_capped(&mut view.completed, record.clone(), cap),
            TaskEnd::Unreachable => {
                view.unreachable.insert(task.clone(), record.clone());
            }
            TaskEnd::Forgotten => {}
        }
        if !record.state.is_terminal() {
            self.release(framework, &record.agent, &record.resources);
        }
        self.leave(framework, &record.agent);
    }

    fn offer_made(&mut self, offer: Arc<Offer>) {
        if let Some(view) = self.framework_mut(&offer.framework) {
            view.offers.insert(offer.id.clone(), offer.clone());
            view.offered += &offer.resources;
            view.offer_counts.sent += 1;
        }
        if let Some(agent) = self.agent_mut(&offer.agent_id) {
            agent.offered += &offer.resources;
        }
        Arc::make_mut(&mut self.now.tallies).offers.sent += 1;
        self.now.offers.insert(offer.id.clone(), offer);
    }

    fn offer_ended(&mut self, id: &OfferId, end: OfferEnd) {
        let Some(offer) = self.now.offers.remove(id) else { return };
        if let Some(view) = self.framework_mut(&offer.framework) {
            view.offers.remove(id);
            view.offered -= &offer.resources;
            view.offer_counts.ended(end);
        }
        if let Some(agent) = self.agent_mut(&offer.agent_id) {
            agent.offered -= &offer.resources;
        }
        Arc::make_mut(&mut self.now.tallies).offers.ended(end);
    }

    fn inverse_offer_ended(&mut self, offer: &InverseOffer, answer: Option<Answered>) {
        let Some(view) = self.framework_mut(&offer.framework) else { return };
        view.inverse_offers.remove(&offer.id);
        if let Some(answer) = answer {
            let answers = self.now.answers.entry(offer.agent_id.clone()).or_default();
            answers.insert(offer.framework.clone(), answer);
        }
    }

    /// A framework that ended has nothing on any agent.
    fn forget_answers(&mut self, id: &FrameworkId) {
        let has_one = |(_, answers): &(&AgentId, &imbl::OrdMap<_, _>)| answers.contains_key(id);
        let agents = self.now.answers.iter().filter(has_one).map(|(agent, _)| agent.clone());
        for agent in agents.collect::<Vec<AgentId>>() {
            let Some(answers) = self.now.answers.get_mut(&agent) else { continue };
            answers.remove(id);
            if answers.is_empty() {
                self.now.answers.remove(&agent);
            }
        }
    }

    fn hold(&mut self, framework: &FrameworkId, agent: &AgentId, resources: &Resources) {
        if let Some(view) = self.framework_mut(framework) {
            view.used += resources;
        }
        if let Some(view) = self.agent_mut(agent) {
            view.used += resources;
        }
    }

    fn release(&mut self, framework: &FrameworkId, agent: &AgentId, resources: &Resources) {
        if let Some(view) = self.framework_mut(framework) {
            view.used -= resources;
        }
        if let Some(view) = self.agent_mut(agent) {
            view.used -= resources;
        }
    }

    fn arrive(&mut self, framework: &FrameworkId, agent: &AgentId) {
        if let Some(view) = self.framework_mut(framework) {
            *view.agents.entry(agent.clone()).or_insert(0) += 1;
        }
        if let Some(view) = self.agent_mut(agent) {
            view.frameworks.add(framework.clone());
        }
    }

    fn leave(&mut self, framework: &FrameworkId, agent: &AgentId) {
        if let Some(view) = self.framework_mut(framework) {
            decrement(&mut view.agents, agent);
        }
        if let Some(view) = self.agent_mut(agent) {
            view.frameworks.remove(framework);
        }
    }

    fn framework_mut(&mut self, id: &FrameworkId) -> Option<&mut FrameworkView> {
        self.now.frameworks.get_mut(id).map(Arc::make_mut)
    }

    fn agent_mut(&mut self, id: &AgentId) -> Option<&mut AgentView> {
        self.now.agents.get_mut(id).map(Arc::make_mut)
    }
}

fn ended(status: &TaskStatus) -> Ended {
    Ended { state: status.state, source: status.source, reason: status.reason }
}

fn decrement<K: Ord + Clone>(counts: &mut imbl::OrdMap<K, u32>, key: &K) {
    let Some(count) = counts.get_mut(key) else { return };
    *count = count.saturating_sub(1);
    if *count == 0 {
        counts.remove(key);
    }
}

fn push_capped<T: Clone>(ring: &mut imbl::Vector<T>, item: T, cap: usize) {
    ring.push_back(item);
    while ring.len() > cap {
        ring.pop_front();
    }
}
