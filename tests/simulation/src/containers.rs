//! Containers on a simulated agent's machine: they are made, or cannot be, and they end.

use reeve_agent_core::effect::Launch;
use reeve_agent_core::event::{Ending, Kind, LaunchFailure};
use reeve_machine::sim::Node;
use reeve_model::{ContainerId, ExecutorId, ExecutorKind, FrameworkId};

use crate::cluster::{Cluster, Who};
use crate::executor::ExecutorProcess;
use crate::faults::Fault;
use crate::parcel::{Parcel, ms, secs};

/// A container.
#[derive(Debug)]
pub struct Container {
    pub(crate) framework: FrameworkId,
    pub(crate) executor: ExecutorId,
    pub(crate) command: bool,
    pub(crate) checkpoint: bool,
    pub(crate) state: Life,
}

/// Where it is in its life.
#[derive(Debug, PartialEq)]
pub(crate) enum Life {
    /// It is being made.
    Starting,
    /// Its executor is on this node.
    Running(Node),
    /// It ended, with this wait status.
    Over(i32),
}

impl Cluster {
    pub(crate) fn agent_launches(&mut self, which: usize, launch: Launch) {
        let soon = self.dice.duration(ms(5)..secs(2));
        let host = &mut self.agents[which];
        if launch.checkpoint && !host.disk.knows(&launch.container) {
            let container = &launch.container;
            self.violated(format!("G1: container {container} starts without a record"));
            return;
        }
        let container = Container {
            framework: launch.framework.id.clone().unwrap_or_else(|| FrameworkId::new("")),
            executor: launch.executor.id.clone(),
            command: launch.executor.kind == ExecutorKind::Command,
            checkpoint: launch.checkpoint,
            state: Life::Starting,
        };
        host.containers.insert(launch.container.clone(), container);
        self.world.local(host.node, soon, Parcel::Launches(launch.container));
    }

    /// The container is made, or cannot be.
    pub(crate) fn container_starts(&mut self, which: usize, id: &ContainerId) {
        let fails = !self.peace && self.dice.one_in(40);
        let late = if self.dice.one_in(60) { secs(90) } else { secs(1) };
        let soon = self.dice.duration(ms(1)..late);
        let Some(container) = self.agents[which].containers.get_mut(id) else { return };
        if container.state != Life::Starting {
            return;
        }
        if fails {
            self.agents[which].containers.remove(id);
            self.fault(Fault::LaunchFails);
            let failure = LaunchFailure { message: "no such image".to_owned() };
            return self.agent_step(which, Kind::ContainerFailed(id.clone(), failure));
        }
        let node = self.world.add_node();
        self.who.push(Who::Executor);
        container.state = Life::Running(node);
        let process = ExecutorProcess::new(
            which,
            container.framework.clone(),
            container.executor.clone(),
            id.clone(),
            container.command,
            container.checkpoint,
        );
        self.executors.insert(node, process);
        self.world.local(node, soon, Parcel::ExecutorTries(0));
        self.agent_step(which, Kind::ContainerStarted(id.clone(), node.0));
    }

    pub(crate) fn container_destroyed(&mut self, which: usize, id: &ContainerId) {
        match self.agents[which].containers.get(id).map(|container| &container.state) {
            Some(Life::Running(node)) => {
                let node = *node;
                self.executor_exits(node, 9);
            }
            Some(Life::Starting) => self.container_over(which, id, 9),
            Some(Life::Over(_)) | None => {}
        }
    }

    /// A container's last process is gone.
    pub(crate) fn container_over(&mut self, which: usize, id: &ContainerId, status: i32) {
        let soon = self.dice.duration(ms(1)..ms(100));
        let host = &mut self.agents[which];
        if let Some(container) = host.containers.get_mut(id) {
            container.state = Life::Over(status);
        }
        if self.world.is_up(host.node) {
            let ending = Ending { status: Some(status), limitation: None };
            let kind = Kind::ContainerEnded(id.clone(), ending);
            self.world.local(host.node, soon, Parcel::AgentSees(kind));
        }
    }

    pub(crate) fn agent_removes(&mut self, which: usize, path: String) {
        let host = &mut self.agents[which];
        for (id, container) in &host.containers {
            let runs = matches!(container.state, Life::Starting | Life::Running(_));
            if runs && path.contains(&*id.value) {
                self.violated(format!("G6: {path} is deleted under a live container"));
                return;
            }
        }
        host.disk.remove(&path);
        self.world.local(host.node, ms(50), Parcel::AgentSees(Kind::PathRemoved(path, Ok(()))));
    }
}
