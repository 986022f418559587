//! Who agents and v0 drivers are: they prove it before they register (LP-11, SEC-1).
//!
//! A request begins a session, an actor of its own that the other side answers. While it lasts,
//! what the agent or driver sends waits behind it. What is proven holds until the link to the
//! agent or driver breaks, or it begins anew.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reeve_authentication::{Credentials, Ruling, Session, Word};
use reeve_master_core::event::Kind;
use reeve_model::{FrameworkInfo, Pid, Principal};
use reeve_transport::{Actors, Inbound, Peers};
use reeve_wire::internal::{self, FrameworkErrorMessage};
use reeve_wire::{Described, decode, encode};
use tokio::sync::mpsc;

use crate::dialback;
use crate::identity::ACTOR;
use crate::messages::Parsed;
use crate::{Error, MasterSettings};

/// The name of each session's actor begins so; a number follows.
const SESSION: &str = "crammd5-authenticator-session";

/// How many sessions there may be at once; the oldest is given up for one more.
const MAX_SESSIONS: usize = 4096;

/// How many messages may wait behind a session. Agents and drivers repeat what gets no answer.
const MAX_WAITING: usize = 16;

/// Who must prove who they are, and how.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Agents must.
    agents: bool,
    /// Frameworks on v0 drivers must.
    frameworks: bool,
    /// Names and secrets; without them nobody can.
    credentials: Option<Arc<Credentials>>,
    /// How long a session may take.
    timeout: Duration,
}

impl Rules {
    /// As the settings say.
    ///
    /// # Errors
    ///
    /// If somebody must prove who they are and nobody can, or the credentials can't be read.
    pub fn new(settings: &MasterSettings) -> Result<Self, Error> {
        let wrong =
            |key, value: &str, why: String| Error::Setting { key, value: value.to_owned(), why };
        let names: Vec<&str> = settings.authenticators.iter().map(String::as_str).collect();
        if names != ["crammd5"] {
            let why = "must be crammd5: messages of libprocess know no other".to_owned();
            return Err(wrong("authenticators", &names.join(","), why));
        }
        let (agents, frameworks) = (settings.authenticate_agents, settings.authenticate_frameworks);
        let path = settings.credentials.as_deref();
        if path.is_none() && (agents || frameworks) {
            let key = if agents { "authenticate_agents" } else { "authenticate_frameworks" };
            let why = "nobody can prove anything without `credentials`; set it to a file of \
                       principals and their secrets";
            return Err(wrong(key, "true", why.to_owned()));
        }
        let read = |path: &str| {
            Credentials::read(path).map_err(|why| wrong("credentials", path, why.to_string()))
        };
        let credentials = path.map(read).transpose()?.map(Arc::new);
        Ok(Self { agents, frameworks, credentials, timeout: settings.authentication_v0_timeout })
    }
}

/// Sessions, and what was proven. Clones are the same.
#[derive(Clone, Debug)]
pub struct Authentication {
    rules: Arc<Rules>,
    peers: Peers,
    actors: Actors,
    /// Where the messages of sessions arrive, and where those that waited are sent again.
    inbox: mpsc::Sender<Inbound>,
    books: Arc<Mutex<Books>>,
}

#[derive(Debug, Default)]
struct Books {
    last: u64,
    sessions: BTreeMap<u64, Open>,
    /// The session of each agent and driver.
    going: BTreeMap<Pid, u64>,
    proven: BTreeMap<Pid, Arc<str>>,
}

/// A session, and who is at its other end.
#[derive(Debug)]
struct Open {
    session: Session,
    /// The agent or driver.
    client: Pid,
    /// Its helper, which speaks for it.
    helper: Pid,
    waiting: Vec<Inbound>,
}

/// What is known of who sends a message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// It has proven to be this principal.
    Proven(Arc<str>),
    /// It has proven nothing.
    Unproven,
}

impl Authentication {
    /// Nobody has proven anything. Messages of sessions, and messages that waited for one, go to
    /// this inbox.
    pub fn new(rules: Rules, peers: Peers, actors: Actors, inbox: mpsc::Sender<Inbound>) -> Self {
        Self { rules: Arc::new(rules), peers, actors, inbox, books: Arc::default() }
    }

    /// Takes a message that belongs to a handshake; gives any other back. Must be called within
    /// a tokio runtime.
    pub fn take(&self, message: Inbound) -> Option<Inbound> {
        if *message.name == *internal::AuthenticateMessage::NAME {
            self.asked(&message);
            return None;
        }
        let Some(number) = number(&message.to) else { return Some(message) };
        match Word::decode(&message.name, &message.body) {
            Ok(Some(word)) => self.heard(number, &message.from, &word),
            Ok(None) | Err(_) => {
                tracing::warn!(from = %message.from, name = %message.name, "dropped a message of no handshake");
            }
        }
        None
    }

    /// Whether what was read from a message may be acted on: an agent's registration and a driver's
    /// subscription may need proof of who sends them. Nothing if it may not, or waits for a session
    /// and comes again.
    pub fn admit(&self, message: &Inbound, mut parsed: Parsed) -> Option<Parsed> {
        match &mut parsed {
            Parsed::Event(Kind::AgentRegisters(..) | Kind::AgentReregisters(..)) => {
                let proven = self.standing(message)? != Standing::Unproven;
                if self.rules.agents && !proven {
                    tracing::warn!(
                        pid = %message.from,
                        "the agent is not registered: it has not proven who it is; give it a \
                         --credential that is among this master's `credentials`"
                    );
                    return None;
                }
            }
            Parsed::Subscribes(subscription) => {
                let standing = self.standing(message)?;
                if let Err(why) = self.own(&message.from, standing, &mut subscription.info) {
                    self.refuse(&message.from, why);
                    return None;
                }
            }
            Parsed::Refused(why) => {
                self.refuse(&message.from, std::mem::take(why));
                return None;
            }
            Parsed::Event(_) | Parsed::Repeated => {}
        }
        Some(parsed)
    }

    /// Tells a driver that it must stop.
    fn refuse(&self, driver: &Pid, why: String) {
        tracing::warn!(pid = %driver, "the driver is not subscribed: {why}");
        let body = encode(&FrameworkErrorMessage { message: why });
        self.peers.send(ACTOR, driver, FrameworkErrorMessage::NAME, &body);
    }

    /// Makes a framework its driver's principal's.
    fn own(
        &self,
        from: &Pid,
        standing: Standing,
        info: &mut Arc<FrameworkInfo>,
    ) -> Result<(), String> {
        let proven = match standing {
            Standing::Proven(principal) => Principal::new(&*principal),
            Standing::Unproven if self.rules.frameworks => {
                return Err(format!("Framework at {from} is not authenticated"));
            }
            Standing::Unproven => return Ok(()),
        };
        match &info.principal {
            Some(said) if *said != proven => Err(format!(
                "Framework principal '{said}' does not match authenticated principal '{proven}'"
            )),
            Some(_) => Ok(()),
            None => {
                Arc::make_mut(info).principal = Some(proven);
                Ok(())
            }
        }
    }

    /// What is known of a message's sender; none if it waits for a session, and comes again.
    fn standing(&self, message: &Inbound) -> Option<Standing> {
        let mut books = self.books();
        if let Some(number) = books.going.get(&message.from).copied()
            && let Some(open) = books.sessions.get_mut(&number)
        {
            if open.waiting.len() < MAX_WAITING {
                open.waiting.push(message.clone());
            }
            return None;
        }
        let proven = books.proven.get(&message.from).cloned();
        Some(proven.map_or(Standing::Unproven, Standing::Proven))
    }

    /// Who an agent or driver has proven to be.
    pub fn proven(&self, pid: &Pid) -> Option<Arc<str>> {
        self.books().proven.get(pid).cloned()
    }

    /// The link to an agent or driver broke: what it has proven holds no longer.
    pub fn forget(&self, pid: &Pid) {
        self.books().proven.remove(pid);
    }

    /// `AuthenticateMessage`: begins a session, in the place of one that is going on.
    fn asked(&self, message: &Inbound) {
        let helper = message.from.clone();
        let wire: Result<internal::AuthenticateMessage, _> = decode(&message.body);
        let client = wire.ok().and_then(|wire| wire.pid.parse::<Pid>().ok());
        let Some(client) = client.filter(|client| client.address == helper.address) else {
            tracing::warn!(from = %helper, "dropped a request for authentication of somebody else");
            return;
        };
        if self.rules.credentials.is_none() {
            tracing::warn!(
                pid = %client,
                "it wants to prove who it is, and this master knows no `credentials`: let it go \
                 without, or name a file of them"
            );
            return self.say(SESSION, &helper, &Word::Error("No authenticator loaded".to_owned()));
        }
        let challenge =
            format!("<{}@{}>", uuid::Uuid::new_v4().simple(), self.peers.pid("").address);
        let (session, word) = Session::begin(challenge);
        let mut books = self.books();
        books.proven.remove(&client);
        let waiting = books.end(&client).map(|(number, open)| {
            self.actors.unregister(&actor(number));
            open.waiting
        });
        books.last += 1;
        let number = books.last;
        let open = Open {
            session,
            client: client.clone(),
            helper: helper.clone(),
            waiting: waiting.unwrap_or_default(),
        };
        books.sessions.insert(number, open);
        books.going.insert(client.clone(), number);
        let oldest = books.sessions.keys().next().copied();
        let oldest = oldest.filter(|_| books.sessions.len() > MAX_SESSIONS);
        drop(books);
        if let Some(oldest) = oldest {
            self.give_up(oldest, "too many do so at once");
        }
        self.actors.register(actor(number), self.inbox.clone());
        self.say(&actor(number), &helper, &word);
        let (this, via) = (self.clone(), message.via);
        tokio::spawn(async move { this.watch(number, &client, via).await });
    }

    /// Gives a session up whose other side can't be reached or does not answer in time.
    async fn watch(&self, number: u64, client: &Pid, via: Option<IpAddr>) {
        let end = tokio::time::Instant::now() + self.rules.timeout;
        if let Ok(Err(why)) = tokio::time::timeout_at(end, self.peers.dial(client.address)).await {
            return self.give_up(number, &dialback::explain(client, via, &why));
        }
        tokio::time::sleep_until(end).await;
        self.give_up(number, "no answer came in time (authentication_v0_timeout)");
    }

    fn heard(&self, number: u64, from: &Pid, word: &Word) {
        let Some(credentials) = &self.rules.credentials else { return };
        let mut books = self.books();
        let Some(open) = books.sessions.get_mut(&number).filter(|open| open.helper == *from) else {
            return;
        };
        let (answer, ruling) = open.session.hear(word, credentials);
        let (client, helper) = (open.client.clone(), open.helper.clone());
        if let Some(Ruling::Known(principal)) = &ruling {
            books.proven.insert(client.clone(), principal.as_str().into());
        }
        drop(books);
        self.say(&actor(number), &helper, &answer);
        match ruling {
            None => {}
            Some(Ruling::Known(principal)) => {
                tracing::info!(pid = %client, principal, "it has proven who it is");
                // Its end ends what it has proven.
                self.peers.link(&client);
                self.close(number);
            }
            Some(Ruling::Refused(why)) => {
                tracing::warn!(pid = %client, "authentication is refused: {why}");
                self.close(number);
            }
            Some(Ruling::Broken(why)) => {
                tracing::warn!(pid = %client, "authentication failed: {why}");
                self.close(number);
            }
        }
    }

    fn give_up(&self, number: u64, why: &str) {
        if let Some(open) = self.close(number) {
            tracing::warn!(pid = %open, "authentication is given up: {why}");
        }
    }

    /// Ends a session and lets go what waited for it; gives who it was about.
    fn close(&self, number: u64) -> Option<Pid> {
        let open = {
            let mut books = self.books();
            let client = books.sessions.get(&number)?.client.clone();
            books.end(&client)?.1
        };
        self.actors.unregister(&actor(number));
        let inbox = self.inbox.clone();
        let waiting = open.waiting;
        tokio::spawn(async move {
            for message in waiting {
                // The master may have ended meanwhile.
                let _ = inbox.send(message).await;
            }
        });
        Some(open.client)
    }

    fn say(&self, from: &str, to: &Pid, word: &Word) {
        let (name, body) = word.encode();
        self.peers.send(from, to, name, &body);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // A poisoned lock only means that a thread died between two whole changes.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Takes the session of an agent or driver out.
    fn end(&mut self, client: &Pid) -> Option<(u64, Open)> {
        let number = self.going.remove(client)?;
        Some((number, self.sessions.remove(&number)?))
    }
}

fn actor(number: u64) -> String {
    format!("{SESSION}({number})")
}

fn number(actor: &str) -> Option<u64> {
    actor.strip_prefix(SESSION)?.strip_prefix('(')?.strip_suffix(')')?.parse().ok()
}
