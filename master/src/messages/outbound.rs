//! How messages leave: through the peers, with what must be known of who gets them.

use foldhash::{HashMap, HashMapExt};
use prost::Message;
use reeve_model::{AgentId, Format, Pid, Uuid};
use reeve_transport::Peers;
use reeve_wire::{WireMessage, v1};

use crate::identity::ACTOR;

/// The actor that pings: answers come back to it, and not to the queue of the master's other
/// messages in the senders' eyes (Mesos has one such actor per agent; agents only answer).
pub const OBSERVER: &str = "slave-observer(1)";

/// AgentInfo.Capability.RESERVATION_REFINEMENT: the agent knows stacks of reservations.
const REFINEMENT: i32 = 3;

/// What must be known of an agent to write to it.
#[derive(Clone, Debug)]
pub struct AgentFacts {
    pub(super) format: Format,
    pub(super) resource_version: Option<Uuid>,
}

impl AgentFacts {
    /// Of an agent with these capabilities and this version of its resources.
    pub fn new(capabilities: &[i32], resource_version: Option<Uuid>) -> Self {
        let refined = capabilities.contains(&REFINEMENT);
        let format = if refined { Format::PostRefinement } else { Format::PreRefinement };
        AgentFacts { format, resource_version }
    }
}

/// Writes messages to peers.
#[derive(Debug)]
pub struct Outbound {
    pub(super) peers: Peers,
    pub(super) master: v1::MasterInfo,
    pub(super) agents: HashMap<Pid, AgentFacts>,
    pids: HashMap<AgentId, Pid>,
}

impl Outbound {
    /// Sends through `peers`, as the master that `master` describes.
    pub fn new(peers: Peers, master: v1::MasterInfo) -> Self {
        Outbound { peers, master, agents: HashMap::new(), pids: HashMap::new() }
    }

    /// Learns about an agent and where it is.
    pub fn know(&mut self, id: AgentId, pid: Pid, facts: AgentFacts) {
        let old = self.pids.insert(id, pid.clone());
        if let Some(old) = old.filter(|old| *old != pid) {
            self.agents.remove(&old);
        }
        self.agents.insert(pid, facts);
    }

    /// Forgets an agent.
    pub fn forget(&mut self, id: &AgentId) {
        if let Some(pid) = self.pids.remove(id) {
            self.agents.remove(&pid);
        }
    }

    /// Watches the connection to a peer.
    pub fn link(&self, pid: &Pid) {
        self.peers.link(pid);
    }

    /// Watches it no longer.
    pub fn unlink(&self, pid: &Pid) {
        self.peers.unlink(pid);
    }

    pub(super) fn post<T: WireMessage>(&self, to: &Pid, message: &T) {
        self.post_as(to, T::NAME, message);
    }

    pub(super) fn post_as(&self, to: &Pid, name: &str, message: &impl Message) {
        self.peers.send(ACTOR, to, name, &message.encode_to_vec());
    }
}
