//! Tasks and their statuses.

use std::collections::BTreeMap;

use reeve_model::{Resources, Role, TaskState, TaskStatus};
use reeve_wire::{WireMessage, json, v1};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::resources::ResourcesView;

/// A part of a task that only passes through, in v0 words.
pub fn v0<M: WireMessage>(message: &M) -> serde_json::Value {
    json::to_value_in(json::Words::V0, message)
}

/// Labels as a list of `{"key":…,"value":…}`.
#[derive(Clone, Copy, Debug)]
pub struct LabelsView<'a>(pub &'a v1::Labels);

impl Serialize for LabelsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.labels.iter().map(v0))
    }
}

/// One status: state and time, and what else it says for people.
#[derive(Clone, Copy, Debug)]
pub struct StatusView<'a>(pub &'a TaskStatus);

impl Serialize for StatusView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let status = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("state", status.state.name())?;
        map.serialize_entry("timestamp", &status.timestamp.map_or(0.0, |time| time.0))?;
        if !status.rest.is_empty() {
            let details = status.details();
            if let Some(labels) = &details.labels {
                map.serialize_entry("labels", &LabelsView(labels))?;
            }
            if let Some(container) = &details.container_status {
                map.serialize_entry("container_status", &v0(container))?;
            }
        }
        if let Some(healthy) = status.healthy {
            map.serialize_entry("healthy", &healthy)?;
        }
        // Not Mesos's: why, which readers otherwise never learn (DESIGN.md §1, promise 5).
        if let Some(message) = &status.message {
            map.serialize_entry("message", message)?;
        }
        if let Some(reason) = status.reason {
            map.serialize_entry("reason", reason.name())?;
        }
        map.end()
    }
}

/// Limits by name: numbers, or the text `Infinity`.
struct Limits<'a>(&'a BTreeMap<String, v1::value::Scalar>);

impl Serialize for Limits<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, limit) in self.0 {
            if limit.value.is_infinite() {
                map.serialize_entry(name, "Infinity")?;
            } else {
                map.serialize_entry(name, &limit.value)?;
            }
        }
        map.end()
    }
}

/// What an endpoint says of a task.
#[derive(Debug)]
pub struct TaskRecord<'a, S> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its framework.
    pub framework: &'a str,
    /// Its executor; empty for a command task.
    pub executor: &'a str,
    /// Its agent.
    pub agent: &'a str,
    /// Its state.
    pub state: TaskState,
    /// What it holds.
    pub resources: &'a Resources,
    /// The role it runs in, if its resources don't tell any more.
    pub role: Option<&'a Role>,
    /// Its statuses, oldest first.
    pub statuses: S,
    /// The rest of its description.
    pub details: v1::TaskInfo,
}

/// A task as an object.
#[derive(Debug)]
pub struct TaskView<'a, S>(pub TaskRecord<'a, S>);

impl<'a, S> Serialize for TaskView<'a, S>
where
    S: Iterator<Item = &'a TaskStatus> + Clone,
{
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let task = &self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", task.id)?;
        map.serialize_entry("name", task.name)?;
        map.serialize_entry("framework_id", task.framework)?;
        map.serialize_entry("executor_id", task.executor)?;
        map.serialize_entry("slave_id", task.agent)?;
        map.serialize_entry("state", task.state.name())?;
        map.serialize_entry("resources", &ResourcesView(task.resources))?;
        if !task.details.limits.is_empty() {
            map.serialize_entry("limits", &Limits(&task.details.limits))?;
        }
        let role = task.resources.iter().find_map(|one| one.allocation.as_ref());
        if let Some(role) = task.role.or(role) {
            map.serialize_entry("role", role.as_str())?;
        }
        let statuses: Vec<StatusView<'_>> = task.statuses.clone().map(StatusView).collect();
        map.serialize_entry("statuses", &statuses)?;
        self.details(&mut map)?;
        map.end()
    }
}

impl<S> TaskView<'_, S> {
    fn details<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let details = &self.0.details;
        if let Some(user) = details.command.as_ref().and_then(|command| command.user.as_ref()) {
            map.serialize_entry("user", user)?;
        }
        if let Some(labels) = &details.labels {
            map.serialize_entry("labels", &LabelsView(labels))?;
        }
        if let Some(discovery) = &details.discovery {
            map.serialize_entry("discovery", &v0(discovery))?;
        }
        if let Some(container) = &details.container {
            map.serialize_entry("container", &v0(container))?;
        }
        if let Some(health_check) = &details.health_check {
            map.serialize_entry("health_check", &v0(health_check))?;
        }
        Ok(())
    }
}
