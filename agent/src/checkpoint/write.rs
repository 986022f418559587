//! Records of the core onto disk. Each call returns only when the record survives a crash.

use std::path::Path;

use reeve_agent_core::effect::{Record, TaskReport};
use reeve_agent_runtime::checkpoint::{self, CheckpointError, RecordLog};
use reeve_model::{
    AgentId, AgentInfo, ContainerId, ExecutorId, FrameworkId, Resources, StatusUpdate, TaskId,
    TaskState,
};
use reeve_wire::internal::{StatusUpdateRecord, status_update_record};

use super::layout::{Layout, Run};
use crate::wire::outgoing::{Identity, executor, slave, task};
use crate::wire::resources;

/// Writes the checkpoints of one agent.
#[derive(Debug)]
pub struct Writer {
    layout: Layout,
    boot_id: String,
    agent: Option<AgentId>,
}

impl Writer {
    /// A writer below `layout` in this boot of the machine. `agent` is the agent found there.
    pub fn new(layout: Layout, boot_id: String, agent: Option<AgentId>) -> Self {
        Self { layout, boot_id, agent }
    }

    /// Makes one record durable.
    pub fn write(&mut self, record: &Record) -> Result<(), CheckpointError> {
        match record {
            Record::Agent(info) => self.agent(info),
            Record::Framework(info, pid) => {
                let Some(id) = &info.id else { return Ok(()) };
                let room = self.layout.framework(&self.own(), id);
                let bytes = reeve_wire::encode(&info.to_wire());
                checkpoint::write_record(&room.join("framework.info"), &bytes)?;
                let pid = pid.as_ref().map(ToString::to_string).unwrap_or_default();
                checkpoint::write(&room.join("framework.pid"), pid.as_bytes())
            }
            Record::Executor(framework, info, container) => {
                let run = self.run(framework, &info.id, container);
                let room = self.layout.executor(&run.agent, framework, &info.id);
                let bytes = reeve_wire::encode(&executor(framework, info));
                checkpoint::write_record(&room.join("executor.info"), &bytes)?;
                checkpoint::make_directories(&self.layout.run(&run))?;
                checkpoint::link(&room.join("runs/latest"), Path::new(&*container.value))
            }
            Record::HttpMarker(framework, executor, container) => {
                self.mark(&self.run(framework, executor, container), "http.marker")
            }
            Record::Task(framework, executor, container, info) => {
                let run = self.run(framework, executor, container);
                let report = TaskReport {
                    framework: framework.clone(),
                    executor: Some(executor.clone()),
                    task: info.clone(),
                    state: TaskState::Staging,
                    statuses: Vec::new(),
                    pending: None,
                };
                let identity = Identity { agent: self.agent.clone(), ..Identity::default() };
                let bytes = reeve_wire::encode(&task(&identity, &report));
                let path = self.layout.task(&run, &info.id).join("task.info");
                checkpoint::write_record(&path, &bytes)
            }
            Record::Update(framework, executor, container, update) => {
                let run = self.run(framework, executor, container);
                self.append(&run, &update.status.task, updated(update))
            }
            Record::Acknowledged(framework, executor, container, task, uuid) => {
                let run = self.run(framework, executor, container);
                let record = StatusUpdateRecord {
                    r#type: status_update_record::Type::Ack.into(),
                    uuid: Some(bytes::Bytes::copy_from_slice(uuid.as_bytes())),
                    ..StatusUpdateRecord::default()
                };
                self.append(&run, task, record)
            }
            Record::Sentinel(framework, executor, container) => {
                self.mark(&self.run(framework, executor, container), "executor.sentinel")
            }
            Record::Resources(resources) => self.resources(resources),
            Record::Forget(_) => self.forget(),
        }
    }

    fn agent(&mut self, info: &AgentInfo) -> Result<(), CheckpointError> {
        let Some(id) = info.id.clone() else { return Ok(()) };
        checkpoint::write(&self.layout.boot_id(), self.boot_id.as_bytes())?;
        checkpoint::write_record(&self.layout.agent_info(&id), &reeve_wire::encode(&slave(info)))?;
        checkpoint::link(&self.layout.latest_agent(), Path::new(id.as_str()))?;
        self.agent = Some(id);
        Ok(())
    }

    fn resources(&self, all: &Resources) -> Result<(), CheckpointError> {
        let records = resources(all).into_iter().flat_map(|resource| {
            let bytes = reeve_wire::encode(&resource);
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            length.to_ne_bytes().into_iter().chain(bytes)
        });
        checkpoint::write(&self.layout.resources(), &records.collect::<Vec<u8>>())
    }

    fn forget(&self) -> Result<(), CheckpointError> {
        let path = self.layout.latest_agent();
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(CheckpointError::Io { what: "remove", path, source })
            }
            _ => Ok(()),
        }
    }

    fn append(
        &self,
        run: &Run,
        task: &TaskId,
        record: StatusUpdateRecord,
    ) -> Result<(), CheckpointError> {
        let path = self.layout.task(run, task).join("task.updates");
        let (mut log, _) = RecordLog::open(&path)?;
        log.append([&reeve_wire::encode(&record)[..]])
    }

    fn mark(&self, run: &Run, name: &str) -> Result<(), CheckpointError> {
        checkpoint::write(&self.layout.run(run).join(name), b"")
    }

    fn own(&self) -> AgentId {
        // The core writes the agent's own record before anything below it.
        self.agent.clone().unwrap_or_else(|| AgentId::new(""))
    }

    fn run(&self, framework: &FrameworkId, executor: &ExecutorId, container: &ContainerId) -> Run {
        Run {
            agent: self.own(),
            framework: framework.clone(),
            executor: executor.clone(),
            container: container.clone(),
        }
    }
}

fn updated(update: &StatusUpdate) -> StatusUpdateRecord {
    StatusUpdateRecord {
        r#type: status_update_record::Type::Update.into(),
        update: Some(update.to_wire()),
        uuid: None,
    }
}
