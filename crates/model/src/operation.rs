//! What a framework does with an offer: the operations of an ACCEPT (mesos.md §1.5).

use std::sync::Arc;

use reeve_wire::v1;
use reeve_wire::v1::offer::operation::{self, Type};

use crate::error::WireError;
use crate::executor::ExecutorInfo;
use crate::ids::{AgentId, OperationId, TaskId};
use crate::resources::{DiskKind, Quantity, Resource, Resources};
use crate::states::Reason;
use crate::task::{InvalidTask, TaskInfo};
use crate::validate;

/// One step of accepting an offer. With an `id`, the framework hears of the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Run tasks, each for itself. A task that breaks a rule does not keep the others from running.
    Launch(Vec<Result<TaskInfo, InvalidTask>>),
    /// Run tasks together or not at all.
    LaunchGroup {
        /// Who runs them, or the rule that the group as a whole breaks.
        executor: Result<Arc<ExecutorInfo>, String>,
        /// The tasks.
        tasks: Vec<Result<TaskInfo, InvalidTask>>,
    },
    /// Keep resources for a role.
    Reserve {
        /// For feedback.
        id: Option<OperationId>,
        /// What the resources are now; empty if one reservation is pushed.
        source: Resources,
        /// What they are to be.
        resources: Resources,
    },
    /// Undo the innermost reservation.
    Unreserve {
        /// For feedback.
        id: Option<OperationId>,
        /// What the resources are now.
        resources: Resources,
    },
    /// Make persistent volumes.
    Create {
        /// For feedback.
        id: Option<OperationId>,
        /// The volumes.
        volumes: Resources,
    },
    /// Delete persistent volumes with all that is in them.
    Destroy {
        /// For feedback.
        id: Option<OperationId>,
        /// The volumes.
        volumes: Resources,
    },
    /// Make a persistent volume larger.
    GrowVolume {
        /// For feedback.
        id: Option<OperationId>,
        /// The volume.
        volume: Box<Resource>,
        /// What it gets.
        addition: Box<Resource>,
    },
    /// Make a persistent volume smaller.
    ShrinkVolume {
        /// For feedback.
        id: Option<OperationId>,
        /// The volume.
        volume: Box<Resource>,
        /// How much it loses.
        subtract: Quantity,
    },
    /// Make a mount or a block device of raw storage.
    CreateDisk {
        /// For feedback.
        id: Option<OperationId>,
        /// The raw storage.
        source: Box<Resource>,
        /// What to make of it.
        target: DiskKind,
        /// With which storage profile.
        profile: Option<String>,
    },
    /// An operation that the framework may not do. Whoever waits for its outcome hears why.
    Forbidden {
        /// The operation; no launch, whose tasks are forbidden one by one.
        operation: Box<Operation>,
        /// Why not.
        why: String,
    },
    /// Make raw storage of a mount or a block device.
    DestroyDisk {
        /// For feedback.
        id: Option<OperationId>,
        /// The mount or block device.
        source: Box<Resource>,
    },
}

impl Operation {
    /// What it is called on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Launch(_) => "LAUNCH",
            Self::LaunchGroup { .. } => "LAUNCH_GROUP",
            Self::Reserve { .. } => "RESERVE",
            Self::Unreserve { .. } => "UNRESERVE",
            Self::Create { .. } => "CREATE",
            Self::Destroy { .. } => "DESTROY",
            Self::GrowVolume { .. } => "GROW_VOLUME",
            Self::ShrinkVolume { .. } => "SHRINK_VOLUME",
            Self::CreateDisk { .. } => "CREATE_DISK",
            Self::DestroyDisk { .. } => "DESTROY_DISK",
            Self::Forbidden { operation, .. } => operation.name(),
        }
    }

    /// Its id, if the framework wants to hear of the outcome.
    pub fn id(&self) -> Option<&OperationId> {
        match self {
            Self::Launch(_) | Self::LaunchGroup { .. } => None,
            Self::Forbidden { operation, .. } => operation.id(),
            Self::Reserve { id, .. }
            | Self::Unreserve { id, .. }
            | Self::Create { id, .. }
            | Self::Destroy { id, .. }
            | Self::GrowVolume { id, .. }
            | Self::ShrinkVolume { id, .. }
            | Self::CreateDisk { id, .. }
            | Self::DestroyDisk { id, .. } => id.as_ref(),
        }
    }
}

/// Reads a task; if it breaks a rule, the task says which.
fn task(
    wire: v1::TaskInfo,
    rules: fn(&v1::TaskInfo) -> Result<(), String>,
) -> Result<TaskInfo, InvalidTask> {
    let id = TaskId::from(&wire.task_id);
    let agent = AgentId::from(&wire.agent_id);
    let said = rules(&wire);
    let reason = Reason::TaskInvalid;
    let invalid = |message: String| InvalidTask { id, agent, message, reason };
    match said {
        Ok(()) => TaskInfo::try_from(wire).map_err(|error| invalid(error.to_string())),
        Err(message) => Err(invalid(message)),
    }
}

impl TryFrom<v1::offer::Operation> for Operation {
    type Error = WireError;

    fn try_from(wire: v1::offer::Operation) -> Result<Self, WireError> {
        let id = wire.id.map(OperationId::from);
        let kind = wire.r#type.map(Type::try_from);
        let launches = matches!(kind, Some(Ok(Type::Launch | Type::LaunchGroup)));
        if launches && id.is_some() {
            let rule = "must not be set for LAUNCH and LAUNCH_GROUP";
            return Err(WireError::new("operation.id", rule));
        }
        let Some(Ok(kind)) = kind else {
            return Err(WireError::new("operation.type", "is missing or unknown"));
        };
        match kind {
            Type::Unknown => Err(WireError::new("operation.type", "must not be UNKNOWN")),
            Type::Launch => {
                let launch = part(wire.launch, "launch")?;
                let tasks = launch.task_infos.into_iter().map(|one| task(one, validate::task));
                Ok(Self::Launch(tasks.collect()))
            }
            Type::LaunchGroup => launch_group(part(wire.launch_group, "launch_group")?),
            Type::Reserve => {
                let reserve = part(wire.reserve, "reserve")?;
                let source = Resources::try_from(&reserve.source)?;
                Ok(Self::Reserve { id, source, resources: (&reserve.resources).try_into()? })
            }
            Type::Unreserve => {
                let unreserve = part(wire.unreserve, "unreserve")?;
                Ok(Self::Unreserve { id, resources: (&unreserve.resources).try_into()? })
            }
            Type::Create => {
                let volumes = volumes(&part(wire.create, "create")?.volumes)?;
                Ok(Self::Create { id, volumes })
            }
            Type::Destroy => {
                let volumes = volumes(&part(wire.destroy, "destroy")?.volumes)?;
                Ok(Self::Destroy { id, volumes })
            }
            Type::GrowVolume => grow(id, &part(wire.grow_volume, "grow_volume")?),
            Type::ShrinkVolume => shrink(id, &part(wire.shrink_volume, "shrink_volume")?),
            Type::CreateDisk => create_disk(id, part(wire.create_disk, "create_disk")?),
            Type::DestroyDisk => {
                let source = boxed(&part(wire.destroy_disk, "destroy_disk")?.source)?;
                Ok(Self::DestroyDisk { id, source })
            }
        }
    }
}

fn volumes(wire: &[v1::Resource]) -> Result<Resources, WireError> {
    validate::volumes(wire)
        .map_err(|rule| WireError::new("volumes", format!("are invalid: {rule}")))?;
    Resources::try_from(wire)
}

fn grow(id: Option<OperationId>, wire: &operation::GrowVolume) -> Result<Operation, WireError> {
    let volume = boxed(&wire.volume)?;
    Ok(Operation::GrowVolume { id, volume, addition: boxed(&wire.addition)? })
}

fn shrink(id: Option<OperationId>, wire: &operation::ShrinkVolume) -> Result<Operation, WireError> {
    let subtract = Quantity::from_f64(wire.subtract.value);
    if !subtract.is_positive() {
        return Err(WireError::new("operation.shrink_volume.subtract", "must be positive"));
    }
    Ok(Operation::ShrinkVolume { id, volume: boxed(&wire.volume)?, subtract })
}

/// The part of an operation that its type calls for.
fn part<T>(part: Option<T>, name: &str) -> Result<T, WireError> {
    part.ok_or_else(|| WireError::new(format!("operation.{name}"), "must be set for this type"))
}

fn boxed(wire: &v1::Resource) -> Result<Box<Resource>, WireError> {
    Resource::try_from(wire).map(Box::new)
}

fn launch_group(wire: operation::LaunchGroup) -> Result<Operation, WireError> {
    let said = validate::task_group(&wire.task_group, &wire.executor);
    let executor = said
        .and_then(|()| ExecutorInfo::try_from(wire.executor).map_err(|error| error.to_string()));
    let tasks = wire.task_group.tasks.into_iter().map(|one| task(one, validate::group_task));
    Ok(Operation::LaunchGroup { executor: executor.map(Arc::new), tasks: tasks.collect() })
}

fn create_disk(
    id: Option<OperationId>,
    wire: operation::CreateDisk,
) -> Result<Operation, WireError> {
    let target = match v1::resource::disk_info::source::Type::try_from(wire.target_type) {
        Ok(v1::resource::disk_info::source::Type::Mount) => DiskKind::Mount,
        Ok(v1::resource::disk_info::source::Type::Block) => DiskKind::Block,
        _ => {
            let rule = "must be MOUNT or BLOCK";
            return Err(WireError::new("operation.create_disk.target_type", rule));
        }
    };
    let source = boxed(&wire.source)?;
    Ok(Operation::CreateDisk { id, source, target, profile: wire.target_profile })
}
