//! Everything that travels or waits in the simulated cluster.

use std::sync::Arc;
use std::time::Duration;

use reeve_agent_core::effect::{Record, ToExecutor, ToMaster};
use reeve_agent_core::event as agent;
use reeve_machine::Tick;
use reeve_machine::sim::Node;
use reeve_master_core::effect::{ToAgent, ToScheduler};
use reeve_master_core::event::{Ask, Call};
use reeve_model::{ContainerId, FrameworkId, FrameworkInfo, TaskId, TaskInfo, TaskStatus};

use crate::master::InTerm;
use crate::zookeeper::{Among, FromKeeper, ToKeeper};

/// A message between nodes, or something a node waits for.
#[derive(Clone, Debug)]
pub enum Parcel {
    /// Master to agent.
    ToAgent(ToAgent),
    /// Agent to master.
    ToMaster(ToMaster, u64),

    /// A scheduler opens its stream; it numbers its attempts.
    Subscribe(u64, Arc<FrameworkInfo>),
    /// A scheduler calls, on the claim of its attempt.
    Call(u64, FrameworkId, Call),
    /// Master to scheduler, on the stream of an attempt.
    Event(u64, ToScheduler),
    /// The stream of an attempt ends.
    StreamEnds(u64),

    /// An executor opens its stream.
    ExecutorSubscribes(u64, Vec<Arc<TaskInfo>>, Vec<TaskStatus>),
    /// An executor reports.
    ExecutorUpdates(TaskStatus),
    /// Agent to executor, on the stream of an attempt.
    ToExecutor(u64, ToExecutor),
    /// An executor's stream ends.
    ExecutorStreamEnds(u64),

    /// Something of a master's term of that number.
    InTerm(u64, InTerm),

    /// A process asks a server of ZooKeeper.
    ToKeeper(ToKeeper),
    /// It answers.
    FromKeeper(FromKeeper),
    /// What its servers do among themselves.
    Among(Among),
    /// A client's ping is due, on the connection of that attempt.
    ClientTicks(u64),
    /// A client tries another server.
    ClientRetries(u64),
    /// An election machine's deadline, perhaps.
    ElectorWakes(Tick),

    /// A write of an agent is over.
    AgentWrote(agent::WriteId, Box<Record>, bool),
    /// An agent's deadline, perhaps.
    AgentWakes(Tick),
    /// An agent learns of something on its own machine.
    AgentSees(agent::Kind),
    /// A container is to be made now.
    Launches(ContainerId),
    /// A container is to be destroyed now.
    Destroys(ContainerId),

    /// A task comes one step further.
    TaskStep(TaskId),
    /// An executor tries to subscribe (again).
    ExecutorTries(u64),
    /// An executor ends.
    ExecutorExits(i32),

    /// A scheduler does something of its own accord.
    SchedulerActs,
    /// A scheduler tries to subscribe (again), unless it tried again since.
    SchedulerTries(u64),

    /// Something is to go wrong.
    Mischief,
    /// An operator asks the leader for something.
    Operator(Box<Ask>),
    /// An operator brings back what is down.
    OperatorTidies,
    /// A machine is installed anew.
    Wiped(Node),
    /// A node's process starts again.
    Restart(Node),
    /// A second connection opens between two nodes.
    Doubles(Node, Node),
    /// What went wrong between two nodes is over.
    Heals(Node, Node),
    /// A node's disk behaves again.
    DiskHeals(Node),
    /// What everybody knows is compared; the second time it must be the same.
    Compare(bool),
    /// No more faults: everything must settle from here.
    Peace,
    /// The frameworks are ended.
    Curtain,
}

/// Between two things that happen in order on a node: clocks that are rounded do not change it.
pub const APART: Duration = Duration::from_micros(1);

/// So many milliseconds.
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many seconds.
pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
