//! Simulated agents after the loss of their master: which tasks they run, and when they ask the
//! next one to have them back.
//!
//! They ask as real agents do (RC-9): the first time after a wait by chance of up to a second,
//! then again and again, with waits that may double. What they say does not change between
//! attempts, so that it is encoded once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reeve_machine::{Chance, backoff};
use reeve_wire::{Described, internal, v1};

use super::{Outgoing, Simulated};

/// The longest wait before the first attempt (`--registration_backoff_factor`).
const FACTOR: Duration = Duration::from_secs(1);

/// The longest wait before any attempt.
const LONGEST: Duration = Duration::from_secs(60);

/// What runs on every agent of a fleet although no master launched it there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Burden {
    /// How many tasks.
    pub tasks: u32,
    /// How many frameworks, at least one, take turns in having them.
    pub frameworks: u32,
    /// How many labels each task has.
    pub labels: u32,
}

/// The id of one of the frameworks that own what agents run from the beginning.
pub fn framework_id(number: u32) -> v1::FrameworkId {
    v1::FrameworkId { value: format!("load-framework-{number}") }
}

impl Burden {
    /// What an agent of that number and description says when it comes back.
    pub(super) fn reregistration(
        &self,
        number: usize,
        fresh: internal::RegisterSlaveMessage,
        id: &v1::AgentId,
    ) -> Bytes {
        let mut slave = fresh.slave;
        slave.id = Some(id.clone());
        let message = internal::ReregisterSlaveMessage {
            slave,
            tasks: (0..self.tasks).map(|task| self.task(number, task, id)).collect(),
            frameworks: self.owners().map(framework).collect(),
            version: fresh.version,
            agent_capabilities: fresh.agent_capabilities,
            resource_version_uuid: fresh.resource_version_uuid,
            ..internal::ReregisterSlaveMessage::default()
        };
        reeve_wire::encode(&message)
    }

    fn owners(&self) -> impl Iterator<Item = u32> {
        0..self.frameworks.clamp(1, self.tasks.max(1))
    }

    fn task(&self, agent: usize, task: u32, id: &v1::AgentId) -> v1::Task {
        let service = format!("service-{}", agent % 100);
        let task_id = v1::TaskId { value: format!("{service}.instance-{agent}-{task}") };
        let running = v1::TaskState::TaskRunning.into();
        let status = v1::TaskStatus {
            task_id: task_id.clone(),
            state: running,
            source: Some(v1::task_status::Source::Executor.into()),
            agent_id: Some(id.clone()),
            executor_id: Some(v1::ExecutorId { value: task_id.value.clone() }),
            timestamp: Some(1_700_000_000.0 + f64::from(task)),
            uuid: Some(super::resource_version(agent).value),
            ..v1::TaskStatus::default()
        };
        let label = |label| v1::Label {
            key: format!("label-{label}"),
            value: Some(format!("value-{label}-of-{service}")),
        };
        v1::Task {
            name: service.clone(),
            task_id,
            framework_id: framework_id(task % self.frameworks.max(1)),
            executor_id: None,
            agent_id: id.clone(),
            state: running,
            resources: vec![allocated("cpus", 0.1), allocated("mem", 128.0)],
            statuses: vec![status],
            status_update_state: Some(running),
            status_update_uuid: Some(super::resource_version(agent).value),
            labels: Some(v1::Labels { labels: (0..self.labels).map(label).collect() }),
            user: Some("load".to_owned()),
            ..v1::Task::default()
        }
    }
}

fn framework(number: u32) -> v1::FrameworkInfo {
    let multi_role = v1::framework_info::capability::Type::MultiRole;
    v1::FrameworkInfo {
        user: "load".to_owned(),
        name: format!("load-{number}"),
        id: Some(framework_id(number)),
        failover_timeout: Some(604_800.0),
        checkpoint: Some(true),
        roles: vec!["*".to_owned()],
        capabilities: vec![v1::framework_info::Capability { r#type: Some(multi_role.into()) }],
        ..v1::FrameworkInfo::default()
    }
}

fn allocated(name: &str, amount: f64) -> v1::Resource {
    v1::Resource {
        name: name.to_owned(),
        r#type: v1::value::Type::Scalar.into(),
        scalar: Some(v1::value::Scalar { value: amount }),
        allocation_info: Some(v1::resource::AllocationInfo { role: Some("*".to_owned()) }),
        ..v1::Resource::default()
    }
}

impl Simulated {
    /// The master died, and another one, or the same again, was found now.
    pub(in crate::fleet) fn change_master(&mut self, now: Instant) {
        (self.first, self.last) = (None, None);
        self.unregistered = self.agents.len();
        self.attempts.waiting.clear();
        for (index, agent) in self.agents.iter_mut().enumerate() {
            agent.is_registered = false;
            self.attempts.wait(now, index, 0);
        }
    }

    /// Encodes what an agent will say when it returns.
    pub(super) fn prepare(&mut self, index: usize, burden: Burden) {
        let (number, fresh) = (self.base + index, self.registration(index));
        let Some(agent) = self.agents.get_mut(index) else { return };
        let Some(id) = &agent.slave_id else { return };
        agent.back = burden.reregistration(number, fresh, id);
    }

    /// Sends what agents whose turn it is have to say.
    pub(super) fn ask(&mut self, now: Instant, out: &mut Vec<Outgoing>) {
        while let Some((index, asked)) = self.attempts.next(now) {
            let Some(agent) = self.agents.get(index).filter(|agent| !agent.is_registered) else {
                continue;
            };
            let (name, body) = (internal::ReregisterSlaveMessage::NAME, agent.back.clone());
            out.push(Outgoing { agent: index, to: None, name, body });
            self.totals.attempts += 1;
            self.attempts.wait(now, index, asked + 1);
        }
    }
}

/// Who asks when.
#[derive(Debug)]
pub(super) struct Attempts {
    /// When which agent asks, and how often it has asked.
    waiting: BinaryHeap<Reverse<(Instant, usize, u32)>>,
    chance: Chance,
}

impl Attempts {
    pub(super) fn new(seed: u64) -> Attempts {
        Attempts { waiting: BinaryHeap::new(), chance: Chance::new(seed) }
    }

    /// An agent that has asked so often waits before it asks again.
    pub(super) fn wait(&mut self, now: Instant, agent: usize, asked: u32) {
        let wait = backoff(asked, FACTOR, LONGEST, &mut self.chance);
        self.waiting.push(Reverse((now + wait, agent, asked)));
    }

    /// When the next one asks.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse((at, ..))| *at)
    }

    /// An agent whose time to ask has come, and how often it had asked before.
    pub(super) fn next(&mut self, now: Instant) -> Option<(usize, u32)> {
        self.due().filter(|at| *at <= now)?;
        self.waiting.pop().map(|Reverse((_, agent, asked))| (agent, asked))
    }
}
