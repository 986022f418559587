//! From what the task asks for to what the engine is told: the body of `POST /containers/create`.
//!
//! - `command`: what runs.
//! - `mount`: the parameter of that name.
//! - `network`: networks and ports.
//! - `parameters`: the free `parameters` of a DockerInfo, options of `docker run` by name.
//! - `resources`: CPU and memory.
//! - `volumes`: what is mounted.

mod command;
mod mount;
mod network;
mod parameters;
mod resources;
mod volumes;

use reeve_module_sdk::isolator::{Container, Grants};
use serde_json::{Map, Value, json};

use crate::message::{ContainerInfo, DockerInfo};

pub(crate) use command::Words;
pub(crate) use resources::{Changes, Cpu};
pub(crate) use volumes::in_sandbox;

/// What the task asks for cannot be had. The text goes to the framework.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl Refused {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// The label with the agent's runtime directory, by which an agent knows its own containers.
pub(crate) const AGENT: &str = "reeve.runtime_dir";

/// The label with the container's id.
pub(crate) const CONTAINER: &str = "reeve.container";

/// What is the same for all containers of an agent.
#[derive(Clone, Debug)]
pub(crate) struct Site<'a> {
    /// The value of the label [`AGENT`].
    pub(crate) agent: &'a str,
    /// Where the sandbox is in a container (Mesos's `--sandbox_directory`).
    pub(crate) sandbox: &'a str,
    pub(crate) cpu: Cpu,
    /// The host's memory in bytes.
    pub(crate) host_memory: u64,
}

/// The body of the request, without the environment, which only the shim knows in full; `Env` has
/// what goes on top of it.
pub(crate) fn body(
    site: &Site<'_>,
    container: &Container,
    info: &ContainerInfo,
    docker: &DockerInfo,
    words: Option<&Words>,
) -> Result<Value, Refused> {
    let mut body = json!({
        "Image": docker.image,
        "Tty": info.tty_info.is_some(),
        "AttachStdout": true,
        "AttachStderr": true,
        "Labels": labels(site, container),
        "Env": [
            format!("MESOS_SANDBOX={}", site.sandbox),
            format!("MESOS_DIRECTORY={}", site.sandbox),
            format!("MESOS_CONTAINER_NAME={}", name(&container.id)),
        ],
        "HostConfig": { "Privileged": docker.privileged.unwrap_or(false) },
    });
    grant(&mut body, &container.grants, site.cpu, site.host_memory);
    if let Some(words) = words {
        words.put(&mut body);
    }
    network::put(&mut body, info, docker, &container.grants.ports)?;
    volumes::put(&mut body, info, docker, site.sandbox, &container.sandbox)?;
    parameters::put(&mut body, &docker.parameters)?;
    Ok(body)
}

/// Puts CPU and memory into the body, over what is there of them.
pub(crate) fn grant(body: &mut Value, grants: &Grants, cpu: Cpu, host_memory: u64) {
    for (field, value) in resources::of(grants, cpu, host_memory) {
        body["HostConfig"][field] = value;
    }
}

/// The container's name in the engine. It is not Mesos's `mesos-ID`: a Mesos agent on the same
/// engine removes what has such a name and is not its own.
pub(crate) fn name(id: &str) -> String {
    format!("reeve-{id}")
}

/// Whether the engine takes a container's id as part of a name.
pub(crate) fn check_id(id: &str) -> Result<(), Refused> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !id.is_empty() && id.chars().all(plain) {
        return Ok(());
    }
    Err(Refused(format!(
        "'{id}' cannot be part of the name of a Docker container: letters, digits, '_', '.' and \
         '-' can"
    )))
}

fn labels(site: &Site<'_>, container: &Container) -> Map<String, Value> {
    let mut labels = Map::new();
    let mut label = |name: &str, value: &str| labels.insert(name.to_owned(), json!(value));
    label(AGENT, site.agent);
    label(CONTAINER, &container.id);
    label("reeve.framework", &container.framework);
    label("reeve.executor", &container.executor);
    if let Some(task) = container.task.as_ref().into_option() {
        label("reeve.task", task);
    }
    labels
}

/// Adds to a list in the body, which is made if it is not there.
fn push(list: &mut Value, value: Value) {
    match list {
        Value::Array(all) => all.push(value),
        other => *other = Value::Array(vec![value]),
    }
}

#[cfg(test)]
mod tests;
