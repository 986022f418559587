//! The machine at a real ensemble: one task that steps it and carries out what it wants.

use std::error::Error as _;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use reeve_machine::{Machine, Tick};
use reeve_model::MasterInfo;
use reeve_zookeeper::client::{CreateMode, Error, OneshotWatcher, SessionState};
use reeve_zookeeper::{Client, Options, Url, acls, connect};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock;
use crate::machine::{Effect, Election, Event, Failure, Happened, Remark, Request, Session, Stand};
use crate::members::PREFIX;

/// How long the end of a session may take before it is left to end by itself.
const PARTING: Duration = Duration::from_secs(1);

/// Where the machine's words about leading go.
pub(crate) trait Audience: Send + 'static {
    fn stand(&mut self, stand: Stand, leader: Option<Arc<MasterInfo>>);
    fn extend(&mut self, until: Tick);
    fn hear(&mut self, _: &Remark) {}
}

/// A seed for jitter.
pub(crate) fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What comes back from the tasks that wait for the servers.
enum Input {
    Opened(Session, Client),
    Listed(Session, Vec<String>, OneshotWatcher),
    Happened(Session, Happened),
}

/// Runs an election until `stop` is cancelled; then the own znode goes, and the session.
pub(crate) async fn run(
    election: Election,
    url: Url,
    options: Options,
    audience: impl Audience,
    stop: CancellationToken,
) {
    let (inputs, queue) = mpsc::unbounded_channel();
    let shell = Shell {
        election,
        url: Arc::new(url),
        options,
        audience,
        inputs,
        current: None,
        closing: JoinSet::new(),
    };
    shell.run(queue, stop).await;
}

struct Shell<A> {
    election: Election,
    url: Arc<Url>,
    options: Options,
    audience: A,
    inputs: UnboundedSender<Input>,
    current: Option<Current>,
    closing: JoinSet<()>,
}

/// The session that is being opened, or is open.
struct Current {
    session: Session,
    client: Option<Client>,
    /// Dropped with the session: nobody waits for its answers any more.
    tasks: JoinSet<()>,
    watch: Option<AbortHandle>,
}

impl<A: Audience> Shell<A> {
    async fn run(mut self, mut queue: UnboundedReceiver<Input>, stop: CancellationToken) {
        self.step(Event::Timer);
        while !stop.is_cancelled() {
            let deadline = self.election.deadline();
            tokio::select! {
                () = stop.cancelled() => {}
                Some(input) = queue.recv() => self.take(input),
                () = sleep_until(deadline) => self.step(Event::Timer),
            }
            while self.closing.try_join_next().is_some() {}
        }
        self.step(Event::Resigned);
        while self.closing.join_next().await.is_some() {}
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Opened(session, client) => {
                let timeout = client.session_timeout();
                let Some(current) = self.of(session) else { return };
                current.client = Some(client.clone());
                let inputs = self.inputs.clone();
                if let Some(current) = self.of(session) {
                    current.tasks.spawn(tell_states(client, session, inputs));
                }
                self.step(Event::With(session, Happened::Opened(timeout)));
            }
            Input::Listed(session, names, watcher) => {
                let inputs = self.inputs.clone();
                let Some(current) = self.of(session) else { return };
                let watch = current.tasks.spawn(async move {
                    watcher.changed().await;
                    drop(inputs.send(Input::Happened(session, Happened::Changed)));
                });
                // One watch does; it is set before the last one goes.
                if let Some(old) = current.watch.replace(watch) {
                    old.abort();
                }
                self.step(Event::With(session, Happened::Listed(names)));
            }
            Input::Happened(session, happened) => self.step(Event::With(session, happened)),
        }
        if let Some(current) = &mut self.current {
            while current.tasks.try_join_next().is_some() {}
        }
    }

    fn of(&mut self, session: Session) -> Option<&mut Current> {
        self.current.as_mut().filter(|current| current.session == session)
    }

    fn step(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.election.step(clock::now(), event, &mut effects);
        for effect in effects {
            match effect {
                Effect::Open(session) => self.open(session),
                Effect::Close(session, own) => self.close(session, own),
                Effect::Ask(session, request) => self.ask(session, request),
                Effect::Stand(stand, leader) => self.audience.stand(stand, leader),
                Effect::Extend(until) => self.audience.extend(until),
                Effect::Say(remark) => {
                    self.audience.hear(&remark);
                    say(&self.url, remark);
                }
            }
        }
    }

    fn open(&mut self, session: Session) {
        let (url, options) = (Arc::clone(&self.url), self.options.clone());
        let inputs = self.inputs.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let input = match connect(&url, &options).await {
                Ok(client) => Input::Opened(session, client),
                Err(error) => Input::Happened(session, Happened::Over(chain(&error))),
            };
            drop(inputs.send(input));
        });
        self.current = Some(Current { session, client: None, tasks, watch: None });
    }

    /// The session ends with the last of its clients: here, once the znode is gone.
    fn close(&mut self, session: Session, own: Option<Arc<str>>) {
        if self.of(session).is_none() {
            return;
        }
        let Some(Current { client: Some(client), .. }) = self.current.take() else { return };
        let Some(own) = own else { return };
        self.closing.spawn(async move {
            let path = format!("/{own}");
            drop(tokio::time::timeout(PARTING, client.delete(&path, None)).await);
        });
    }

    fn ask(&mut self, session: Session, request: Request) {
        let (inputs, url) = (self.inputs.clone(), Arc::clone(&self.url));
        let Some(current) = self.of(session) else { return };
        let Some(client) = current.client.clone() else { return };
        current.tasks.spawn(async move {
            let answer = perform(&client, &url, session, &request).await;
            let input =
                answer.unwrap_or_else(|error| Input::Happened(session, failure(request, &error)));
            drop(inputs.send(input));
        });
    }
}

async fn sleep_until(deadline: Option<Tick>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.since(clock::now())).await,
        None => std::future::pending().await,
    }
}

async fn tell_states(client: Client, session: Session, inputs: UnboundedSender<Input>) {
    let mut states = client.state_watcher();
    // The session must end when its owner lets go of it.
    drop(client);
    loop {
        let happened = match states.changed().await {
            SessionState::Disconnected => Happened::Down,
            SessionState::SyncConnected | SessionState::ConnectedReadOnly => Happened::Up,
            SessionState::Expired => Happened::Over("the session of ZooKeeper expired".to_owned()),
            other => Happened::Over(format!("the session of ZooKeeper ended: {other}")),
        };
        let over = matches!(happened, Happened::Over(_));
        if inputs.send(Input::Happened(session, happened)).is_err() || over {
            return;
        }
    }
}

async fn perform(
    client: &Client,
    url: &Url,
    session: Session,
    request: &Request,
) -> Result<Input, Error> {
    let happened = match request {
        Request::List => {
            let (names, watcher) = client.list_and_watch_children("/").await?;
            return Ok(Input::Listed(session, names, watcher));
        }
        Request::Create(data) => {
            let options = CreateMode::EphemeralSequential.with_acls(acls(url));
            let (_, number) = client.create(&format!("/{PREFIX}"), data, &options).await?;
            Happened::Created(format!("{PREFIX}{number}"))
        }
        Request::Find => Happened::Found(find(client).await?),
        Request::Read(name) => {
            let data = match client.get_data(&format!("/{name}")).await {
                Ok((data, _)) => Some(data),
                Err(Error::NoNode) => None,
                Err(error) => return Err(error),
            };
            Happened::Read(name.clone(), data)
        }
        Request::Renew(name, data) => {
            let sent = clock::now();
            let there = match client.set_data(&format!("/{name}"), data, None).await {
                Ok(_) => true,
                Err(Error::NoNode) => false,
                Err(error) => return Err(error),
            };
            Happened::Renewed(sent, there)
        }
    };
    Ok(Input::Happened(session, happened))
}

/// The candidates' znodes that belong to this session. What it created before its connection broke
/// may not have reached the server that answers now, so that server catches up first.
async fn find(client: &Client) -> Result<Vec<String>, Error> {
    client.sync("/").await?;
    let mut own = Vec::new();
    for name in client.list_children("/").await? {
        if !name.starts_with(PREFIX) {
            continue;
        }
        let stat = client.check_stat(&format!("/{name}")).await?;
        if stat.is_some_and(|stat| stat.ephemeral_owner == client.session_id().0) {
            own.push(name);
        }
    }
    Ok(own)
}

fn failure(request: Request, error: &Error) -> Happened {
    match error {
        Error::SessionExpired | Error::SessionMoved | Error::AuthFailed | Error::ClientClosed => {
            Happened::Over(format!("the session of ZooKeeper ended: {error}"))
        }
        Error::NoAuth => {
            let why = "not authorized; name a user that may, as in zk://user:password@host/path";
            Happened::Failed(request, Failure::Refused(why.to_owned()))
        }
        Error::NoNode
        | Error::NodeExists
        | Error::NoChildrenForEphemerals
        | Error::InvalidAcl
        | Error::NotReadOnly
        | Error::QuotaExceeded
        | Error::Throttled
        | Error::Unimplemented
        | Error::MarshallingError
        | Error::BadArguments(_) => Happened::Failed(request, Failure::Refused(error.to_string())),
        _ => Happened::Failed(request, Failure::Unknown(error.to_string())),
    }
}

fn chain(error: &reeve_zookeeper::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn say(url: &Url, remark: Remark) {
    match remark {
        Remark::Trouble(why) => warn!(zookeeper = %url, "{why}; trying again"),
        Remark::OddName(name) => {
            warn!(zookeeper = %url, name, "a znode with a number is no master's; it is ignored");
        }
        Remark::OldLeader(name) => {
            info!(zookeeper = %url, name, "the leading master is older than Mesos 0.24");
        }
        Remark::Unreadable(name, why) => {
            warn!(zookeeper = %url, name, why, "the leading master's znode can't be read");
        }
    }
}
