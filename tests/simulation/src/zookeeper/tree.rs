//! The members of the election: ephemeral, in the order in which they came.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SessionId;

/// One znode.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) session: SessionId,
    pub(super) data: Arc<[u8]>,
}

/// A transaction on the members.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Joined(u64, Member),
    Left(u64),
    /// Anything else that is written: it takes its place in the order.
    Other,
}

/// The members, as one server knows them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    members: BTreeMap<u64, Member>,
}

impl Tree {
    /// Whether the change is one of the members.
    pub(super) fn apply(&mut self, change: Change) -> bool {
        match change {
            Change::Joined(number, member) => self.members.insert(number, member).is_none(),
            Change::Left(number) => self.members.remove(&number).is_some(),
            Change::Other => false,
        }
    }

    pub(super) fn numbers(&self) -> Vec<u64> {
        self.members.keys().copied().collect()
    }

    pub(super) fn get(&self, number: u64) -> Option<&Member> {
        self.members.get(&number)
    }

    pub(super) fn of(&self, session: SessionId) -> Vec<u64> {
        let own = self.members.iter().filter(|(_, member)| member.session == session);
        own.map(|(number, _)| *number).collect()
    }
}
