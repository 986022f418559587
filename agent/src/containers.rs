//! Between the core's containers and the runtime's: what to launch in terms of Linux, and what a
//! restarted agent finds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use reeve_agent_core::effect::{Allowance, Launch};
use reeve_agent_core::event::{Ending, LaunchFailure};
use reeve_agent_core::recovery::{Fate, Recovered};
use reeve_agent_runtime::environment::ExecutorEnvironment;
use reeve_agent_runtime::fetch::Uri;
use reeve_agent_runtime::{self as runtime, Command, Exit, Known, Program, Spec};
use reeve_model::{AgentId, ExecutorKind, Limits, ResourceName, Resources, Value};
use reeve_module_sdk::isolator::{Grants, Ports, Scalar};
use reeve_module_sdk::std_types::RVec;
use reeve_wire::v1;

use crate::checkpoint::layout::{Layout, Run};

/// What every container is told alike.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The tree of sandboxes and checkpoints.
    pub layout: Layout,
    /// Where executors reach this agent.
    pub endpoint: SocketAddr,
    /// How long an executor has to end after SHUTDOWN.
    pub shutdown_grace: Duration,
    /// How long executors wait for a restarted agent.
    pub recovery_timeout: Duration,
    /// The longest pause between two tries to reach it.
    pub subscription_backoff: Duration,
}

impl Surroundings {
    /// The launch in the runtime's terms. `agent` is this agent's id.
    ///
    /// # Errors
    ///
    /// If this agent has no program for such an executor.
    pub fn spec(&self, launch: &Launch, agent: &AgentId) -> Result<Spec, LaunchFailure> {
        let command = command(launch);
        let sandbox = self.layout.work_dir().join(&launch.sandbox);
        let environment = self.environment(launch, agent, &sandbox);
        let container_info = container_info(launch);
        Ok(Spec {
            id: launch.container.value.to_string(),
            pid_file: launch.checkpoint.then(|| self.pid_file(launch, agent)),
            sandbox,
            // A command may name another user than the framework's.
            user: command.user.clone().or_else(|| launch.user.clone()),
            environment,
            secrets: BTreeMap::new(),
            framework: launch.framework.id.as_ref().map(ToString::to_string).unwrap_or_default(),
            executor: launch.executor.id.to_string(),
            task: launch.task.as_ref().map(|task| task.id.to_string()),
            grants: grants(&launch.allowance),
            uris: command.uris.iter().map(uri).collect(),
            // What is fetched may be the credentials of the image's registry.
            fetch_first: container_info.as_ref().is_some_and(is_docker),
            container_info: encoded(container_info.as_ref()),
            command_info: reeve_wire::encode(&command).to_vec(),
            command: match launch.executor.kind {
                ExecutorKind::Command => Command::CommandExecutor,
                ExecutorKind::Custom => Command::Exec(program(command)),
                ExecutorKind::Default => return Err(no_default_executor()),
            },
        })
    }

    fn pid_file(&self, launch: &Launch, agent: &AgentId) -> PathBuf {
        let run = Run {
            agent: agent.clone(),
            framework: launch.framework.id.clone().unwrap_or_else(|| "".into()),
            executor: launch.executor.id.clone(),
            container: launch.container.clone(),
        };
        self.layout.pid_file(&run)
    }

    fn environment(
        &self,
        launch: &Launch,
        agent: &AgentId,
        sandbox: &std::path::Path,
    ) -> BTreeMap<String, String> {
        let framework = launch.framework.id.as_ref();
        let told = ExecutorEnvironment {
            framework_id: framework.map(ToString::to_string).unwrap_or_default(),
            executor_id: launch.executor.id.to_string(),
            agent_id: agent.to_string(),
            agent_pid: format!("slave(1)@{}", self.endpoint),
            agent_endpoint: self.endpoint.to_string(),
            sandbox: sandbox.to_owned(),
            recovery: launch
                .checkpoint
                .then_some((self.recovery_timeout, self.subscription_backoff)),
            shutdown_grace: launch.executor.shutdown_grace.unwrap_or(self.shutdown_grace),
            token: None,
        };
        let mut environment = told.variables();
        // A container starts from a clean slate: of the agent's own environment only the path.
        let path = std::env::var("PATH").unwrap_or_else(|_| DEFAULT_PATH.to_owned());
        environment.insert("PATH".to_owned(), path);
        environment
    }

    /// The containers that checkpoints tell of.
    pub fn known(&self, runs: &[Run]) -> Vec<Known> {
        let known = |run: &Run| Known {
            id: run.container.value.to_string(),
            sandbox: self.layout.work_dir().join(Layout::sandbox(run)),
            pid_file: self.layout.pid_file(run),
        };
        runs.iter().map(known).collect()
    }
}

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Fills in what became of each container.
pub fn fates(recovered: &mut Recovered, found: &runtime::Recovered) {
    let living: BTreeMap<&str, u32> =
        found.living.iter().map(|(id, launched)| (id.as_str(), launched.pid)).collect();
    let exited: BTreeMap<&str, &Exit> =
        found.exited.iter().map(|(id, exit)| (id.as_str(), exit)).collect();
    for executor in recovered.frameworks.iter_mut().flat_map(|one| &mut one.executors) {
        let id = &*executor.container.value;
        executor.fate = match (living.get(id), exited.get(id)) {
            (Some(pid), _) => Fate::Alive(*pid),
            (None, Some(exit)) => Fate::Ended(ending(exit)),
            (None, None) => Fate::Unknown,
        };
    }
}

/// How a container ended, in the core's terms.
pub fn ending(exit: &Exit) -> Ending {
    let limitation = exit.limitation.as_ref();
    Ending {
        status: exit.status,
        limitation: limitation
            .map(|broken| (broken.resource.to_string(), broken.message.to_string())),
    }
}

/// What a container is given, over all roles.
pub fn grants(allowance: &Allowance) -> Grants {
    let ports = allowance.resources.iter().filter_map(|resource| match &resource.value {
        Value::Ranges(ranges) if resource.name == ResourceName::Ports => Some(ranges),
        _ => None,
    });
    let ports = ports.flat_map(|ranges| ranges.iter()).filter_map(|(first, last)| {
        let (first, last) = (u16::try_from(first).ok()?, u16::try_from(last).ok()?);
        Some(Ports { first, last })
    });
    Grants {
        requests: scalars(&allowance.resources),
        ports: ports.collect(),
        limits: limits(allowance.limits),
    }
}

/// The sums of scalars, by name.
pub fn scalars(resources: &Resources) -> RVec<Scalar> {
    let mut sums = BTreeMap::new();
    for resource in resources.iter() {
        if let Value::Scalar(amount) = &resource.value {
            let sum = sums.entry(resource.name.to_string()).or_insert(0_i64);
            *sum = sum.saturating_add(amount.thousandths());
        }
    }
    let scalar = |(name, thousandths): (String, i64)| Scalar { name: name.into(), thousandths };
    sums.into_iter().map(scalar).collect()
}

fn limits(limits: Limits) -> RVec<Scalar> {
    let named = [("cpus", limits.cpus), ("mem", limits.mem)];
    let set = named.into_iter().filter_map(|(name, limit)| Some((name, limit?)));
    set.map(|(name, limit)| Scalar { name: name.into(), thousandths: limit.thousandths() })
        .collect()
}

/// Task groups mostly ask for an executor that comes with the agent (AG-6).
fn no_default_executor() -> LaunchFailure {
    let message = "this agent has no default executor; launch the group with an executor of your \
                   own: type CUSTOM, with a command";
    LaunchFailure { message: message.to_owned() }
}

/// The command whose URIs are fetched: the task's for the command executor, else the executor's.
pub(crate) fn command(launch: &Launch) -> v1::CommandInfo {
    let of_task = || launch.task.as_ref().and_then(|task| task.details().command);
    let of_executor = || launch.executor.details().command;
    match launch.executor.kind {
        ExecutorKind::Command => of_task(),
        ExecutorKind::Custom | ExecutorKind::Default => of_executor(),
    }
    .unwrap_or_default()
}

/// What it runs in, if anything is said of that.
pub(crate) fn container_info(launch: &Launch) -> Option<v1::ContainerInfo> {
    let of_task = launch.task.as_ref().and_then(|task| task.details().container);
    let of_executor = || launch.executor.details().container;
    of_task.or_else(of_executor)
}

fn encoded(info: Option<&v1::ContainerInfo>) -> Vec<u8> {
    info.map(|info| reeve_wire::encode(info).to_vec()).unwrap_or_default()
}

fn is_docker(info: &v1::ContainerInfo) -> bool {
    info.r#type() == v1::container_info::Type::Docker
}

fn program(command: v1::CommandInfo) -> Program {
    Program {
        shell: command.shell(),
        environment: variables(&command),
        value: command.value.unwrap_or_default(),
        arguments: command.arguments,
    }
}

fn variables(command: &v1::CommandInfo) -> BTreeMap<String, String> {
    let all = command.environment.iter().flat_map(|environment| &environment.variables);
    all.filter_map(|one| Some((one.name.clone(), one.value.clone()?))).collect()
}

fn uri(uri: &v1::command_info::Uri) -> Uri {
    Uri {
        value: uri.value.clone(),
        executable: uri.executable(),
        extract: uri.extract(),
        output_file: uri.output_file.clone(),
    }
}
