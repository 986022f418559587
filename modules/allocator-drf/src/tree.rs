//! The tree of roles with its clients, and who is next among siblings. No agents and no quota here.
//!
//! ```text
//! (root) ─┬─ eng ─┬─ eng/.        the clients of eng itself, a leaf of weight 1
//!         │       └─ eng/backend
//!         └─ ops ─── ops/.
//! ```
//!
//! A client is a framework in a role. Only what wants offers stands in an order; siblings are
//! ordered by weighted dominant share, then by how often they were granted something, then by
//! name (Mesos: sorter).

use std::cmp::Ordering;
use std::sync::Arc;

use reeve_module_sdk::allocator::{Amounts, FrameworkIx, RoleIx};

use crate::kinds::Kinds;
use crate::mask::Mask;
use crate::share::DominantShare;
use crate::siblings::Siblings;

/// The number of a role's own leaf among the role's children.
pub(crate) const OWN: u32 = u32::MAX;

/// Weights are thousandths: one.
const ONE: i64 = 1000;

/// What siblings are compared by before their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing {
    pub(crate) share: DominantShare,
    grants: u64,
}

impl Default for Standing {
    fn default() -> Self {
        Self { share: DominantShare::ZERO, grants: 0 }
    }
}

/// A framework in a role.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) framework: FrameworkIx,
    pub(crate) role: RoleIx,
    pub(crate) id: Arc<str>,
    pub(crate) wanted: bool,
    pub(crate) minimum: Vec<Amounts>,
    pub(crate) has: u32,
    pub(crate) held: Amounts,
}

/// A role, or with a number of its own its leaf.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    own_name: String,
    pub(crate) parent: Option<RoleIx>,
    pub(crate) weight: i64,
    held: Amounts,
    standing: Standing,
    own_held: Amounts,
    own_standing: Standing,
    /// Clients that want offers, here and in the whole subtree.
    own_wanting: u32,
    pub(crate) wanting: u32,
    children: Siblings,
    clients: Siblings,
}

/// Roles and clients by number.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    top: Siblings,
    pub(crate) clients: Vec<Client>,
    standings: Vec<Standing>,
    vacant: Vec<u32>,
    /// The clients that want offers.
    pub(crate) wanting: Mask,
}

// === The roles ===

impl Tree {
    pub(crate) fn node(&self, role: RoleIx) -> Option<&Node> {
        self.nodes.get(role.0 as usize)
    }

    /// Names a role, or sets its weight.
    pub(crate) fn set_role(
        &mut self,
        role: RoleIx,
        name: &str,
        parent: Option<RoleIx>,
        weight: i64,
        kinds: &Kinds,
    ) {
        let last = role.0.max(parent.map_or(0, |parent| parent.0)) as usize;
        if self.nodes.len() <= last {
            self.nodes.resize_with(last + 1, Node::default);
        }
        self.move_role(role, kinds, |node| {
            name.clone_into(&mut node.name);
            node.own_name = format!("{name}/.");
            node.parent = parent;
            node.weight = weight;
        });
    }

    /// Whether `role` is `above` or below it.
    pub(crate) fn is_within(&self, role: RoleIx, above: RoleIx) -> bool {
        let mut at = Some(role);
        while let Some(role) = at {
            if role == above {
                return true;
            }
            at = self.node(role).and_then(|node| node.parent);
        }
        false
    }

    /// The role above all others that `role` is within.
    pub(crate) fn top_of(&self, mut role: RoleIx) -> RoleIx {
        while let Some(parent) = self.node(role).and_then(|node| node.parent) {
            role = parent;
        }
        role
    }

    pub(crate) fn share_of_role(&self, role: RoleIx) -> Option<DominantShare> {
        self.node(role).map(|node| node.standing.share)
    }

    /// The children of a role, or the roles at the top, in order.
    pub(crate) fn children(&self, of: Option<RoleIx>) -> &Siblings {
        match of {
            Some(role) => &self.nodes[role.0 as usize].children,
            None => &self.top,
        }
    }

    /// The clients of a role in order.
    pub(crate) fn clients_of(&self, role: RoleIx) -> &Siblings {
        &self.nodes[role.0 as usize].clients
    }

    fn children_mut(&mut self, of: Option<RoleIx>) -> &mut Siblings {
        match of {
            Some(role) => &mut self.nodes[role.0 as usize].children,
            None => &mut self.top,
        }
    }
}

// === The clients ===

impl Tree {
    /// Numbers a new client.
    pub(crate) fn add_client(
        &mut self,
        framework: FrameworkIx,
        role: RoleIx,
        id: Arc<str>,
        has: u32,
    ) -> u32 {
        let client = Client {
            framework,
            role,
            id,
            has,
            wanted: false,
            minimum: Vec::new(),
            held: Amounts::default(),
        };
        if let Some(slot) = self.vacant.pop() {
            self.clients[slot as usize] = client;
            self.standings[slot as usize] = Standing::default();
            return slot;
        }
        self.clients.push(client);
        self.standings.push(Standing::default());
        self.clients.len() as u32 - 1
    }

    /// A client's framework described itself anew; its id decides among equals.
    pub(crate) fn rename(&mut self, slot: u32, id: Arc<str>, has: u32, kinds: &Kinds) {
        let wanted = self.clients[slot as usize].wanted;
        self.want(slot, false, kinds);
        let client = &mut self.clients[slot as usize];
        (client.id, client.has) = (id, has);
        self.want(slot, wanted, kinds);
    }

    /// Forgets a client and what it held.
    pub(crate) fn remove_client(&mut self, slot: u32, kinds: &Kinds) {
        self.want(slot, false, kinds);
        let mut rest = Amounts::default();
        rest.subtract(&self.clients[slot as usize].held);
        self.hold(slot, &rest, false, kinds);
        self.vacant.push(slot);
    }

    /// Whether a client wants offers.
    pub(crate) fn want(&mut self, slot: u32, wanted: bool, kinds: &Kinds) {
        if self.clients[slot as usize].wanted == wanted {
            return;
        }
        let role = self.clients[slot as usize].role;
        self.clients[slot as usize].wanted = wanted;
        let mut clients = std::mem::take(&mut self.nodes[role.0 as usize].clients);
        if wanted {
            self.wanting.set(slot);
            self.standings[slot as usize].share =
                DominantShare::of(&self.clients[slot as usize].held, kinds, ONE);
            clients.insert(slot, kinds.epoch(), |a, b| self.compare_clients(a, b));
        } else {
            self.wanting.clear(slot);
            clients.remove(slot, kinds.epoch(), |a, b| self.compare_clients(a, b));
        }
        self.nodes[role.0 as usize].clients = clients;
        self.count_wanting(role, wanted, kinds);
    }

    fn count_wanting(&mut self, role: RoleIx, wanted: bool, kinds: &Kinds) {
        let own = &mut self.nodes[role.0 as usize].own_wanting;
        *own = if wanted { *own + 1 } else { own.saturating_sub(1) };
        match (wanted, *own) {
            (true, 1) => self.list_child(Some(role), OWN, kinds),
            (false, 0) => self.unlist_child(Some(role), OWN, kinds),
            _ => {}
        }
        let mut at = Some(role);
        while let Some(role) = at {
            let node = &mut self.nodes[role.0 as usize];
            let parent = node.parent;
            node.wanting = if wanted { node.wanting + 1 } else { node.wanting.saturating_sub(1) };
            match (wanted, node.wanting) {
                (true, 1) => self.list_child(parent, role.0, kinds),
                (false, 0) => self.unlist_child(parent, role.0, kinds),
                _ => {}
            }
            at = parent;
        }
    }

    fn list_child(&mut self, parent: Option<RoleIx>, child: u32, kinds: &Kinds) {
        self.measure_child(parent, child, kinds);
        let mut children = std::mem::take(self.children_mut(parent));
        children.insert(child, kinds.epoch(), |a, b| self.compare_children(parent, a, b));
        *self.children_mut(parent) = children;
    }

    fn unlist_child(&mut self, parent: Option<RoleIx>, child: u32, kinds: &Kinds) {
        let mut children = std::mem::take(self.children_mut(parent));
        children.remove(child, kinds.epoch(), |a, b| self.compare_children(parent, a, b));
        *self.children_mut(parent) = children;
    }

    /// Changes what a client holds, and with it its role and all roles above. `granted` counts.
    pub(crate) fn hold(&mut self, slot: u32, delta: &Amounts, granted: bool, kinds: &Kinds) {
        let count = u64::from(granted);
        let role = self.clients[slot as usize].role;
        let listed = self.clients[slot as usize].wanted;
        let mut clients = std::mem::take(&mut self.nodes[role.0 as usize].clients);
        if listed {
            clients.remove(slot, kinds.epoch(), |a, b| self.compare_clients(a, b));
        }
        let client = &mut self.clients[slot as usize];
        client.held.add(delta);
        let standing = &mut self.standings[slot as usize];
        standing.grants += count;
        standing.share = DominantShare::of(&client.held, kinds, ONE);
        if listed {
            clients.insert(slot, kinds.epoch(), |a, b| self.compare_clients(a, b));
        }
        self.nodes[role.0 as usize].clients = clients;
        self.move_own(role, kinds, |node| {
            node.own_held.add(delta);
            node.own_standing.grants += count;
        });
        let mut at = Some(role);
        while let Some(role) = at {
            self.move_role(role, kinds, |node| {
                node.held.add(delta);
                node.standing.grants += count;
            });
            at = self.nodes[role.0 as usize].parent;
        }
    }
}

// === The orders ===

impl Tree {
    /// Changes a role and moves it to its new place among its siblings.
    fn move_role(&mut self, role: RoleIx, kinds: &Kinds, change: impl FnOnce(&mut Node)) {
        let node = &self.nodes[role.0 as usize];
        let (parent, listed) = (node.parent, node.wanting > 0);
        // Alone among its siblings, there is nowhere to move to.
        let moves = listed && self.children(parent).len() > 1;
        if moves {
            self.unlist_child(parent, role.0, kinds);
        }
        change(&mut self.nodes[role.0 as usize]);
        if moves {
            let parent = self.nodes[role.0 as usize].parent;
            self.list_child(parent, role.0, kinds);
        } else {
            self.measure_child(parent, role.0, kinds);
        }
    }

    /// The same for a role's own leaf.
    fn move_own(&mut self, role: RoleIx, kinds: &Kinds, change: impl FnOnce(&mut Node)) {
        let node = &self.nodes[role.0 as usize];
        let moves = node.own_wanting > 0 && node.children.len() > 1;
        if moves {
            self.unlist_child(Some(role), OWN, kinds);
        }
        change(&mut self.nodes[role.0 as usize]);
        if moves {
            self.list_child(Some(role), OWN, kinds);
        } else {
            self.measure_child(Some(role), OWN, kinds);
        }
    }

    fn measure_child(&mut self, parent: Option<RoleIx>, child: u32, kinds: &Kinds) {
        match (parent, child) {
            (Some(role), OWN) => {
                let node = &mut self.nodes[role.0 as usize];
                node.own_standing.share = DominantShare::of(&node.own_held, kinds, ONE);
            }
            (_, child) => {
                if let Some(node) = self.nodes.get_mut(child as usize) {
                    node.standing.share = DominantShare::of(&node.held, kinds, node.weight);
                }
            }
        }
    }

    fn child_standing(&self, parent: Option<RoleIx>, child: u32) -> (Standing, &str) {
        match (parent, child) {
            (Some(role), OWN) => {
                let node = &self.nodes[role.0 as usize];
                (node.own_standing, &node.own_name)
            }
            (_, child) => {
                let node = &self.nodes[child as usize];
                (node.standing, &node.name)
            }
        }
    }

    fn compare_children(&self, parent: Option<RoleIx>, a: u32, b: u32) -> Ordering {
        self.child_standing(parent, a).cmp(&self.child_standing(parent, b))
    }

    fn compare_clients(&self, a: u32, b: u32) -> Ordering {
        let order = self.standings[a as usize].cmp(&self.standings[b as usize]);
        order.then_with(|| self.clients[a as usize].id.cmp(&self.clients[b as usize].id))
    }

    /// Puts the children of a node in order again if the cluster's totals have changed since.
    pub(crate) fn refresh_children(&mut self, of: Option<RoleIx>, kinds: &Kinds) {
        if self.children(of).is_sorted_for(kinds.epoch()) {
            return;
        }
        let mut children = std::mem::take(self.children_mut(of));
        for child in children.iter() {
            self.measure_child(of, child, kinds);
        }
        children.sort(kinds.epoch(), |a, b| self.compare_children(of, a, b));
        *self.children_mut(of) = children;
    }

    /// The same for the clients of a role.
    pub(crate) fn refresh_clients(&mut self, role: RoleIx, kinds: &Kinds) {
        if self.clients_of(role).is_sorted_for(kinds.epoch()) {
            return;
        }
        let mut clients = std::mem::take(&mut self.nodes[role.0 as usize].clients);
        for slot in clients.iter() {
            self.standings[slot as usize].share =
                DominantShare::of(&self.clients[slot as usize].held, kinds, ONE);
        }
        clients.sort(kinds.epoch(), |a, b| self.compare_clients(a, b));
        self.nodes[role.0 as usize].clients = clients;
    }
}
