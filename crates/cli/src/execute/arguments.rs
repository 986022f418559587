//! The flags of `mesos-execute` (CLI-1): those that apply become a [`Request`], the others are
//! refused with what to do instead.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser};
use reeve_client::Credentials;
use reeve_model::{Resources, Role, TaskId};
use reeve_wire::v1;

use crate::credentials;

/// What to do with a flag that has no meaning here yet.
const REFUSED: &[(&str, &str)] = &[
    ("task_group", "task groups need the default executor, which this agent does not have"),
    ("appc_image", "AppC images are not supported; use `--docker_image`"),
    ("tty", "terminals are not supported yet"),
    ("effective_capabilities", "Linux capabilities are not supported yet"),
    ("bounding_capabilities", "Linux capabilities are not supported yet"),
    ("hadoop", "there is no HDFS client; serve the package over http and name it in `--task`"),
    ("hdfs", "there is no HDFS client; serve the package over http and name it in `--task`"),
    ("package", "there is no HDFS client; serve the package over http and name it in `--task`"),
    ("overwrite", "there is no HDFS client; serve the package over http and name it in `--task`"),
];

/// Runs one task on a cluster, tells what becomes of it, and exits 0 only if it finished.
#[derive(Clone, Debug, Parser)]
#[command(name = "mesos-execute", version, disable_help_subcommand = true)]
#[command(rename_all = "snake_case")]
pub struct Arguments {
    /// The master: `HOST:PORT`, or `zk://HOST:PORT,HOST:PORT/PATH` for the one that leads, or
    /// `file:///PATH` to a file with either.
    #[arg(long, value_name = "HOST:PORT|URL")]
    pub master: Option<String>,

    /// The certificates (PEM) that ZooKeeper's are checked against; switches TLS to it on.
    #[arg(long, value_name = "FILE")]
    pub zk_tls_ca_file: Option<PathBuf>,

    /// The certificate (PEM) that is shown to ZooKeeper.
    #[arg(long, value_name = "FILE")]
    pub zk_tls_cert_file: Option<PathBuf>,

    /// The key (PEM) of that certificate.
    #[arg(long, value_name = "FILE")]
    pub zk_tls_key_file: Option<PathBuf>,

    /// A whole task as JSON (`TaskInfo`), or `file:///path` or a path to it. Replaces `--name`,
    /// `--command`, `--env` and `--resources`.
    #[arg(long, value_name = "JSON")]
    pub task: Option<String>,

    /// The task's name and id.
    #[arg(long)]
    pub name: Option<String>,

    /// The command to run.
    #[arg(long)]
    pub command: Option<String>,

    /// Run the command in a shell (the default).
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL",
          overrides_with = "no_shell")]
    pub shell: Option<bool>,

    /// Run the command's first word as a program with the other words as its arguments.
    #[arg(long = "no-shell", alias = "no_shell", action = ArgAction::SetTrue,
          overrides_with = "shell")]
    pub no_shell: bool,

    /// Environment variables as a JSON object of strings.
    #[arg(long, value_name = "JSON")]
    pub env: Option<String>,

    /// What the task needs.
    #[arg(long, default_value = "cpus:1;mem:128", value_name = "RESOURCES")]
    pub resources: String,

    /// What runs the task: `mesos`, processes of the agent, or `docker`, a Docker Engine.
    #[arg(long, default_value = "mesos", value_name = "NAME")]
    pub containerizer: String,

    /// The image to run with `--containerizer=docker`. Without `--command` it runs as it is.
    #[arg(long, value_name = "IMAGE")]
    pub docker_image: Option<String>,

    /// The user network of the Docker Engine to be in; the host's network if unset.
    #[arg(long, value_name = "NAME")]
    pub networks: Option<String>,

    /// What to mount in the container as JSON (a list of `Volume`).
    #[arg(long, value_name = "JSON")]
    pub volumes: Option<String>,

    /// Limits of the task's processes as JSON (`RLimitInfo`).
    #[arg(long, value_name = "JSON")]
    pub rlimits: Option<String>,

    /// The role to run in.
    #[arg(long, default_value = "*")]
    pub role: String,

    /// The principal to name to the master.
    #[arg(long, env = "MESOS_PRINCIPAL")]
    pub principal: Option<String>,

    /// The secret that proves the principal, or `file:///path` with it.
    #[arg(long, env = "MESOS_SECRET", hide_env_values = true)]
    pub secret: Option<String>,

    /// Let the task outlive a restart of its agent.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub checkpoint: Option<bool>,

    /// Kill the task after this long, such as `30secs`.
    #[arg(long, alias = "kill-after", value_name = "DURATION", value_parser = duration)]
    pub kill_after: Option<Duration>,

    /// Capabilities of the framework, separated by commas, such as `GPU_RESOURCES`.
    #[arg(long, value_name = "NAMES")]
    pub framework_capabilities: Option<String>,

    /// Be told the finer states of loss, such as TASK_UNREACHABLE (the default).
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL",
          overrides_with = "no_partition_aware")]
    pub partition_aware: Option<bool>,

    /// Be told TASK_LOST instead.
    #[arg(long = "no-partition_aware", alias = "no-partition-aware", action = ArgAction::SetTrue,
          overrides_with = "partition_aware")]
    pub no_partition_aware: bool,

    /// How to talk to the master: `protobuf` or `json`.
    #[arg(long, default_value = "protobuf", value_name = "CODEC")]
    pub content_type: String,

    /// Tell source, reason and message of each status update too.
    #[arg(long, short)]
    pub verbose: bool,
}

/// A flag that can't be taken as it is.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Wrong {
    /// A flag that is needed is missing.
    #[error("--{0} is missing")]
    Missing(&'static str),
    /// A flag of Apache Mesos that does not apply here.
    #[error("--{0} can't be used: {1}")]
    Refused(String, &'static str),
    /// A flag whose value is wrong.
    #[error("--{flag}={value}: {why}")]
    Value {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: String,
        /// What is wrong.
        why: String,
    },
}

/// What the flags ask for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the master is found.
    pub master: String,
    /// The task, without an agent; resources are set when it is launched.
    pub task: v1::TaskInfo,
    /// What the task needs, in no role.
    pub resources: Resources,
    /// The framework.
    pub framework: v1::FrameworkInfo,
    /// Who it belongs to, if that is to be proved.
    pub credentials: Option<Credentials>,
    /// When to kill the task.
    pub kill_after: Option<Duration>,
    /// Whether to speak JSON.
    pub json: bool,
    /// Whether to tell more of each update.
    pub verbose: bool,
}

/// Refuses what of Apache Mesos's flags does not apply, before the others are even read.
pub fn refused(words: &[String]) -> Result<(), Wrong> {
    for word in words.iter().skip(1) {
        let Some(flag) = word.strip_prefix("--") else { continue };
        let flag = flag.split('=').next().unwrap_or_default();
        let flag = flag.strip_prefix("no-").unwrap_or(flag).replace('-', "_");
        if let Some((_, why)) = REFUSED.iter().find(|(name, _)| *name == flag) {
            return Err(Wrong::Refused(flag, why));
        }
    }
    Ok(())
}

impl Arguments {
    /// Checks the flags against each other and makes the request. `user` is who runs this, and
    /// `host` where.
    pub fn request(self, user: String, host: String) -> Result<Request, Wrong> {
        let master = self.master.clone().ok_or(Wrong::Missing("master"))?;
        let json = match self.content_type.as_str() {
            "json" => true,
            "protobuf" => false,
            other => return Err(wrong("content_type", other, "must be `protobuf` or `json`")),
        };
        let role = Role::parse(&self.role).map_err(|e| wrong("role", &self.role, e))?;
        let (task, resources) = self.task_info()?;
        let framework = self.framework(user, host, &task.name, &role)?;
        let (kill_after, verbose) = (self.kill_after, self.verbose);
        let credentials = self.credentials()?;
        Ok(Request { master, task, resources, framework, credentials, kill_after, json, verbose })
    }

    fn credentials(&self) -> Result<Option<Credentials>, Wrong> {
        let Some(secret) = &self.secret else { return Ok(None) };
        let principal = self.principal.as_ref().ok_or(Wrong::Missing("principal"))?;
        let secret = credentials::secret(secret).map_err(|error| wrong("secret", secret, error))?;
        Ok(Some(Credentials::new(principal, secret)))
    }

    fn task_info(&self) -> Result<(v1::TaskInfo, Resources), Wrong> {
        if let Some(text) = &self.task {
            return whole_task(text);
        }
        let name = self.name.clone().ok_or(Wrong::Missing("name"))?;
        let container = self.container()?;
        let command = match (&self.command, &self.docker_image) {
            (None, None) => return Err(Wrong::Missing("command")),
            (command, _) => self.command_info(command.clone())?,
        };
        TaskId::parse(&name).map_err(|error| wrong("name", &name, error))?;
        let resources = Resources::parse(&self.resources, &Role::any())
            .map_err(|error| wrong("resources", &self.resources, error))?;
        let task = v1::TaskInfo {
            name: name.clone(),
            task_id: v1::TaskId { value: name },
            command: Some(command),
            container,
            ..v1::TaskInfo::default()
        };
        Ok((task, resources))
    }

    /// The command; without one the image runs as it is.
    fn command_info(&self, command: Option<String>) -> Result<v1::CommandInfo, Wrong> {
        let shell = command.is_some() && !self.no_shell && self.shell.unwrap_or(true);
        let environment = self.env.as_deref().map(environment).transpose()?;
        let (value, arguments) = match command {
            Some(command) if !shell => {
                let mut words: Vec<String> =
                    command.split_whitespace().map(str::to_owned).collect();
                let program = words.first().cloned();
                let program =
                    program.ok_or_else(|| wrong("command", &command, "names no program"))?;
                if self.docker_image.is_some() {
                    // An image's program gets value and arguments, all as they are.
                    words.remove(0);
                }
                (Some(program), words)
            }
            command => (command, Vec::new()),
        };
        Ok(v1::CommandInfo {
            environment,
            shell: Some(shell),
            value,
            arguments,
            ..v1::CommandInfo::default()
        })
    }

    fn container(&self) -> Result<Option<v1::ContainerInfo>, Wrong> {
        match (self.containerizer.as_str(), &self.docker_image) {
            ("docker", Some(image)) => return docker(self, image).map(Some),
            ("docker", None) => return Err(Wrong::Missing("docker_image")),
            ("mesos", None) => {}
            ("mesos", Some(image)) => {
                let why = "images run in a Docker Engine only; add `--containerizer=docker`";
                return Err(wrong("docker_image", image, why));
            }
            (other, _) => {
                return Err(wrong("containerizer", other, "must be `mesos` or `docker`"));
            }
        }
        let given = [("networks", &self.networks), ("volumes", &self.volumes)];
        if let Some((flag, Some(value))) = given.into_iter().find(|(_, value)| value.is_some()) {
            return Err(wrong(flag, value, "is for `--containerizer=docker`"));
        }
        let Some(text) = &self.rlimits else { return Ok(None) };
        let rlimits: v1::RLimitInfo = reeve_wire::json::from_slice(text.as_bytes())
            .map_err(|error| wrong("rlimits", text, error))?;
        Ok(Some(v1::ContainerInfo {
            r#type: v1::container_info::Type::Mesos.into(),
            rlimit_info: Some(rlimits),
            ..v1::ContainerInfo::default()
        }))
    }

    fn framework(
        &self,
        user: String,
        host: String,
        name: &str,
        role: &Role,
    ) -> Result<v1::FrameworkInfo, Wrong> {
        use v1::framework_info::capability::Type;
        let mut capabilities = vec![Type::MultiRole, Type::ReservationRefinement];
        if !self.no_partition_aware && self.partition_aware.unwrap_or(true) {
            capabilities.push(Type::PartitionAware);
        }
        for name in self.framework_capabilities.iter().flat_map(|names| names.split(',')) {
            let known = Type::from_str_name(name.trim())
                .ok_or_else(|| wrong("framework_capabilities", name, "no such capability"))?;
            if !capabilities.contains(&known) {
                capabilities.push(known);
            }
        }
        let one = |kind: Type| v1::framework_info::Capability { r#type: Some(kind.into()) };
        Ok(v1::FrameworkInfo {
            user,
            name: format!("mesos-execute instance for task '{name}'"),
            roles: vec![role.to_string()],
            checkpoint: Some(self.checkpoint.unwrap_or(false)),
            hostname: Some(host),
            principal: self.principal.clone(),
            capabilities: capabilities.into_iter().map(one).collect(),
            ..v1::FrameworkInfo::default()
        })
    }
}

/// The container in a Docker Engine.
fn docker(arguments: &Arguments, image: &str) -> Result<v1::ContainerInfo, Wrong> {
    use v1::container_info::docker_info::Network;
    if let Some(text) = &arguments.rlimits {
        return Err(wrong("rlimits", text, "is not for `--containerizer=docker`"));
    }
    let volumes: Option<Vec<v1::Volume>> = arguments.volumes.as_deref().map(volumes).transpose()?;
    let network = arguments.networks.clone();
    let docker = v1::container_info::DockerInfo {
        image: image.to_owned(),
        network: network.as_ref().map(|_| Network::User.into()),
        ..v1::container_info::DockerInfo::default()
    };
    let network = network.map(|name| v1::NetworkInfo { name: Some(name), ..Default::default() });
    Ok(v1::ContainerInfo {
        r#type: v1::container_info::Type::Docker.into(),
        docker: Some(docker),
        network_infos: network.into_iter().collect(),
        volumes: volumes.unwrap_or_default(),
        ..v1::ContainerInfo::default()
    })
}

fn volumes(text: &str) -> Result<Vec<v1::Volume>, Wrong> {
    let all: Vec<serde_json::Value> =
        serde_json::from_str(text).map_err(|error| wrong("volumes", text, error))?;
    let volume = |value: &serde_json::Value| reeve_wire::json::from_value(value);
    all.iter().map(volume).collect::<Result<_, _>>().map_err(|error| wrong("volumes", text, error))
}

fn wrong(flag: &'static str, value: &str, why: impl ToString) -> Wrong {
    Wrong::Value { flag, value: value.to_owned(), why: why.to_string() }
}

fn duration(text: &str) -> Result<Duration, String> {
    reeve_config::duration::parse(text)
}

fn environment(text: &str) -> Result<v1::Environment, Wrong> {
    let pairs: std::collections::BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|e| wrong("env", text, format!("must be a JSON object of strings: {e}")))?;
    let variable = |(name, value): (String, String)| v1::environment::Variable {
        name,
        value: Some(value),
        ..v1::environment::Variable::default()
    };
    Ok(v1::Environment { variables: pairs.into_iter().map(variable).collect() })
}

/// `--task`: JSON, or a file that holds it. The agent is filled in at launch, so it may be missing.
fn whole_task(text: &str) -> Result<(v1::TaskInfo, Resources), Wrong> {
    let json = if text.trim_start().starts_with('{') {
        text.to_owned()
    } else {
        let path = text.strip_prefix("file://").unwrap_or(text);
        std::fs::read_to_string(path).map_err(|error| wrong("task", text, error))?
    };
    let mut value: serde_json::Value =
        serde_json::from_str(&json).map_err(|error| wrong("task", text, error))?;
    if let Some(task) = value.as_object_mut() {
        task.entry("agent_id").or_insert_with(|| serde_json::json!({ "value": "" }));
    }
    let mut task: v1::TaskInfo = reeve_wire::json::from_slice(value.to_string().as_bytes())
        .map_err(|error| wrong("task", text, error))?;
    let resources = Resources::try_from(&std::mem::take(&mut task.resources))
        .map_err(|error| wrong("task", text, error))?;
    Ok((task, resources))
}

#[cfg(test)]
mod tests;
