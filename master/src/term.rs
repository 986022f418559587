//! One term of leadership: all that a leader has and a standby has not.
//!
//! A term begins with the registry, read, and ends with every part of it gone: the core, the
//! allocation machine, the event streams, the connections to peers. Nothing of it is left for the
//! next one but the registry's records, so that a master that led before starts as any other.
//!
//! ```text
//!  sockets ──► inbox ──►┌───────┐──► peers, streams, answers
//!  requests ───────────►│ owner │──► registry ──► committed ─┐
//!  allocation ─ grants ►│ (core)│──► allocation              │
//!        ▲              └───────┘──► readers ──► snapshots   │
//!        └────────────────────────────────────◄──────────────┘
//! ```

use std::sync::Arc;

use reeve_access::Permissions;
use reeve_election::Lease;
use reeve_master_core::event::Kind;
use reeve_master_core::view::Snapshot;
use reeve_master_core::{Master, Options, allocation};
use reeve_model::Pid;
use reeve_module_host::Hooks;
use reeve_registry::{Registry, Store};
use reeve_telemetry::Metrics;
use reeve_transport::libprocess::PeersConfig;
use reeve_transport::{Actors, Inbound, Peers};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::allocation::Allocation;
use crate::approvals::Approvals;
use crate::authentication::{Authentication, Rules};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::dialback::DialBack;
use crate::identity::{ACTOR, Identity};
use crate::messages::{self, OBSERVER, Outbound, Parsed};
use crate::modules::Allocators;
use crate::owner::{Hands, Input, Owner, QUEUE};
use crate::readers::Readers;
use crate::registry::Keeping;
use crate::schedulers::Streams;
use crate::weights::Weights;
use crate::{Error, hooks};

/// How many messages may wait to be read; the connections that bring more wait. Few: those of
/// returning agents are large, and their senders keep what waits as well as we do.
const INBOX: usize = 256;

/// The parts of a term that request handlers use.
#[derive(Debug)]
pub struct Term {
    /// The beginning of the ids that are given in this term.
    pub id: Arc<str>,
    /// How long it lasts.
    pub lease: Lease,
    /// The queue to the core.
    pub core: mpsc::Sender<Input>,
    /// What readers see.
    pub readers: Readers,
    /// Event streams of schedulers.
    pub streams: Streams,
    /// The allocation machine.
    pub allocation: Allocation,
    /// Drivers that can't be subscribed.
    pub dialback: DialBack,
}

impl Term {
    /// The cluster as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.readers.snapshot()
    }
}

/// A term that has begun.
#[derive(Debug)]
pub struct Incumbency {
    term: Arc<Term>,
    actors: Actors,
    stop: CancellationToken,
    /// Says why the core ended, once; none when that was heard.
    ended: Option<oneshot::Receiver<Option<String>>>,
    /// Tells, once, that readers see what the registry held.
    ready: Option<oneshot::Receiver<()>>,
}

impl Incumbency {
    /// What request handlers use of it.
    pub fn term(&self) -> &Arc<Term> {
        &self.term
    }

    /// Waits until readers see what the registry held, so that nobody reads of an empty cluster.
    pub async fn ready(&mut self) {
        if let Some(ready) = self.ready.take() {
            // If the core has ended meanwhile, that is told elsewhere.
            let _ = ready.await;
        }
    }

    /// Waits until it cannot go on, and says why.
    pub async fn fails(&mut self) -> String {
        let Some(ended) = &mut self.ended else { return std::future::pending().await };
        let heard = ended.await;
        self.ended = None;
        match heard {
            Ok(Some(why)) => why,
            Ok(None) => "its core has ended".to_owned(),
            Err(_) => "the thread of its core ended in a panic".to_owned(),
        }
    }

    /// Ends it: when this returns nothing decides any more, and the registry is closed. Messages
    /// that were decided on before may still leave.
    pub async fn end(self) {
        self.actors.clear();
        self.stop.cancel();
        self.term.allocation.end();
        if let Some(ended) = self.ended {
            // Why it ended is known: it was told to.
            let _ = ended.await;
        }
    }
}

/// What every term is made of.
#[derive(Debug)]
pub struct Terms {
    /// Where the registry is.
    pub keeping: Keeping,
    /// What roles weigh where it says nothing of that.
    pub weights: Weights,
    /// Who this master is.
    pub identity: Identity,
    /// The core's settings.
    pub options: Options,
    /// The allocation machine's settings.
    pub rules: allocation::Options,
    /// Where allocators come from.
    pub allocators: Allocators,
    /// Who has a say in launches.
    pub hooks: Hooks,
    /// Who says what is permitted.
    pub permissions: Permissions,
    /// Who must prove who they are.
    pub proof: Rules,
    /// Counts of what passes.
    pub counters: Arc<Counters>,
    /// All metrics.
    pub metrics: Metrics,
    /// Who gets messages.
    pub actors: Actors,
    /// The clock of all terms.
    pub clock: Clock,
    /// How many terms there were.
    pub past: u64,
}

impl Terms {
    /// Reads the registry and starts to lead.
    ///
    /// # Errors
    ///
    /// If the registry or the allocator cannot be used, or the system refuses a thread.
    pub async fn begin(&mut self, lease: Lease) -> Result<Incumbency, Error> {
        let id = self.next_id();
        let leader = &self.identity.info;
        let opened = self.keeping.open(id.clone(), leader, lease.clone(), &self.weights);
        let (store, recovered) = opened.await?;
        let stop = CancellationToken::new();
        let (core, inputs) = mpsc::channel(QUEUE);
        let (rules, allocators) = (self.rules.clone(), self.allocators.clone());
        let (clock, metrics) = (self.clock, &self.metrics);
        let allocation = Allocation::start(rules, allocators, clock, core.clone(), metrics)?;
        let (readers, changes, ready) = Readers::start(&self.options);
        let streams = Streams::new();
        self.counters.frameworks.forget();
        let (peers, exits) = Peers::new(PeersConfig::new(self.identity.pid.address), stop.clone());
        let dialback = DialBack::new(peers.clone(), core.clone());
        let hands = Hands {
            outbound: Outbound::new(peers.clone(), self.identity.info.to_wire()),
            registry: start_registry(store, core.clone())?,
            allocation: allocation.clone(),
            changes,
            hooks: self.hooks.clone(),
            streams: streams.clone(),
            counters: Arc::clone(&self.counters),
        };
        if core.send(Input::Fact(Kind::Recovered(Box::new(recovered)))).await.is_err() {
            tracing::error!("the core has no queue");
        }
        let (inbox, messages) = mpsc::channel(INBOX);
        let (proof, actors) = (self.proof.clone(), self.actors.clone());
        let authentication = Authentication::new(proof, peers, actors, inbox.clone());
        let proven = authentication.clone();
        let proven = Box::new(move |pid: &Pid| proven.proven(pid));
        let approvals = Approvals::new(self.permissions.clone(), core.clone(), proven);
        let (master, remembered) =
            (Master::new(self.options.clone()), self.options.max_completed_frameworks);
        let owner = Owner::new(master, clock, hands, approvals, remembered, lease.clone());
        let ended = start_owner(owner, inputs, stop.clone())?;
        let reading = Reading {
            authentication,
            readers: readers.clone(),
            hooks: self.hooks.clone(),
            counters: Arc::clone(&self.counters),
            dialback: dialback.clone(),
        };
        self.actors.register(ACTOR, inbox.clone());
        self.actors.register(OBSERVER, inbox);
        listen_to_peers(messages, exits, &core, reading);
        tracing::info!(pid = %self.identity.pid, id = %id, "this master leads");
        let term = Arc::new(Term { id, lease, core, readers, streams, allocation, dialback });
        let (actors, ended) = (self.actors.clone(), Some(ended));
        Ok(Incumbency { term, actors, stop, ended, ready: Some(ready) })
    }

    /// The beginning of the ids of the next term. No two terms share one: the ids of agents,
    /// frameworks and offers are numbered anew in each.
    fn next_id(&mut self) -> Arc<str> {
        self.past += 1;
        match self.past {
            1 => self.identity.id.clone(),
            _ => uuid::Uuid::new_v4().to_string().into(),
        }
    }
}

fn start_registry(store: Store, core: mpsc::Sender<Input>) -> Result<Registry, Error> {
    Registry::start(store, move |group| {
        if core.blocking_send(Input::Written(group)).is_err() {
            tracing::debug!("a write was done after the core had ended");
        }
    })
    .map_err(|source| Error::Thread { name: "registry", source })
}

/// Starts the thread of the core; what it gives says why it ended.
fn start_owner(
    owner: Owner,
    inputs: mpsc::Receiver<Input>,
    stop: CancellationToken,
) -> Result<oneshot::Receiver<Option<String>>, Error> {
    let failed = |source| Error::Thread { name: "core", source };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
    let (end, ended) = oneshot::channel();
    let work = move || {
        let why = runtime.block_on(owner.run(inputs, stop));
        // Whoever started the master may not wait for its end.
        let _ = end.send(why);
    };
    std::thread::Builder::new().name("core".to_owned()).spawn(work).map_err(failed)?;
    Ok(ended)
}

/// Turns messages and broken links into facts.
fn listen_to_peers(
    messages: mpsc::Receiver<Inbound>,
    mut exits: mpsc::UnboundedReceiver<Pid>,
    core: &mpsc::Sender<Input>,
    reading: Reading,
) {
    let authentication = reading.authentication.clone();
    tokio::spawn(reading.read(messages, core.clone()));
    let core = core.clone();
    tokio::spawn(async move {
        while let Some(pid) = exits.recv().await {
            authentication.forget(&pid);
            if core.send(Input::Fact(Kind::LinkBroken(pid))).await.is_err() {
                return;
            }
        }
    });
}

/// What is needed to read messages.
struct Reading {
    authentication: Authentication,
    readers: Readers,
    hooks: Hooks,
    counters: Arc<Counters>,
    dialback: DialBack,
}

impl Reading {
    async fn read(self, mut messages: mpsc::Receiver<Inbound>, core: mpsc::Sender<Input>) {
        let mut reader = messages::Reader::new(self.readers.clone());
        while let Some(message) = messages.recv().await {
            let Some(message) = self.authentication.take(message) else { continue };
            let parsed = match reader.read(&message) {
                Ok(parsed) => self.authentication.admit(&message, parsed),
                Err(why) => {
                    self.counters.dropped();
                    tracing::warn!(from = %message.from, "dropped a message: {why}");
                    continue;
                }
            };
            let input = match parsed {
                Some(Parsed::Event(kind)) => Input::Fact(self.decorated(kind).await),
                Some(Parsed::Subscribes(subscription)) => {
                    self.dialback.subscribe(message.via, subscription);
                    continue;
                }
                Some(Parsed::Refused(_) | Parsed::Repeated) | None => continue,
            };
            if core.send(input).await.is_err() {
                return;
            }
        }
    }

    /// A driver's launch, with what the hooks make of its tasks.
    async fn decorated(&self, mut kind: Kind) -> Kind {
        if let Kind::Calls(framework, _, call) = &mut kind {
            let snapshot = self.readers.snapshot();
            let info = snapshot.frameworks.get(framework).map(|known| &*known.record.info);
            hooks::decorate(&self.hooks, info, call).await;
        }
        kind
    }
}
