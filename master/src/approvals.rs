//! Calls of schedulers, and agents that come, on their way through the authorizer.
//!
//! What a framework calls reaches the core in the order in which it was called: what comes while
//! an earlier call waits for permission waits behind it. Frameworks do not wait for each other, and
//! where nobody needs permission nothing waits at all.

mod wants;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use reeve_access::Permissions;
use reeve_master_core::event::{Channel, Kind};
use reeve_model::{FrameworkId, FrameworkInfo, Pid};
use reeve_transport::Principal;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::owner::Input;
use wants::{Want, wants};

/// Frameworks by their ids.
pub type Known = BTreeMap<FrameworkId, Arc<FrameworkInfo>>;

/// Whose calls follow one another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// A framework's.
    Framework(FrameworkId),
    /// Subscriptions of a v0 driver, which may not have an id yet.
    Driver(Pid),
    /// Registrations of an agent, which may not have an id yet.
    Agent(Pid),
}

/// What the authorizer said of what a call wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// What is not permitted.
    refused: BTreeSet<Want>,
    /// Why nothing is, if nobody could be asked.
    failed: Option<String>,
}

/// Tells who an agent has proven to be.
pub type Proven = Box<dyn Fn(&Pid) -> Option<Arc<str>> + Send>;

/// Calls that wait for the authorizer.
pub struct Approvals {
    permissions: Permissions,
    proven: Proven,
    runtime: Handle,
    core: mpsc::Sender<Input>,
    lanes: BTreeMap<Lane, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    asked: Kind,
    behind: VecDeque<Kind>,
}

/// What became of a call.
#[derive(Debug)]
pub enum Approved {
    /// It goes to the core, perhaps with parts of it marked as forbidden.
    Call(Kind),
    /// A driver may not subscribe, and why.
    NoDriver(Pid, String),
    /// An agent may not register, and why.
    NoAgent(Pid, String),
}

impl std::fmt::Debug for Approvals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Approvals").field("lanes", &self.lanes).finish_non_exhaustive()
    }
}

impl Approvals {
    /// Nothing waits. Rulings go into this queue. Must be called within a tokio runtime, which
    /// makes the calls.
    pub fn new(permissions: Permissions, core: mpsc::Sender<Input>, proven: Proven) -> Self {
        Self { permissions, proven, runtime: Handle::current(), core, lanes: BTreeMap::new() }
    }

    /// Takes what a scheduler or an agent wants; gives it back if it may go to the core at once.
    pub fn take(&mut self, kind: Kind, known: &Known) -> Option<Kind> {
        if self.permissions.are_unlimited() {
            return Some(kind);
        }
        let Some(lane) = lane(&kind) else { return Some(kind) };
        if let Some(waiting) = self.lanes.get_mut(&lane) {
            // Agents repeat what is not answered yet.
            if !matches!(lane, Lane::Agent(_)) {
                waiting.behind.push_back(kind);
            }
            return None;
        }
        let wants = wants(&kind, known);
        if wants.is_empty() {
            return Some(kind);
        }
        let owner = match &lane {
            Lane::Agent(pid) => (self.proven)(pid).map(|name| Principal::named(&name)),
            _ => wants::owner(&kind, known),
        };
        let (permissions, core) = (self.permissions.clone(), self.core.clone());
        let asked = lane.clone();
        self.runtime.spawn(async move {
            let ruling = wants::ask(&permissions, owner.as_ref(), wants).await;
            // The core may have ended meanwhile.
            let _ = core.send(Input::Ruled(asked, ruling)).await;
        });
        self.lanes.insert(lane, Waiting { asked: kind, behind: VecDeque::new() });
        None
    }

    /// A ruling came: the call that it is about, and those that wait behind it, which are to be
    /// taken anew.
    pub fn ruled(
        &mut self,
        lane: &Lane,
        ruling: &Ruling,
        known: &Known,
    ) -> Option<(Approved, VecDeque<Kind>)> {
        let Waiting { asked, behind } = self.lanes.remove(lane)?;
        Some((wants::apply(asked, ruling, known), behind))
    }
}

fn lane(kind: &Kind) -> Option<Lane> {
    match kind {
        Kind::Calls(framework, ..) => Some(Lane::Framework(framework.clone())),
        Kind::Subscribes(_, subscription) => match &subscription.channel {
            Channel::Libprocess(pid) => Some(Lane::Driver(pid.clone())),
            // Asked about before its stream was opened.
            Channel::Http => None,
        },
        Kind::AgentRegisters(pid, _) | Kind::AgentReregisters(pid, _) => {
            Some(Lane::Agent(pid.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
