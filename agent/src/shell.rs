//! The loop around the core: one task owns the machine, takes events in the order they happened,
//! and hands each effect to what can carry it out.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use bytes::Bytes;
use reeve_agent_core::effect::{Effect, Launch, ToExecutor};
use reeve_agent_core::event::{Event, ExecutorSubscription, Kind, LaunchFailure, StreamId};
use reeve_agent_core::view::{Change, View};
use reeve_agent_core::{Agent, Refusal};
use reeve_agent_runtime::{Containerizer, gc};
use reeve_machine::{Machine, Tick, Wall};
use reeve_model::{AgentId, ContainerId, ExecutorId, FrameworkId, Pid, Uuid};
use reeve_module_host::Hooks;
use reeve_module_sdk::isolator::Grants;
use reeve_transport::files::Files;
use reeve_transport::{Codec, Peers, StreamSender};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::authentication::Prover;
use crate::containers::{Surroundings, command, container_info, ending, grants};
use crate::disk::Disk;
use crate::hooks;
use crate::secrets::Secrets;
use crate::story;
use crate::wire::driver::{self, Driver};
use crate::wire::executor;
use crate::wire::outgoing::{self, Identity};

/// The actor that masters and drivers write to.
pub const ACTOR: &str = "slave(1)";

/// What reaches the loop.
#[derive(Debug)]
pub enum Input {
    /// Something happened.
    Happened(Kind),
    /// An executor calls; the answer says whether the call was taken.
    Called(Called, oneshot::Sender<Result<(), Refusal>>),
    /// Somebody wants to know whether the core still works.
    Ping(oneshot::Sender<()>),
}

/// A call of an executor.
#[derive(Debug)]
pub struct Called {
    /// Its framework.
    pub framework: FrameworkId,
    /// Its id.
    pub executor: ExecutorId,
    /// The driver that calls; none over HTTP.
    pub by: Option<Pid>,
    /// What to do once the call is admitted.
    pub then: Then,
    /// Whether it is known that the container broke no limit; asked only where a task ended.
    pub looked: bool,
}

/// What an admitted call does.
#[derive(Debug)]
pub enum Then {
    /// SUBSCRIBE on a new stream.
    Subscribe(StreamId, StreamSender, Codec, Box<ExecutorSubscription>),
    /// The registration of its driver.
    Register(StreamId, Driver, Box<ExecutorSubscription>),
    /// Anything else the core hears of.
    Tell(Kind),
    /// Nothing: the connection lives.
    Nothing,
}

impl Then {
    /// Whether this tells that a task has ended.
    fn ends_a_task(&self) -> bool {
        match self {
            Then::Tell(Kind::ExecutorUpdates(_, _, status)) => status.state.is_terminal(),
            Then::Subscribe(.., subscription) | Then::Register(.., subscription) => {
                subscription.updates.iter().any(|status| status.state.is_terminal())
            }
            Then::Tell(_) | Then::Nothing => false,
        }
    }
}

/// The loop's own state, beside the core's.
#[derive(Debug)]
pub struct Shell {
    /// The core.
    pub agent: Agent,
    /// What others may read.
    pub view: View,
    /// Where the view is published.
    pub published: Arc<ArcSwap<View>>,
    /// Messages to the master.
    pub peers: Peers,
    /// Proof of who this agent is.
    pub prover: Prover,
    /// Containers.
    pub containerizer: Containerizer,
    /// What containers are told.
    pub surroundings: Surroundings,
    /// Who has a say in launches.
    pub hooks: Hooks,
    /// Who knows the secrets of what is launched.
    pub secrets: Secrets,
    /// Checkpoints.
    pub disk: Disk,
    /// What `/files` shows.
    pub files: Files,
    /// Where to send what happens later.
    pub inputs: mpsc::Sender<Input>,
    /// Ends the daemon.
    pub stop: CancellationToken,
    /// Why it can't go on, once it can't.
    pub failure: Arc<OnceLock<String>>,
    /// When the daemon started.
    pub since: Instant,
    /// What messages repeat.
    pub identity: Identity,
    /// Connections of executors.
    pub outlets: BTreeMap<StreamId, Outlet>,
}

/// The way to an executor.
#[derive(Debug)]
pub enum Outlet {
    /// An event stream.
    Stream(StreamSender, Codec),
    /// Its driver.
    Driver(Driver),
}

impl Shell {
    /// Runs until the daemon stops.
    pub async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        let mut effects = Vec::new();
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                received = inputs.recv_many(&mut batch, 256) => {
                    if received == 0 {
                        break;
                    }
                }
                () = until(self.since, self.agent.deadline()) => {
                    batch.push(Input::Happened(Kind::Deadline));
                }
            }
            for input in batch.drain(..) {
                self.take(input, &mut effects);
            }
            self.publish(&effects);
            for effect in effects.drain(..) {
                self.carry_out(effect);
            }
        }
    }

    fn take(&mut self, input: Input, effects: &mut Vec<Effect>) {
        let kind = match input {
            Input::Happened(kind) => Some(kind),
            Input::Called(call, answer) => self.called(call, answer),
            Input::Ping(reply) => {
                // Whoever asked may have given up.
                let _ = reply.send(());
                None
            }
        };
        if let Some(kind) = kind {
            let event = Event { wall: wall(), fresh: fresh(), kind };
            self.agent.step(self.now(), event, effects);
        }
    }

    /// Admits or refuses a call, and says what is to happen.
    fn called(
        &mut self,
        call: Called,
        answer: oneshot::Sender<Result<(), Refusal>>,
    ) -> Option<Kind> {
        let subscribes = matches!(call.then, Then::Subscribe(..) | Then::Register(..));
        let admitted = self.agent.admits(&call.framework, &call.executor, subscribes);
        if let Some(driver) = &call.by
            && !subscribes
            && !self.is_driver_of(driver, &call)
        {
            warn!(%driver, executor = %call.executor, "a message of another driver is dropped");
            return None;
        }
        let taken = admitted.is_ok();
        if taken
            && !call.looked
            && call.then.ends_a_task()
            && let Some(container) = self.agent.container_of(&call.framework, &call.executor)
        {
            self.look(container.clone(), call, answer);
            return None;
        }
        // Who asked may have hung up; the call counts all the same.
        drop(answer.send(admitted));
        match call.then {
            Then::Register(_, driver, _) if !taken => {
                warn!(pid = %driver.pid, executor = %driver.executor, "an executor is not wanted here");
                self.send_to_driver(&driver.pid, driver::shutdown());
                None
            }
            _ if !taken => None,
            Then::Nothing => None,
            Then::Tell(kind) => Some(kind),
            Then::Subscribe(stream, sender, codec, subscription) => {
                self.outlets.insert(stream, Outlet::Stream(sender, codec));
                Some(Kind::ExecutorSubscribes(stream, subscription))
            }
            Then::Register(stream, driver, subscription) => {
                self.outlets.insert(stream, Outlet::Driver(driver));
                Some(Kind::ExecutorSubscribes(stream, subscription))
            }
        }
    }

    /// Whether the sender is the driver that registered for the executor.
    fn is_driver_of(&self, sender: &Pid, call: &Called) -> bool {
        let connection = self.agent.connection_of(&call.framework, &call.executor);
        let outlet = connection.and_then(|stream| self.outlets.get(&stream));
        matches!(outlet, Some(Outlet::Driver(driver)) if driver.pid == *sender)
    }

    /// Takes a call once it is clear that the container broke no limit. The kernel kills for that
    /// on its own, and all that an executor sees is a task that was killed: if a limit is broken,
    /// the container's end says more, and the call is not taken.
    fn look(
        &self,
        container: ContainerId,
        call: Called,
        answer: oneshot::Sender<Result<(), Refusal>>,
    ) {
        let (containerizer, inputs) = (self.containerizer.clone(), self.inputs.clone());
        tokio::spawn(async move {
            if !containerizer.enforce(&container.value).await {
                let call = Called { looked: true, ..call };
                drop(inputs.send(Input::Called(call, answer)).await);
            }
        });
    }

    fn now(&self) -> Tick {
        Tick::after_start(self.since.elapsed())
    }

    /// Readers see a change before anybody can act on the effects that come with it.
    fn publish(&mut self, effects: &[Effect]) {
        let mut changed = false;
        for effect in effects {
            let Effect::Changed(change) = effect else { continue };
            if let Change::Executor(_, facts) = change {
                self.show_sandbox(&facts.sandbox);
            }
            if let Change::Standing(standing) = change {
                self.identity.agent.clone_from(&standing.id);
            }
            if let Change::ExecutorOver(framework, executor) = change {
                self.tell_hooks(framework, executor);
            }
            story::tell(&self.view, change, self.since.elapsed());
            self.view.apply(change.clone());
            changed = true;
        }
        if changed {
            self.published.store(Arc::new(self.view.clone()));
        }
    }

    fn tell_hooks(&self, framework: &FrameworkId, executor: &ExecutorId) {
        if !self.hooks.is_empty() {
            let (hooks, framework) = (self.hooks.clone(), framework.to_string());
            let executor = executor.to_string();
            tokio::spawn(async move { hooks.executor_ended(framework, executor).await });
        }
    }

    /// A sandbox is shown under its host path and, as the latest run, under
    /// `/frameworks/<id>/executors/<id>/runs/latest` (V0-19).
    fn show_sandbox(&self, sandbox: &str) {
        let host = self.surroundings.layout.work_dir().join(sandbox);
        self.files.attach(&host.to_string_lossy(), &host);
        let words: Vec<&str> = sandbox.split('/').collect();
        if let ["slaves", _, rest @ .., _] = words.as_slice() {
            self.files.attach(&format!("/{}/latest", rest.join("/")), &host);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Checkpoint(write, record) => self.disk.write(write, record),
            Effect::ToMaster(to, message) => {
                let (name, body) = outgoing::encode(&message, &self.identity);
                self.peers.send(ACTOR, &to, name, &body);
            }
            Effect::Authenticate(master) => self.prover.prove(master),
            Effect::Link(pid) => self.peers.link(&pid),
            Effect::ToExecutor(stream, message) => self.send_event(stream, &message),
            Effect::CloseExecutor(stream) => {
                self.outlets.remove(&stream);
            }
            Effect::Reconnect(pid) => {
                self.send_to_driver(&pid, driver::reconnect(self.agent.info()));
            }
            Effect::Launch(launch) => self.launch(*launch),
            Effect::Update(container, allowance) => self.update(container, grants(&allowance)),
            Effect::Remind(container, allowance) => self.remind(container, grants(&allowance)),
            Effect::Destroy(container) => self.destroy(container),
            Effect::Remove(path) => self.remove(path),
            Effect::Changed(_) => {}
            Effect::Notice(text) => warn!("{text}"),
            Effect::Exit(why) => {
                info!("{why}");
                self.stop.cancel();
            }
            Effect::Fail(why) => {
                // Whoever waits for the daemon tells it.
                self.failure.get_or_init(|| why);
                self.stop.cancel();
            }
        }
    }

    fn send_event(&mut self, stream: StreamId, message: &ToExecutor) {
        let agent = self.agent.info();
        let (sender, codec) = match self.outlets.get_mut(&stream) {
            None => return,
            Some(Outlet::Stream(sender, codec)) => (sender, codec),
            Some(Outlet::Driver(to)) => {
                if let ToExecutor::Subscribed { framework, .. } = message {
                    to.info = Some(framework.clone());
                }
                let (pid, messages) = (to.pid.clone(), driver::encode(message, to, agent));
                return messages.into_iter().for_each(|one| self.send_to_driver(&pid, one));
            }
        };
        let record = match codec {
            Codec::Protobuf => executor::encode(message, agent),
            Codec::Json => Bytes::from(reeve_wire::json::to_vec(&executor::event(message, agent))),
        };
        if let Err(error) = sender.send(&record) {
            // The reader is gone or does not read: to the core that is the end of the stream.
            warn!(stream = stream.0, %error, "an executor's event was not delivered");
            self.outlets.remove(&stream);
            self.tell(Kind::ExecutorStreamClosed(stream));
        }
    }

    fn send_to_driver(&self, pid: &Pid, (name, body): (&'static str, Bytes)) {
        self.peers.send(ACTOR, pid, name, &body);
    }

    /// Sends an event from within the loop, which must not wait for itself.
    fn tell(&self, kind: Kind) {
        let inputs = self.inputs.clone();
        tokio::spawn(async move { drop(inputs.send(Input::Happened(kind)).await) });
    }

    fn launch(&self, launch: Launch) {
        let agent = self.identity.agent.clone().unwrap_or_else(|| AgentId::new(""));
        let mut spec = match self.surroundings.spec(&launch, &agent) {
            Ok(spec) => spec,
            Err(failure) => return self.tell(Kind::ContainerFailed(launch.container, failure)),
        };
        let (containerizer, inputs) = (self.containerizer.clone(), self.inputs.clone());
        let (secrets, hooks) = (self.secrets.clone(), self.hooks.clone());
        tokio::spawn(async move {
            let container = launch.container.clone();
            let spec = async move {
                let added = hooks::environment(&hooks, &launch.executor).await;
                // What the agent itself says must not be said otherwise.
                added.into_iter().for_each(|(name, value)| {
                    spec.environment.entry(name).or_insert(value);
                });
                let info = container_info(&launch);
                spec.secrets = secrets.of(&command(&launch), info.as_ref()).await?;
                Ok(spec)
            };
            let id = container.value.to_string();
            let outcome = match containerizer.launch_as(id, spec).await {
                Ok(launched) => Kind::ContainerStarted(container.clone(), launched.pid),
                Err(error) => {
                    let failure = LaunchFailure { message: error.to_string() };
                    Kind::ContainerFailed(container.clone(), failure)
                }
            };
            let started = matches!(outcome, Kind::ContainerStarted(..));
            drop(inputs.send(Input::Happened(outcome)).await);
            if started {
                watch(containerizer, container, inputs).await;
            }
        });
    }

    fn update(&self, container: ContainerId, grants: Grants) {
        let (containerizer, inputs) = (self.containerizer.clone(), self.inputs.clone());
        tokio::spawn(async move {
            if let Err(error) = containerizer.update(&container.value, grants).await {
                let failed = Kind::ContainerUpdateFailed(container, error.to_string());
                drop(inputs.send(Input::Happened(failed)).await);
            }
        });
    }

    fn remind(&self, container: ContainerId, grants: Grants) {
        let containerizer = self.containerizer.clone();
        tokio::spawn(async move {
            if let Err(error) = containerizer.update(&container.value, grants).await {
                warn!(container = %container, %error, "a survivor keeps the limits that it has");
            }
        });
    }

    fn destroy(&self, container: ContainerId) {
        let containerizer = self.containerizer.clone();
        tokio::spawn(async move {
            if let Err(error) = containerizer.destroy(&container.value).await {
                error!(container = %container, %error, "a container could not be destroyed");
            }
        });
    }

    fn remove(&self, path: String) {
        let host = self.surroundings.layout.work_dir().join(&path);
        self.files.detach(&host.to_string_lossy());
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            let removed = tokio::task::spawn_blocking(move || gc::remove(&host)).await;
            let outcome = match removed {
                Ok(result) => result.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            drop(inputs.send(Input::Happened(Kind::PathRemoved(path, outcome))).await);
        });
    }
}

/// Waits for a container's end and tells the core.
pub async fn watch(
    containerizer: Containerizer,
    container: ContainerId,
    inputs: mpsc::Sender<Input>,
) {
    if let Some(exit) = containerizer.wait(&container.value).await {
        let ended = Kind::ContainerEnded(container, ending(&exit));
        drop(inputs.send(Input::Happened(ended)).await);
    }
}

async fn until(since: Instant, deadline: Option<Tick>) {
    match deadline {
        Some(tick) => tokio::time::sleep_until((since + tick.since(Tick::default())).into()).await,
        None => std::future::pending().await,
    }
}

/// The time of day.
pub fn wall() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

fn fresh() -> Uuid {
    Uuid(*uuid::Uuid::new_v4().as_bytes())
}
