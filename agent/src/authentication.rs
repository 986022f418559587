//! The agent proves to its master who it is (LP-11): which credential it has, and the attempts.
//! When to try, and what follows, is the core's.

use std::net::IpAddr;
use std::time::Duration;

use reeve_agent_core::AuthenticationTimes;
use reeve_agent_core::event::{Kind, Proof};
use reeve_authentication::{Authenticatee, Credential, Heard, Word};
use reeve_model::Pid;
use reeve_transport::{Actors, Inbound, Peers};
use reeve_wire::{Described, encode, internal};
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::daemon::{StartError, wrong};
use crate::master::is_at;
use crate::settings::AgentSettings;
use crate::shell::{ACTOR, Input};

/// The name of each attempt's actor begins so; a number follows.
const ATTEMPT: &str = "crammd5-authenticatee";

/// What this agent proves who it is with, if it has to.
pub(crate) fn credential(settings: &AgentSettings) -> Result<Option<Credential>, StartError> {
    if settings.authenticatee != "crammd5" {
        let why = "must be crammd5: messages of libprocess know no other";
        return Err(wrong("authenticatee", &settings.authenticatee, why));
    }
    let Some(path) = &settings.credential else { return Ok(None) };
    Credential::read(path).map(Some).map_err(|why| wrong("credential", path, why))
}

/// How patient it is.
pub(crate) fn times(settings: &AgentSettings) -> AuthenticationTimes {
    let timeout_min = settings.authentication_timeout_min.max(Duration::from_millis(1));
    AuthenticationTimes {
        backoff: settings.authentication_backoff_factor,
        timeout_min,
        timeout_max: settings.authentication_timeout_max.max(timeout_min),
    }
}

/// Makes attempts.
#[derive(Clone, Debug)]
pub struct Prover {
    wanted: mpsc::UnboundedSender<Pid>,
}

impl Prover {
    /// Begins to listen. Must be called within a tokio runtime; it ends with the last clone.
    pub(crate) fn start(
        credential: Option<Credential>,
        here: IpAddr,
        peers: Peers,
        actors: Actors,
        inputs: mpsc::Sender<Input>,
    ) -> Self {
        // The core asks once per attempt, and attempts are seconds apart.
        let (wanted, wishes) = mpsc::unbounded_channel();
        if let Some(credential) = credential {
            let attempts = Attempts { credential, here, peers, actors, inputs, number: 0 };
            tokio::spawn(attempts.run(wishes));
        }
        Self { wanted }
    }

    /// Begins an attempt with this master, in the place of any other.
    pub(crate) fn prove(&self, master: Pid) {
        // Without a credential nobody listens, and the core asks for no proof.
        let _ = self.wanted.send(master);
    }
}

struct Attempts {
    credential: Credential,
    /// The agent's own address.
    here: IpAddr,
    peers: Peers,
    actors: Actors,
    inputs: mpsc::Sender<Input>,
    number: u64,
}

/// An attempt that is going on.
struct Going {
    master: Pid,
    machine: Authenticatee,
    /// The actor that speaks for this agent, and the master's that answers it.
    actor: String,
    session: Option<Pid>,
}

impl Attempts {
    async fn run(mut self, mut wishes: mpsc::UnboundedReceiver<Pid>) {
        let (inbox, mut words) = mpsc::channel(16);
        let mut going: Option<Going> = None;
        loop {
            tokio::select! {
                wish = wishes.recv() => {
                    let Some(master) = wish else { return };
                    if let Some(old) = going.take() {
                        self.actors.unregister(&old.actor);
                    }
                    going = Some(self.begin(master, inbox.clone()));
                }
                Some(message) = words.recv() => {
                    let Some(current) = going.as_mut() else { continue };
                    let Some(proof) = self.hear(current, &message) else { continue };
                    let master = current.master.clone();
                    self.actors.unregister(&current.actor);
                    going = None;
                    self.tell(master, proof).await;
                }
            }
        }
    }

    fn begin(&mut self, master: Pid, inbox: mpsc::Sender<Inbound>) -> Going {
        self.number += 1;
        let actor = format!("{ATTEMPT}({})", self.number);
        self.actors.register(actor.clone(), inbox);
        let request = internal::AuthenticateMessage { pid: self.peers.pid(ACTOR).to_string() };
        self.peers.send(&actor, &master, internal::AuthenticateMessage::NAME, &encode(&request));
        info!(%master, principal = self.credential.principal, "authenticating");
        let machine = Authenticatee::new(self.credential.clone());
        Going { master, machine, actor, session: None }
    }

    /// What a message leads to, if it ends the attempt.
    fn hear(&self, going: &mut Going, message: &Inbound) -> Option<Proof> {
        let ours = *message.to == *going.actor
            && is_at(going.master.address, self.here, message)
            && going.session.as_ref().is_none_or(|session| *session == message.from);
        if !ours {
            return None;
        }
        let word = match Word::decode(&message.name, &message.body) {
            Ok(word) => word?,
            Err(error) => return Some(Proof::Failed(error.to_string())),
        };
        let session = going.session.get_or_insert_with(|| message.from.clone()).clone();
        match going.machine.hear(&word) {
            Heard::Say(word) => {
                let (name, body) = word.encode();
                self.peers.send(&going.actor, &session, name, &body);
                None
            }
            Heard::Accepted => Some(Proof::Accepted),
            Heard::Refused => Some(Proof::Refused),
            Heard::Broken(why) => Some(Proof::Failed(why)),
        }
    }

    async fn tell(&self, master: Pid, proof: Proof) {
        match &proof {
            Proof::Accepted => info!(%master, "the master knows who this agent is"),
            Proof::Refused => {}
            Proof::Failed(why) => warn!(%master, "authentication failed: {why}"),
        }
        // The agent may have ended meanwhile.
        drop(self.inputs.send(Input::Happened(Kind::Authenticated(master, proof))).await);
    }
}
