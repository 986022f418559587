//! How much of an agent brings a client to its fair share, for offers no larger than that.
//!
//! The whole cluster is divided among the roles at the top that have a candidate for the agent
//! under visit, by weight; the part of a role among its children that have one; and so on to the
//! clients. A client has room up to the least of what is missing to the parts of all above it and
//! to its own. What is excluded from shares is not divided.

use reeve_module_sdk::allocator::{Amounts, RoleIx};

use crate::kinds::Kinds;
use crate::mask::Mask;
use crate::policy::Class;
use crate::tree::{ONE, Tree};

/// The weights that divide the cluster among one set of candidates.
#[derive(Debug, Default)]
pub(crate) struct Portions {
    /// For which candidates of which tree the rest holds.
    candidates: Mask,
    shape: u64,
    /// The roles at the top together.
    top: i64,
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// Whether a candidate is in the role or below it.
    counts: bool,
    /// How many are in it.
    clients: i64,
    /// The role's children and own leaf together.
    below: i64,
}

impl Portions {
    /// Divides among these candidates. Mostly they are those of the visit before.
    pub(crate) fn divide(&mut self, candidates: &Mask, tree: &Tree) {
        if self.shape == tree.shape && self.candidates == *candidates {
            return;
        }
        self.shape = tree.shape;
        self.candidates.clone_from(candidates);
        self.top = 0;
        self.nodes.clear();
        for slot in candidates.iter() {
            self.count(tree.clients[slot as usize].role, tree);
        }
    }

    fn node(&mut self, role: RoleIx) -> &mut Node {
        let at = role.0 as usize;
        if self.nodes.len() <= at {
            self.nodes.resize_with(at + 1, Node::default);
        }
        &mut self.nodes[at]
    }

    fn count(&mut self, role: RoleIx, tree: &Tree) {
        let own = self.node(role);
        own.clients += 1;
        if own.clients == 1 {
            own.below += ONE;
        }
        let mut at = Some(role);
        while let Some(role) = at {
            if std::mem::replace(&mut self.node(role).counts, true) {
                return;
            }
            let (weight, parent) =
                tree.role(role).map_or((ONE, None), |role| (role.weight.max(1), role.parent));
            match parent {
                Some(parent) => self.node(parent).below += weight,
                None => self.top += weight,
            }
            at = parent;
        }
    }

    /// What the candidate may take until it or a role above it has its fair share; `None` if one
    /// of them has, or more. Kinds that are not divided are absent.
    pub(crate) fn room(&self, slot: u32, tree: &Tree, kinds: &Kinds) -> Option<Amounts> {
        let client = &tree.clients[slot as usize];
        let (part, mut room) = self.role_room(client.class, client.role, tree, kinds);
        let node = self.nodes.get(client.role.0 as usize)?;
        let own = part_of(&part, ONE, node.below);
        narrow(&mut room, &own, &tree.node(client.class, client.role).own_held.amounts);
        let mine = part_of(&own, 1, node.clients);
        narrow(&mut room, &mine, &client.held.amounts);
        let is_below = mine.iter().all(|(kind, _)| room.get(kind) > 0);
        (is_below && !room.is_empty()).then_some(room)
    }

    /// A role's part, and what is missing to it and to those of the roles above.
    fn role_room(
        &self,
        class: Class,
        role: RoleIx,
        tree: &Tree,
        kinds: &Kinds,
    ) -> (Amounts, Amounts) {
        let (weight, parent) =
            tree.role(role).map_or((ONE, None), |role| (role.weight.max(1), role.parent));
        let (whole, mut room, of) = match parent {
            Some(parent) => {
                let (whole, room) = self.role_room(class, parent, tree, kinds);
                (whole, room, self.nodes.get(parent.0 as usize).map_or(weight, |node| node.below))
            }
            None => {
                let whole = kinds.totals_for_shares();
                (whole.clone(), whole, self.top)
            }
        };
        let part = part_of(&whole, weight, of);
        narrow(&mut room, &part, &tree.node(class, role).held.amounts);
        (part, room)
    }
}

/// `weight` parts of `of`, rounded up to the thousandth.
fn part_of(whole: &Amounts, weight: i64, of: i64) -> Amounts {
    let of = i128::from(of.max(weight).max(1));
    Amounts::new(whole.iter().map(|(kind, amount)| {
        let part = (i128::from(amount) * i128::from(weight) + of - 1) / of;
        (kind, i64::try_from(part).unwrap_or(amount))
    }))
}

/// Leaves no more room than is missing to `part`.
fn narrow(room: &mut Amounts, part: &Amounts, held: &Amounts) {
    *room = Amounts::new(part.iter().map(|(kind, part)| {
        (kind, room.get(kind).min(part.saturating_sub(held.get(kind))).max(0))
    }));
}
