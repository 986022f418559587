//! Who waits, since when, and when that matters next. What is done about it is not here.
//!
//! ```text
//!              wants offers                    an offer
//!   (at rest) ─────────────▶ waiting ─────────────────────▶ offered
//!       ▲                     ▲   ▲    comes back whole        │
//!       │ wants none          │   └────────────────────────────┤
//!       └── from anywhere     └──── anew, something is kept ───┘
//! ```
//!
//! An offer that comes back whole does not end a wait: what is too small is no help.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reeve_module_sdk::allocator::{AgentIx, Amounts, FrameworkIx, RoleIx};

use crate::classes::Client;

/// The wait of one client.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    /// Since when; unknown until the allocator is told the time.
    since: Option<Duration>,
    /// Offers that are out, by agent.
    offers: BTreeMap<AgentIx, Amounts>,
    /// Where it declined offers since.
    pub(crate) declined: BTreeSet<AgentIx>,
    /// By how many classes it has risen since.
    pub(crate) risen: usize,
    /// How often something was taken back for it since.
    pub(crate) claims: u32,
    /// Not before this is something taken back for it again.
    pub(crate) next_claim: Duration,
    due: Option<Duration>,
}

impl Wait {
    /// Since when it has waited, if it has no offer in hand.
    pub(crate) fn since(&self) -> Option<Duration> {
        self.since.filter(|_| self.offers.is_empty())
    }
}

/// All waits.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    all: BTreeMap<Client, Wait>,
    /// When something becomes due for whom.
    due: BTreeSet<(Duration, Client)>,
    /// Whose dues must be found anew.
    touched: BTreeSet<Client>,
    /// Who no longer waits, or waits anew: they are back in their own class.
    ended: BTreeSet<Client>,
}

impl Waits {
    pub(crate) fn get(&self, client: Client) -> Option<&Wait> {
        self.all.get(&client)
    }

    pub(crate) fn get_mut(&mut self, client: Client) -> Option<&mut Wait> {
        self.all.get_mut(&client)
    }

    /// A client wants offers, or none any more.
    pub(crate) fn want(&mut self, client: Client, wanted: bool) {
        if !wanted {
            self.remove(client);
        } else {
            self.all.entry(client).or_default();
            self.touched.insert(client);
        }
    }

    fn remove(&mut self, client: Client) {
        let Some(gone) = self.all.remove(&client) else { return };
        if let Some(due) = gone.due {
            self.due.remove(&(due, client));
        }
        if gone.risen > 0 {
            self.ended.insert(client);
        }
    }

    /// A framework is gone.
    pub(crate) fn forget(&mut self, framework: FrameworkIx) {
        let all = (framework, RoleIx(0))..=(framework, RoleIx(u32::MAX));
        let gone: Vec<Client> = self.all.range(all).map(|(&client, _)| client).collect();
        gone.into_iter().for_each(|client| self.remove(client));
    }

    /// The client is offered something.
    pub(crate) fn offered(&mut self, client: Client, agent: AgentIx, amounts: Amounts) {
        if let Some(wait) = self.all.get_mut(&client) {
            wait.offers.insert(agent, amounts);
            self.touched.insert(client);
        }
    }

    /// The offer was not made after all.
    pub(crate) fn undone(&mut self, client: Client, agent: AgentIx) {
        if let Some(wait) = self.all.get_mut(&client) {
            wait.offers.remove(&agent);
            self.touched.insert(client);
        }
    }

    /// So much came back from the client.
    pub(crate) fn returned(&mut self, client: Client, agent: AgentIx, delta: &Amounts) {
        let Some(wait) = self.all.get_mut(&client) else { return };
        let Some(mut kept) = wait.offers.remove(&agent) else { return };
        kept.add(delta);
        if kept.is_empty() {
            wait.declined.insert(agent);
            self.touched.insert(client);
        } else {
            self.served(client);
        }
    }

    /// The client made use of an offer: if it wants more, it waits anew.
    pub(crate) fn served(&mut self, client: Client) {
        if let Some(wait) = self.all.get_mut(&client) {
            if wait.risen > 0 {
                self.ended.insert(client);
            }
            let (offers, due) = (std::mem::take(&mut wait.offers), wait.due);
            *wait = Wait { offers, due, ..Wait::default() };
            self.touched.insert(client);
        }
    }

    /// Who went back to its own class since the last call.
    pub(crate) fn take_ended(&mut self) -> BTreeSet<Client> {
        std::mem::take(&mut self.ended)
    }

    /// Finds anew what is due for those that something happened to; new waits begin now.
    pub(crate) fn schedule(
        &mut self,
        now: Duration,
        patience: Duration,
        next: impl Fn(Client, &Wait) -> Option<Duration>,
    ) {
        for client in std::mem::take(&mut self.touched) {
            let Some(wait) = self.all.get_mut(&client) else { continue };
            if wait.since.is_none() {
                wait.since = Some(now);
                wait.next_claim = now + patience;
            }
            let due = next(client, wait);
            let before = std::mem::replace(&mut wait.due, due);
            if let Some(before) = before {
                self.due.remove(&(before, client));
            }
            if let Some(due) = due {
                self.due.insert((due, client));
            }
        }
    }

    /// Those for whom something is due.
    pub(crate) fn take_due(&mut self, now: Duration) -> Vec<Client> {
        let mut all = Vec::new();
        while let Some(&(due, client)) = self.due.first().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, client));
            if let Some(wait) = self.all.get_mut(&client) {
                wait.due = None;
            }
            self.touched.insert(client);
            all.push(client);
        }
        all
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }
}
