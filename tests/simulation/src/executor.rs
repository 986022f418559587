//! Executors as processes: they subscribe, run scripted tasks, report until told that a report is
//! safe, and come back to a restarted agent if their framework checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reeve_agent_core::effect::ToExecutor;
use reeve_machine::sim::Node;
use reeve_machine::{Chance, Tick};
use reeve_model::{
    ContainerId, ExecutorId, FrameworkId, TaskId, TaskInfo, TaskState, TaskStatus, Uuid,
};

use crate::cluster::Cluster;
use crate::faults::Fault;
use crate::parcel::{Parcel, ms, secs};

/// How long an executor looks for its agent (`--recovery_timeout`).
const RECOVERY_TIMEOUT: Duration = secs(15 * 60);

/// Longer than any run.
const FOR_GOOD: Duration = secs(24 * 3600);

/// One executor's process.
#[derive(Debug)]
pub struct ExecutorProcess {
    /// The agent, by its number.
    pub agent: usize,
    /// Whose it is.
    pub framework: FrameworkId,
    /// Its id.
    pub id: ExecutorId,
    /// The container it is in.
    pub container: ContainerId,
    /// Whether it ends with its one task.
    pub command: bool,
    /// Whether it outlives its agent.
    pub checkpoint: bool,
    /// Its attempts to subscribe.
    attempt: u64,
    /// Whether the latest attempt stands.
    subscribed: bool,
    alone_since: Option<Tick>,
    tasks: BTreeMap<TaskId, Run>,
    /// Updates that it was not told to be safe, in order.
    unsafe_updates: Vec<TaskStatus>,
    leaving: bool,
    /// It does nothing any more, and does not end either.
    pub hangs: bool,
}

#[derive(Debug)]
struct Run {
    info: Arc<TaskInfo>,
    state: TaskState,
    /// Whether any of its updates was told to be safe.
    heard: bool,
}

impl ExecutorProcess {
    /// A process that has just started.
    pub fn new(
        agent: usize,
        framework: FrameworkId,
        id: ExecutorId,
        container: ContainerId,
        command: bool,
        checkpoint: bool,
    ) -> Self {
        ExecutorProcess {
            agent,
            framework,
            id,
            container,
            command,
            checkpoint,
            attempt: 0,
            subscribed: false,
            alone_since: None,
            tasks: BTreeMap::new(),
            unsafe_updates: Vec::new(),
            leaving: false,
            hangs: false,
        }
    }

    /// Whether this is its latest attempt to subscribe.
    pub fn is_current(&self, attempt: u64) -> bool {
        self.attempt == attempt
    }

    /// Tasks that did not end.
    pub(crate) fn live(&self) -> Vec<TaskId> {
        let live = self.tasks.iter().filter(|(_, run)| !run.state.is_terminal());
        live.map(|(id, _)| id.clone()).collect()
    }
}

impl Cluster {
    /// An executor tries to subscribe, unless it did since or may not any more.
    pub(crate) fn executor_tries(&mut self, node: Node, attempt: u64) {
        let now = self.world.now();
        let retry = self.dice.duration(ms(50)..secs(2));
        let Some(executor) = self.executors.get_mut(&node) else { return };
        if executor.subscribed || executor.attempt != attempt {
            return;
        }
        let alone = *executor.alone_since.get_or_insert(now);
        if now.since(alone) > RECOVERY_TIMEOUT {
            return self.executor_exits(node, 0);
        }
        executor.attempt += 1;
        let attempt = executor.attempt;
        let fresh = executor.tasks.values().filter(|run| !run.heard);
        let tasks = fresh.map(|run| run.info.clone()).collect();
        let updates = executor.unsafe_updates.clone();
        let agent = self.agents[executor.agent].node;
        self.world.watch(node, agent);
        self.world.send(node, agent, Parcel::ExecutorSubscribes(attempt, tasks, updates));
        self.world.local(node, retry, Parcel::ExecutorTries(attempt));
    }

    /// The agent is gone, or its stream is.
    pub(crate) fn executor_alone(&mut self, node: Node) {
        self.tell(|| format!("executor {} is alone", node.0));
        let wait = self.dice.duration(ms(1)..ms(500));
        let Some(executor) = self.executors.get_mut(&node) else { return };
        if !executor.checkpoint {
            return self.executor_exits(node, 0);
        }
        executor.subscribed = false;
        let newly = executor.alone_since.is_none();
        executor.alone_since.get_or_insert(self.world.now());
        let attempt = executor.attempt;
        let agent = self.agents[executor.agent].node;
        if newly && !self.peace && !self.world.is_up(agent) && self.dice.one_in(20) {
            executor.hangs = true;
            self.world.pause(node, FOR_GOOD);
            return self.fault(Fault::ExecutorHangs);
        }
        self.world.local(node, wait, Parcel::ExecutorTries(attempt));
    }

    pub(crate) fn executor_hears(&mut self, node: Node, attempt: u64, event: ToExecutor) {
        self.tell(|| format!("executor {} <- {event:?} on attempt {attempt}", node.0));
        let Some(executor) = self.executors.get_mut(&node) else { return };
        if attempt != executor.attempt {
            // It has closed that stream long since.
            let agent = self.agents[executor.agent].node;
            return self.world.send(node, agent, Parcel::ExecutorStreamEnds(attempt));
        }
        if !executor.subscribed && !matches!(event, ToExecutor::Subscribed { .. }) {
            return;
        }
        let agent = executor.agent;
        match event {
            ToExecutor::Subscribed { .. } => {
                executor.subscribed = true;
                executor.alone_since = None;
                // What it reported since it asked is not known yet; the rest goes a second time.
                for status in executor.unsafe_updates.clone() {
                    let status = Parcel::ExecutorUpdates(status);
                    self.world.send(node, self.agents[agent].node, status);
                }
                self.agent_may_die(agent);
            }
            ToExecutor::Launch(task) => {
                self.executor_launches(node, &task);
                self.agent_may_die(agent);
            }
            ToExecutor::LaunchGroup(tasks) => {
                tasks.iter().for_each(|task| self.executor_launches(node, task));
                self.agent_may_die(agent);
            }
            ToExecutor::Kill(task, _) => self.executor_kills(node, &task),
            ToExecutor::Acknowledged(task, uuid) => self.executor_relieved(node, &task, uuid),
            ToExecutor::Shutdown(_) => self.executor_leaves(node),
            ToExecutor::Message(_) | ToExecutor::Error(_) | ToExecutor::Heartbeat => {}
        }
    }

    fn executor_launches(&mut self, node: Node, task: &Arc<TaskInfo>) {
        let Some(executor) = self.executors.get_mut(&node) else { return };
        let key = (executor.framework.clone(), task.id.clone());
        let run = Run { info: task.clone(), state: TaskState::Staging, heard: false };
        executor.tasks.insert(task.id.clone(), run);
        let starts = self.starts.entry(key).or_insert(0);
        *starts += 1;
        let starts = *starts;
        if starts > 1 {
            self.violated(format!("task {} is started for the {starts}th time", task.id));
        }
        // Some say nothing for a while.
        let longest = if self.dice.one_in(4) { secs(10) } else { ms(1) };
        let soon = self.dice.duration(Duration::ZERO..longest);
        self.world.local(node, soon, Parcel::TaskStep(task.id.clone()));
    }

    /// A task comes one step further in its script.
    pub(crate) fn task_step(&mut self, node: Node, task: &TaskId) {
        let Some(run) = self.executors.get(&node).and_then(|it| it.tasks.get(task)) else { return };
        match run.state {
            TaskState::Staging => {
                self.report(node, task, TaskState::Starting);
                let soon = self.dice.duration(ms(1)..ms(300));
                self.world.local(node, soon, Parcel::TaskStep(task.clone()));
            }
            TaskState::Starting => {
                self.report(node, task, TaskState::Running);
                let span = self.task_span();
                self.world.local(node, span, Parcel::TaskStep(task.clone()));
            }
            TaskState::Running => {
                let failed = self.dice.one_in(8);
                let state = if failed { TaskState::Failed } else { TaskState::Finished };
                self.report(node, task, state);
            }
            TaskState::Killing => self.report(node, task, TaskState::Killed),
            _ => {}
        }
    }

    fn task_span(&mut self) -> Duration {
        match self.dice.below(4) {
            0 => self.dice.duration(ms(1)..ms(200)),
            1 | 2 => self.dice.duration(secs(1)..secs(60)),
            _ => self.dice.duration(secs(60)..secs(1200)),
        }
    }

    fn executor_kills(&mut self, node: Node, task: &TaskId) {
        let Some(run) = self.executors.get_mut(&node).and_then(|it| it.tasks.get_mut(task)) else {
            return;
        };
        if run.state.is_terminal() || run.state == TaskState::Killing {
            return;
        }
        if run.state != TaskState::Running {
            return self.report(node, task, TaskState::Killed);
        }
        run.state = TaskState::Killing;
        let soon = self.dice.duration(ms(1)..secs(4));
        self.world.local(node, soon, Parcel::TaskStep(task.clone()));
    }

    fn executor_relieved(&mut self, node: Node, task: &TaskId, uuid: Uuid) {
        let Some(executor) = self.executors.get_mut(&node) else { return };
        executor.unsafe_updates.retain(|status| status.uuid != Some(uuid));
        if let Some(run) = executor.tasks.get_mut(task) {
            run.heard = true;
        }
        let done = executor.live().is_empty() && executor.unsafe_updates.is_empty();
        if done && !executor.tasks.is_empty() && (executor.command || executor.leaving) {
            let soon = self.dice.duration(ms(1)..ms(500));
            self.world.local(node, soon, Parcel::ExecutorExits(0));
        }
    }

    fn executor_leaves(&mut self, node: Node) {
        let hangs = self.dice.one_in(4);
        let span = self.dice.duration(ms(1)..secs(6));
        let Some(executor) = self.executors.get_mut(&node) else { return };
        executor.leaving = true;
        let live = executor.live();
        for task in live {
            self.report(node, &task, TaskState::Killed);
        }
        if !hangs {
            self.world.local(node, span, Parcel::ExecutorExits(0));
        }
    }

    /// Something kills a running task of the executor: the script goes wrong.
    pub(crate) fn task_breaks(&mut self, node: Node) -> bool {
        let Some(executor) = self.executors.get(&node) else { return false };
        let Some(task) = executor.live().into_iter().next() else { return false };
        self.report(node, &task, TaskState::Failed);
        true
    }

    fn report(&mut self, node: Node, task: &TaskId, state: TaskState) {
        let uuid = uuid(&mut self.dice);
        let Some(executor) = self.executors.get_mut(&node) else { return };
        if let Some(run) = executor.tasks.get_mut(task) {
            run.state = state;
        }
        let status = TaskStatus { uuid: Some(uuid), ..TaskStatus::new(task.clone(), state) };
        executor.unsafe_updates.push(status.clone());
        if executor.subscribed {
            let agent = self.agents[executor.agent].node;
            self.world.send(node, agent, Parcel::ExecutorUpdates(status));
            if !self.peace && self.dice.one_in(100) {
                // The worst moment: the update arrives, and nobody hears that it did.
                self.fault(Fault::Reset);
                self.world.cut(agent, node, false);
                self.executor_alone(node);
            }
        }
    }

    /// The process is over, by itself or not.
    pub(crate) fn executor_exits(&mut self, node: Node, status: i32) {
        let Some(executor) = self.executors.remove(&node) else { return };
        self.world.crash(node);
        self.container_over(executor.agent, &executor.container, status);
    }
}

/// A random uuid.
pub fn uuid(dice: &mut Chance) -> Uuid {
    let high = u128::from(dice.next_u64()) << 64;
    Uuid::from_chance((high | u128::from(dice.next_u64())).to_be_bytes())
}
