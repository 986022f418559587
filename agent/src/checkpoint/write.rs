//! Records of the core onto disk. Each call returns only when the record survives a crash.

use std::path::Path;

use reeve_agent_core::effect::{Record, TaskReport};
use reeve_agent_runtime::checkpoint::{CheckpointError, Store};
use reeve_model::{
    AgentId, AgentInfo, ContainerId, ExecutorId, ExecutorInfo, ExecutorKind, FrameworkId,
    Resources, StatusUpdate, TaskId, TaskState,
};
use reeve_wire::internal::{StatusUpdateRecord, status_update_record};

use super::layout::{Layout, NO_PID, Run};
use crate::wire::outgoing::{Identity, executor, slave, task};
use crate::wire::resources;

/// Writes the checkpoints of one agent.
#[derive(Debug)]
pub struct Writer {
    layout: Layout,
    store: Store,
    boot_id: String,
    agent: Option<AgentId>,
}

impl Writer {
    /// A writer below `layout` in this boot of the machine. `agent` is the agent found there.
    pub fn new(layout: Layout, store: Store, boot_id: String, agent: Option<AgentId>) -> Self {
        Self { layout, store, boot_id, agent }
    }

    /// Makes one record durable.
    pub fn write(&mut self, record: &Record) -> Result<(), CheckpointError> {
        match record {
            Record::Agent(info) => self.agent(info),
            Record::Framework(info, pid) => {
                let Some(id) = &info.id else { return Ok(()) };
                let room = self.layout.framework(&self.own(), id);
                let bytes = reeve_wire::encode(&info.to_wire());
                self.store.write_record(&room.join("framework.info"), &bytes)?;
                let pid = pid.as_ref().map_or_else(|| NO_PID.to_owned(), ToString::to_string);
                self.store.write(&room.join("framework.pid"), pid.as_bytes())
            }
            Record::Executor(framework, info, container) => {
                self.executor(&self.run(framework, &info.id, container), info)
            }
            Record::HttpMarker(framework, executor, container) => {
                self.mark(&self.run(framework, executor, container), "http.marker")
            }
            Record::DriverPid(framework, executor, container, pid) => {
                let path = self.layout.driver_pid(&self.run(framework, executor, container));
                self.store.write(&path, pid.to_string().as_bytes())
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
                self.store.write_record(&path, &bytes)
            }
            Record::Update(framework, executor, container, update) => {
                let run = self.run(framework, executor, container);
                self.append(&run, &update.status.task, &updated(update))
            }
            Record::Acknowledged(framework, executor, container, task, uuid) => {
                let run = self.run(framework, executor, container);
                let record = StatusUpdateRecord {
                    r#type: status_update_record::Type::Ack.into(),
                    uuid: Some(bytes::Bytes::copy_from_slice(uuid.as_bytes())),
                    ..StatusUpdateRecord::default()
                };
                self.append(&run, task, &record)
            }
            Record::Sentinel(framework, executor, container) => {
                self.mark(&self.run(framework, executor, container), "executor.sentinel")
            }
            Record::Resources(resources) => self.resources(resources),
            Record::Drain(Some(config)) => {
                let bytes = reeve_wire::encode(&config.to_wire());
                self.store.write_record(&self.layout.drain_config(&self.own()), &bytes)
            }
            Record::Drain(None) => self.store.remove(&self.layout.drain_config(&self.own())),
            Record::Forget(_) => self.store.remove(&self.layout.latest_agent()),
        }
    }

    fn agent(&mut self, info: &AgentInfo) -> Result<(), CheckpointError> {
        let Some(id) = info.id.clone() else { return Ok(()) };
        let Self { layout, store, .. } = self;
        store.write(&layout.boot_id(), self.boot_id.as_bytes())?;
        store.write_record(&layout.agent_info(&id), &reeve_wire::encode(&slave(info)))?;
        store.link(&layout.latest_agent(), Path::new(id.as_str()))?;
        self.agent = Some(id);
        Ok(())
    }

    fn executor(&self, run: &Run, info: &ExecutorInfo) -> Result<(), CheckpointError> {
        let room = self.layout.executor(&run.agent, &run.framework, &run.executor);
        let own: &[u8] = if info.kind == ExecutorKind::Command { b"1" } else { b"0" };
        self.store.write(&room.join("executor_generated_for_command_task"), own)?;
        let bytes = reeve_wire::encode(&executor(&run.framework, info));
        self.store.write_record(&room.join("executor.info"), &bytes)?;
        self.store.make_directories(&self.layout.run(run))?;
        self.store.link(&room.join("runs/latest"), Path::new(&*run.container.value))
    }

    fn resources(&self, all: &Resources) -> Result<(), CheckpointError> {
        let records = resources(all).into_iter().map(|resource| reeve_wire::encode(&resource));
        self.store.write_records(&self.layout.resources(), records)?;
        // What Mesos left is out of date now.
        self.store.remove(&self.layout.resource_state())
    }

    fn append(
        &mut self,
        run: &Run,
        task: &TaskId,
        record: &StatusUpdateRecord,
    ) -> Result<(), CheckpointError> {
        let path = self.layout.task(run, task).join("task.updates");
        self.store.append(&path, &reeve_wire::encode(record))
    }

    fn mark(&self, run: &Run, name: &str) -> Result<(), CheckpointError> {
        self.store.write(&self.layout.run(run).join(name), b"")
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
