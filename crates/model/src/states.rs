//! Enumerations of a task's life, numbered as on the wire (T-4, T-5; Mesos docs: task state reasons).

use std::fmt;

/// Defines an enumeration whose variants have the wire's numbers and names.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $number:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i32)]
        pub enum $name {
            $($(#[$about])* $variant = $number,)*
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name as the v1 wire spells it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl From<$name> for i32 {
            fn from(value: $name) -> Self {
                value as Self
            }
        }

        /// The error is the number that stands for nothing known.
        impl TryFrom<i32> for $name {
            type Error = i32;

            fn try_from(number: i32) -> Result<Self, i32> {
                match number {
                    $($number => Ok(Self::$variant),)*
                    unknown => Err(unknown),
                }
            }
        }
    };
}

numbered!(
    /// Where a task is in its life.
    TaskState {
        /// The executor is about to start it.
        Starting = 0 "TASK_STARTING",
        /// It runs.
        Running = 1 "TASK_RUNNING",
        /// It ended well.
        Finished = 2 "TASK_FINISHED",
        /// It ended badly.
        Failed = 3 "TASK_FAILED",
        /// It was ended on request.
        Killed = 4 "TASK_KILLED",
        /// It is gone; what frameworks that are not partition-aware hear.
        Lost = 5 "TASK_LOST",
        /// Accepted, not yet with its executor.
        Staging = 6 "TASK_STAGING",
        /// Its description is wrong.
        Error = 7 "TASK_ERROR",
        /// It was asked to end.
        Killing = 8 "TASK_KILLING",
        /// It never started.
        Dropped = 9 "TASK_DROPPED",
        /// Its agent cannot be reached; it may still run.
        Unreachable = 10 "TASK_UNREACHABLE",
        /// Its agent came back without it.
        Gone = 11 "TASK_GONE",
        /// An operator declared its agent gone.
        GoneByOperator = 12 "TASK_GONE_BY_OPERATOR",
        /// Nobody knows of it.
        Unknown = 13 "TASK_UNKNOWN",
    }
);

impl TaskState {
    /// Whether no other state can follow (T-4).
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Finished
            | Self::Failed
            | Self::Killed
            | Self::Lost
            | Self::Error
            | Self::Dropped
            | Self::Gone
            | Self::GoneByOperator => true,
            Self::Starting
            | Self::Running
            | Self::Staging
            | Self::Killing
            | Self::Unreachable
            | Self::Unknown => false,
        }
    }

    /// What a framework is told that is not partition-aware: the finer states of loss are one (T-6).
    #[must_use]
    pub const fn without_partitions(self) -> Self {
        match self {
            Self::Dropped
            | Self::Unreachable
            | Self::Gone
            | Self::GoneByOperator
            | Self::Unknown => Self::Lost,
            other => other,
        }
    }
}

numbered!(
    /// Who speaks in a status.
    Source {
        /// The master.
        Master = 0 "SOURCE_MASTER",
        /// The agent (`SOURCE_SLAVE` in v0).
        Agent = 1 "SOURCE_AGENT",
        /// The executor.
        Executor = 2 "SOURCE_EXECUTOR",
    }
);

numbered!(
    /// Why a task is in its state (mesos.md §5.6 lists who sends which).
    #[allow(missing_docs)]
    Reason {
        CommandExecutorFailed = 0 "REASON_COMMAND_EXECUTOR_FAILED",
        ExecutorTerminated = 1 "REASON_EXECUTOR_TERMINATED",
        ExecutorUnregistered = 2 "REASON_EXECUTOR_UNREGISTERED",
        FrameworkRemoved = 3 "REASON_FRAMEWORK_REMOVED",
        GcError = 4 "REASON_GC_ERROR",
        InvalidFrameworkId = 5 "REASON_INVALID_FRAMEWORKID",
        InvalidOffers = 6 "REASON_INVALID_OFFERS",
        MasterDisconnected = 7 "REASON_MASTER_DISCONNECTED",
        ContainerLimitationMemory = 8 "REASON_CONTAINER_LIMITATION_MEMORY",
        Reconciliation = 9 "REASON_RECONCILIATION",
        AgentDisconnected = 10 "REASON_AGENT_DISCONNECTED",
        AgentRemoved = 11 "REASON_AGENT_REMOVED",
        AgentRestarted = 12 "REASON_AGENT_RESTARTED",
        AgentUnknown = 13 "REASON_AGENT_UNKNOWN",
        TaskInvalid = 14 "REASON_TASK_INVALID",
        TaskUnauthorized = 15 "REASON_TASK_UNAUTHORIZED",
        TaskUnknown = 16 "REASON_TASK_UNKNOWN",
        ContainerPreempted = 17 "REASON_CONTAINER_PREEMPTED",
        ResourcesUnknown = 18 "REASON_RESOURCES_UNKNOWN",
        ContainerLimitation = 19 "REASON_CONTAINER_LIMITATION",
        ContainerLimitationDisk = 20 "REASON_CONTAINER_LIMITATION_DISK",
        ContainerLaunchFailed = 21 "REASON_CONTAINER_LAUNCH_FAILED",
        ContainerUpdateFailed = 22 "REASON_CONTAINER_UPDATE_FAILED",
        ExecutorRegistrationTimeout = 23 "REASON_EXECUTOR_REGISTRATION_TIMEOUT",
        ExecutorReregistrationTimeout = 24 "REASON_EXECUTOR_REREGISTRATION_TIMEOUT",
        TaskGroupInvalid = 25 "REASON_TASK_GROUP_INVALID",
        TaskGroupUnauthorized = 26 "REASON_TASK_GROUP_UNAUTHORIZED",
        IoSwitchboardExited = 27 "REASON_IO_SWITCHBOARD_EXITED",
        TaskCheckStatusUpdated = 28 "REASON_TASK_CHECK_STATUS_UPDATED",
        TaskHealthCheckStatusUpdated = 29 "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED",
        TaskKilledDuringLaunch = 30 "REASON_TASK_KILLED_DURING_LAUNCH",
        AgentRemovedByOperator = 31 "REASON_AGENT_REMOVED_BY_OPERATOR",
        AgentReregistered = 32 "REASON_AGENT_REREGISTERED",
        MaxCompletionTimeReached = 33 "REASON_MAX_COMPLETION_TIME_REACHED",
        AgentDraining = 34 "REASON_AGENT_DRAINING",
    }
);

numbered!(
    /// Where an offer operation is in its life.
    OperationState {
        /// A state newer than who asks.
        Unsupported = 0 "OPERATION_UNSUPPORTED",
        /// On its way.
        Pending = 1 "OPERATION_PENDING",
        /// Done.
        Finished = 2 "OPERATION_FINISHED",
        /// Tried in vain.
        Failed = 3 "OPERATION_FAILED",
        /// Its description is wrong.
        Error = 4 "OPERATION_ERROR",
        /// It never arrived.
        Dropped = 5 "OPERATION_DROPPED",
        /// Its agent cannot be reached.
        Unreachable = 6 "OPERATION_UNREACHABLE",
        /// An operator declared its agent gone.
        GoneByOperator = 7 "OPERATION_GONE_BY_OPERATOR",
        /// Its agent is coming back.
        Recovering = 8 "OPERATION_RECOVERING",
        /// Nobody knows of it.
        Unknown = 9 "OPERATION_UNKNOWN",
    }
);

impl OperationState {
    /// Whether no other state can follow.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Finished | Self::Failed | Self::Error | Self::Dropped | Self::GoneByOperator
        )
    }
}
