//! A task as agent and executor run it: prepared by the isolator, then the wrapper and the
//! command, with the sandbox's files as output.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use prost::Message;
use reeve_isolator_docker::Docker;
use reeve_module_api::v2::{Parameter, ParameterValue};
use reeve_module_sdk::isolator::{Container, Fragment, Grants, Isolator, Ports, Scalar};
use reeve_module_sdk::{Failed, Module, Parameters};
use reeve_tests::engine::{Engine, IMAGE};
use reeve_tests::{processes, until};
use reeve_wire::v1::container_info::{DockerInfo, Type};
use reeve_wire::v1::{CommandInfo, ContainerInfo};

/// An isolator with an engine; `agent` names its runtime directory.
pub(crate) fn isolator(engine: &Engine, agent: &str) -> Docker {
    isolator_of(engine.socket(), engine.room().join(agent), 30_000)
}

pub(crate) fn isolator_of(socket: PathBuf, runtime_dir: PathBuf, timeout_ms: u64) -> Docker {
    let text = |path: PathBuf| ParameterValue::Text(path.to_string_lossy().into_owned().into());
    let parameter = |name: &str, value| Parameter { name: name.into(), value };
    let parameters = [
        parameter("socket", text(socket)),
        parameter("runtime_dir", text(runtime_dir)),
        parameter("shim", text(env!("CARGO_BIN_EXE_reeve-docker").into())),
        parameter("timeout", ParameterValue::Duration(timeout_ms * 1_000_000)),
    ];
    Docker::create(&Parameters::new(parameters)).expect("the parameters are good")
}

/// What a container is made of.
pub(crate) fn docker() -> DockerInfo {
    DockerInfo { image: IMAGE.to_owned(), ..DockerInfo::default() }
}

/// A shell command.
pub(crate) fn shell(script: &str) -> CommandInfo {
    CommandInfo { value: Some(script.to_owned()), ..CommandInfo::default() }
}

/// A container of an engine, as the agent describes it.
pub(crate) fn container(
    engine: &Engine,
    id: &str,
    docker: DockerInfo,
    command: &CommandInfo,
) -> Container {
    let info =
        ContainerInfo { r#type: Type::Docker.into(), docker: Some(docker), ..<_>::default() };
    let sandbox = engine.room().join(format!("box-{id}"));
    std::fs::create_dir_all(&sandbox).expect("a sandbox");
    let scalar = |name: &str, thousandths| Scalar { name: name.into(), thousandths };
    let requests = vec![scalar("cpus", 500), scalar("mem", 64_000)];
    let ports = vec![Ports { first: 31_000, last: 31_000 }];
    Container {
        id: id.into(),
        framework: "framework".into(),
        executor: "executor".into(),
        sandbox: sandbox.to_string_lossy().into_owned().into(),
        grants: Grants { requests: requests.into(), ports: ports.into(), ..Grants::default() },
        container_info: info.encode_to_vec().into(),
        command_info: command.encode_to_vec().into(),
        ..Container::default()
    }
}

/// A task whose shim runs. Dropping it kills the shim, and only that.
pub(crate) struct Task {
    sandbox: PathBuf,
    shim: Child,
    /// What runs another command beside it.
    beside: Vec<String>,
}

impl Task {
    /// Prepares the container and starts the shim.
    pub(crate) fn start(isolator: &Docker, container: &Container) -> Self {
        let fragment = isolator.prepare(container).expect("the container can be prepared");
        Self::run(&fragment, container)
    }

    fn run(fragment: &Fragment, container: &Container) -> Self {
        let sandbox = PathBuf::from(container.sandbox.as_str());
        let output = |name: &str| File::create(sandbox.join(name)).expect("a file");
        let (program, words) = fragment.wrapper.split_first().expect("a wrapper");
        let mut command = Command::new(program.as_str());
        command
            .args(words.iter().map(|word| word.as_str()))
            .args(["--", "/bin/false"])
            .env_clear()
            .envs([("PATH", "/nowhere"), ("GREETING", "hello  you")])
            .current_dir(&sandbox)
            .stdin(Stdio::null())
            .stdout(output("stdout"))
            .stderr(output("stderr"));
        let beside = fragment.exec_wrapper.iter().map(ToString::to_string).collect();
        Self { sandbox, shim: processes::spawn(&mut command), beside }
    }

    /// Runs another command where the task runs.
    pub(crate) fn exec(&self, words: &[&str]) -> Output {
        let (program, first) = self.beside.split_first().expect("a way to run another command");
        processes::run(Command::new(program).args(first).args(words))
    }

    /// The text of a file in the sandbox.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.sandbox.join(name)).unwrap_or_default()
    }

    /// Waits until the output has a text.
    pub(crate) fn says(&self, text: &str) {
        until(&format!("the task to say '{text}'"), || {
            self.read("stdout").contains(text).then_some(())
        });
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.shim.id()).expect("process ids are small");
        kill(Pid::from_raw(pid), signal).expect("the shim runs");
    }

    /// Waits for the end and gives the exit code; none if a signal ended the shim.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        until("the task to end", || self.shim.try_wait().expect("a child")).code()
    }

    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.shim.try_wait(), Ok(None))
    }

    /// The memory that the shim has in use, in kilobytes.
    pub(crate) fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.shim.id());
        let text = std::fs::read_to_string(path).expect("the shim runs");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        drop(self.shim.kill());
        drop(self.shim.wait());
        if std::thread::panicking() {
            let (out, err) = (self.read("stdout"), self.read("stderr"));
            eprintln!("--- the task's stdout:\n{out}--- and stderr:\n{err}");
        }
    }
}

/// Why a container cannot be prepared.
pub(crate) fn refusal(isolator: &Docker, container: &Container) -> String {
    let Failed(why) = isolator.prepare(container).expect_err("it cannot be prepared");
    why
}
