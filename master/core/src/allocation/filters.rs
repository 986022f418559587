//! What frameworks may not be offered of one agent: what they declined, for how long (FI-5), and
//! what can never suit them. When a filter ends is known to the host's timers.

use std::collections::{BTreeMap, BTreeSet};

use reeve_machine::Tick;
use reeve_model::Resources;
use reeve_module_sdk::allocator::{FrameworkIx, RoleIx};

/// A framework in a role.
pub(super) type Client = (FrameworkIx, RoleIx);

/// Why a client may not have the agent, beside what it declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bar {
    /// Its offer constraints, or the agent's lack of a capability: until either changes.
    Lasting,
    /// What is free suits it in no way: until more is free.
    UntilMore,
}

/// The refusals on one agent.
///
/// Filters of equal resources stand together: most frameworks decline the very same offer, and one
/// comparison then does for all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters {
    groups: Vec<Group>,
    barred: BTreeMap<Client, Bar>,
}

#[derive(Clone, Debug)]
struct Group {
    refused: Resources,
    clients: BTreeMap<Client, Tick>,
    /// Whether the refused resources contain all that is free, as told to the module last.
    blocks: bool,
}

impl Filters {
    /// Whether the module was told that the client is blocked.
    pub(super) fn blocks(&self, client: Client) -> bool {
        self.barred.contains_key(&client)
            || self.groups.iter().any(|group| group.blocks && group.clients.contains_key(&client))
    }

    /// Whether the client has refused these resources or more.
    pub(super) fn refuses(&self, client: Client, offered: &Resources) -> bool {
        self.groups
            .iter()
            .any(|group| group.clients.contains_key(&client) && group.refused.contains(offered))
    }

    /// Adds a refusal. Returns whether the client is blocked from now on and was not before.
    pub(super) fn refuse(&mut self, client: Client, refused: Resources, until: Tick) -> bool {
        let blocked = self.blocks(client);
        let at = self.groups.iter().position(|group| group.refused == refused);
        let group = match at {
            Some(at) => &mut self.groups[at],
            None => {
                self.groups.push(Group { refused, clients: BTreeMap::new(), blocks: false });
                let last = self.groups.len() - 1;
                &mut self.groups[last]
            }
        };
        let end = group.clients.entry(client).or_insert(until);
        *end = (*end).max(until);
        group.blocks && !blocked
    }

    /// Keeps a client from the agent. Returns whether it was not blocked before.
    pub(super) fn bar(&mut self, client: Client, bar: Bar) -> bool {
        let blocked = self.blocks(client);
        self.barred.insert(client, bar);
        !blocked
    }

    /// When the client's first refusal ends.
    pub(super) fn first_end(&self, client: Client) -> Option<Tick> {
        self.groups.iter().filter_map(|group| group.clients.get(&client)).min().copied()
    }

    /// Drops refusals of a client that have ended at `now`, or all. Returns whether the client was
    /// blocked and is no longer.
    pub(super) fn expire(&mut self, client: Client, now: Option<Tick>) -> bool {
        let blocked = self.blocks(client);
        for group in &mut self.groups {
            let ended = |end: &Tick| now.is_none_or(|now| *end <= now);
            if group.clients.get(&client).is_some_and(ended) {
                group.clients.remove(&client);
            }
        }
        self.groups.retain(|group| !group.clients.is_empty());
        let lasting = self.barred.get(&client) == Some(&Bar::Lasting);
        if !lasting {
            self.barred.remove(&client);
        }
        blocked && !self.blocks(client)
    }

    /// Lets a client in that was barred. Returns whether it was blocked and is no longer.
    pub(super) fn unbar(&mut self, client: Client) -> bool {
        self.barred.remove(&client).is_some() && !self.blocks(client)
    }

    /// Compares every refusal with what is free now; after growth also lets in who was barred until
    /// then. Returns who is blocked from now on, and who no longer.
    pub(super) fn reassess(&mut self, free: &Resources, grown: bool) -> (Vec<Client>, Vec<Client>) {
        let mut changed = BTreeSet::new();
        let judge = |group: &Group| group.refused.contains(free);
        for group in self.groups.iter().filter(|group| group.blocks != judge(group)) {
            changed.extend(group.clients.keys().copied());
        }
        if grown {
            let until_more = self.barred.iter().filter(|&(_, &bar)| bar == Bar::UntilMore);
            changed.extend(until_more.map(|(&client, _)| client));
        }
        if changed.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let before: Vec<(Client, bool)> =
            changed.into_iter().map(|client| (client, self.blocks(client))).collect();
        if grown {
            self.barred.retain(|_, bar| *bar == Bar::Lasting);
        }
        for group in &mut self.groups {
            group.blocks = judge(group);
        }
        let (mut blocked, mut unblocked) = (Vec::new(), Vec::new());
        for (client, was) in before {
            match (was, self.blocks(client)) {
                (false, true) => blocked.push(client),
                (true, false) => unblocked.push(client),
                _ => {}
            }
        }
        (blocked, unblocked)
    }

    /// Everybody who is named here.
    pub(super) fn clients(&self) -> BTreeSet<Client> {
        let refusing = self.groups.iter().flat_map(|group| group.clients.keys());
        refusing.chain(self.barred.keys()).copied().collect()
    }

    /// Whether the client is named here at all.
    pub(super) fn names(&self, client: Client) -> bool {
        self.barred.contains_key(&client)
            || self.groups.iter().any(|group| group.clients.contains_key(&client))
    }

    pub(super) fn is_barred(&self, client: Client) -> bool {
        self.barred.contains_key(&client)
    }
}
