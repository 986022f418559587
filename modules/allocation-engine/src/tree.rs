//! The trees of roles with their clients, and who is next among siblings. No agents and no quota
//! here.
//!
//! ```text
//! (root) ─┬─ eng ─┬─ eng/.        the clients of eng itself, a leaf of weight 1
//!         │       └─ eng/backend
//!         └─ ops ─── ops/.
//! ```
//!
//! A client is a framework in a role. Only what wants offers stands in an order; siblings are
//! ordered by weighted share, then by how often they were granted something, then by name (Mesos:
//! sorter). Each class has such a tree for itself, of the same roles; a client stands in the one
//! of its class.

mod orders;

use std::sync::Arc;

use reeve_module_sdk::allocator::{AgentIx, Amounts, FrameworkIx, RoleIx};

use crate::kinds::Kinds;
use crate::mask::Mask;
use crate::policy::{Class, Policy};
use crate::share::WeightedShare;
use crate::siblings::Siblings;

/// The number of a role's own leaf among the role's children.
pub(crate) const OWN: u32 = u32::MAX;

/// Weights are thousandths: one.
pub(crate) const ONE: i64 = 1000;

/// What shares are measured by.
#[derive(Debug, Default)]
pub(crate) struct Scale<P> {
    pub(crate) kinds: Kinds,
    pub(crate) policy: P,
}

impl<P: Policy> Scale<P> {
    fn epoch(&self) -> u64 {
        self.kinds.epoch()
    }

    fn share(&self, held: &Holding, weight: i64) -> WeightedShare {
        let measured = self.policy.measure(&held.amounts, held.tasks, &self.kinds);
        WeightedShare::new(measured, weight)
    }
}

/// What somebody holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holding {
    pub(crate) amounts: Amounts,
    tasks: i64,
}

impl Holding {
    fn add(&mut self, amounts: &Amounts, tasks: i64) {
        self.amounts.add(amounts);
        self.tasks += tasks;
    }
}

/// What siblings are compared by before their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing {
    pub(crate) share: WeightedShare,
    grants: u64,
}

impl Default for Standing {
    fn default() -> Self {
        Self { share: WeightedShare::ZERO, grants: 0 }
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
    pub(crate) held: Holding,
    /// The part of it that is not reserved; kept only where classes have reserves.
    pub(crate) unreserved: Amounts,
    /// The last offer, until it is answered; kept only where offers may be cut down.
    pub(crate) offered: Option<Offered>,
    /// Whether it declined an offer that was cut down to its fair share: it needs a larger one.
    pub(crate) needs_more: bool,
    /// The class it stands in, and the one it belongs to.
    pub(crate) class: Class,
    pub(crate) home: Class,
}

/// An offer that is out.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) agent: AgentIx,
    pub(crate) scalars: Amounts,
    /// Whether it was cut down to the client's fair share.
    pub(crate) cut: bool,
}

/// What a role is in every class.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) name: String,
    own_name: String,
    pub(crate) parent: Option<RoleIx>,
    pub(crate) weight: i64,
}

/// A role in one class, and its own leaf.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) held: Holding,
    standing: Standing,
    pub(crate) own_held: Holding,
    own_standing: Standing,
    /// Clients that want offers, here and in the whole subtree.
    own_wanting: u32,
    pub(crate) wanting: u32,
    children: Siblings,
    clients: Siblings,
}

/// The tree of one class.
#[derive(Debug, Default)]
struct Layer {
    nodes: Vec<Node>,
    top: Siblings,
}

/// Roles and clients by number.
#[derive(Debug)]
pub(crate) struct Tree {
    roles: Vec<Role>,
    layers: Vec<Layer>,
    pub(crate) clients: Vec<Client>,
    standings: Vec<Standing>,
    vacant: Vec<u32>,
    /// The clients that want offers.
    pub(crate) wanting: Mask,
    /// Moves on whenever a number may mean something else or weigh differently than before.
    pub(crate) shape: u64,
}

// === The roles ===

impl Tree {
    /// No role and no client; at least one class.
    pub(crate) fn new(classes: usize) -> Self {
        Self {
            roles: Vec::new(),
            layers: std::iter::repeat_with(Layer::default).take(classes.max(1)).collect(),
            clients: Vec::new(),
            standings: Vec::new(),
            vacant: Vec::new(),
            wanting: Mask::default(),
            shape: 0,
        }
    }

    pub(crate) fn classes(&self) -> usize {
        self.layers.len()
    }

    pub(crate) fn role(&self, role: RoleIx) -> Option<&Role> {
        self.roles.get(role.0 as usize)
    }

    pub(crate) fn node(&self, class: Class, role: RoleIx) -> &Node {
        &self.layers[class].nodes[role.0 as usize]
    }

    fn node_mut(&mut self, class: Class, role: RoleIx) -> &mut Node {
        &mut self.layers[class].nodes[role.0 as usize]
    }

    fn parent(&self, role: RoleIx) -> Option<RoleIx> {
        self.role(role).and_then(|role| role.parent)
    }

    /// Names a role, or sets its weight.
    pub(crate) fn set_role<P: Policy>(
        &mut self,
        role: RoleIx,
        name: &str,
        parent: Option<RoleIx>,
        weight: i64,
        scale: &Scale<P>,
    ) {
        self.shape += 1;
        let last = role.0.max(parent.map_or(0, |parent| parent.0)) as usize;
        if self.roles.len() <= last {
            self.roles.resize_with(last + 1, Role::default);
            for layer in &mut self.layers {
                layer.nodes.resize_with(last + 1, Node::default);
            }
        }
        let listed: Vec<Class> =
            (0..self.classes()).filter(|&class| self.node(class, role).wanting > 0).collect();
        for &class in &listed {
            self.unlist_child(class, self.parent(role), role.0, scale);
        }
        let own_name = format!("{name}/.");
        self.roles[role.0 as usize] = Role { name: name.to_owned(), own_name, parent, weight };
        for &class in &listed {
            self.list_child(class, parent, role.0, scale);
        }
        for class in 0..self.classes() {
            self.measure_child(class, parent, role.0, scale);
        }
    }

    /// Whether `role` is `above` or below it.
    pub(crate) fn is_within(&self, role: RoleIx, above: RoleIx) -> bool {
        let mut at = Some(role);
        while let Some(role) = at {
            if role == above {
                return true;
            }
            at = self.parent(role);
        }
        false
    }

    /// The role above all others that `role` is within.
    pub(crate) fn top_of(&self, mut role: RoleIx) -> RoleIx {
        while let Some(parent) = self.parent(role) {
            role = parent;
        }
        role
    }

    pub(crate) fn share_of_role(&self, class: Class, role: RoleIx) -> WeightedShare {
        self.node(class, role).standing.share
    }

    /// How many clients of a class want offers.
    pub(crate) fn wanting_in(&self, class: Class) -> u32 {
        let layer = &self.layers[class];
        layer.top.iter().map(|role| layer.nodes[role as usize].wanting).sum()
    }

    /// The children of a role, or the roles at the top, in order.
    pub(crate) fn children(&self, class: Class, of: Option<RoleIx>) -> &Siblings {
        match of {
            Some(role) => &self.node(class, role).children,
            None => &self.layers[class].top,
        }
    }

    /// The clients of a role in order.
    pub(crate) fn clients_of(&self, class: Class, role: RoleIx) -> &Siblings {
        &self.node(class, role).clients
    }

    fn children_mut(&mut self, class: Class, of: Option<RoleIx>) -> &mut Siblings {
        match of {
            Some(role) => &mut self.node_mut(class, role).children,
            None => &mut self.layers[class].top,
        }
    }
}

// === The clients ===

impl Tree {
    /// Numbers a new client, which holds nothing and wants nothing yet.
    pub(crate) fn add_client(&mut self, client: Client) -> u32 {
        self.shape += 1;
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
    pub(crate) fn rename<P: Policy>(
        &mut self,
        slot: u32,
        id: Arc<str>,
        has: u32,
        scale: &Scale<P>,
    ) {
        let wanted = self.clients[slot as usize].wanted;
        self.want(slot, false, scale);
        let client = &mut self.clients[slot as usize];
        (client.id, client.has) = (id, has);
        self.want(slot, wanted, scale);
    }

    /// Moves a client with all it holds to the tree of another class.
    pub(crate) fn move_client<P: Policy>(&mut self, slot: u32, class: Class, scale: &Scale<P>) {
        self.shape += 1;
        let Client { wanted, ref held, .. } = self.clients[slot as usize];
        let held = held.clone();
        self.want(slot, false, scale);
        let mut all = Amounts::default();
        all.subtract(&held.amounts);
        self.hold(slot, &all, -held.tasks, false, scale);
        self.clients[slot as usize].class = class;
        self.hold(slot, &held.amounts, held.tasks, false, scale);
        self.want(slot, wanted, scale);
    }

    /// Forgets a client and what it held.
    pub(crate) fn remove_client<P: Policy>(&mut self, slot: u32, scale: &Scale<P>) {
        self.shape += 1;
        self.want(slot, false, scale);
        let held = self.clients[slot as usize].held.clone();
        let mut rest = Amounts::default();
        rest.subtract(&held.amounts);
        self.hold(slot, &rest, -held.tasks, false, scale);
        self.vacant.push(slot);
    }

    /// Whether a client wants offers.
    pub(crate) fn want<P: Policy>(&mut self, slot: u32, wanted: bool, scale: &Scale<P>) {
        let client = &mut self.clients[slot as usize];
        if client.wanted == wanted {
            return;
        }
        let (class, role) = (client.class, client.role);
        client.wanted = wanted;
        let mut clients = std::mem::take(&mut self.node_mut(class, role).clients);
        if wanted {
            self.wanting.set(slot);
            self.standings[slot as usize].share =
                scale.share(&self.clients[slot as usize].held, ONE);
            clients.insert(slot, scale.epoch(), |a, b| self.compare_clients(a, b));
        } else {
            self.wanting.clear(slot);
            clients.remove(slot, scale.epoch(), |a, b| self.compare_clients(a, b));
        }
        self.node_mut(class, role).clients = clients;
        self.count_wanting(class, role, wanted, scale);
    }

    fn count_wanting<P: Policy>(
        &mut self,
        class: Class,
        role: RoleIx,
        wanted: bool,
        scale: &Scale<P>,
    ) {
        let own = &mut self.node_mut(class, role).own_wanting;
        *own = if wanted { *own + 1 } else { own.saturating_sub(1) };
        match (wanted, *own) {
            (true, 1) => self.list_child(class, Some(role), OWN, scale),
            (false, 0) => self.unlist_child(class, Some(role), OWN, scale),
            _ => {}
        }
        let mut at = Some(role);
        while let Some(role) = at {
            let parent = self.parent(role);
            let node = self.node_mut(class, role);
            node.wanting = if wanted { node.wanting + 1 } else { node.wanting.saturating_sub(1) };
            match (wanted, node.wanting) {
                (true, 1) => self.list_child(class, parent, role.0, scale),
                (false, 0) => self.unlist_child(class, parent, role.0, scale),
                _ => {}
            }
            at = parent;
        }
    }

    fn list_child<P: Policy>(
        &mut self,
        class: Class,
        parent: Option<RoleIx>,
        child: u32,
        scale: &Scale<P>,
    ) {
        self.measure_child(class, parent, child, scale);
        let mut children = std::mem::take(self.children_mut(class, parent));
        let compare = |a, b| self.compare_children(class, parent, a, b);
        children.insert(child, scale.epoch(), compare);
        *self.children_mut(class, parent) = children;
    }

    fn unlist_child<P: Policy>(
        &mut self,
        class: Class,
        parent: Option<RoleIx>,
        child: u32,
        scale: &Scale<P>,
    ) {
        let mut children = std::mem::take(self.children_mut(class, parent));
        let compare = |a, b| self.compare_children(class, parent, a, b);
        children.remove(child, scale.epoch(), compare);
        *self.children_mut(class, parent) = children;
    }

    /// Changes what a client holds, and with it its role and all roles above. `granted` counts.
    pub(crate) fn hold<P: Policy>(
        &mut self,
        slot: u32,
        delta: &Amounts,
        tasks: i64,
        granted: bool,
        scale: &Scale<P>,
    ) {
        let count = u64::from(granted);
        let Client { class, role, wanted: listed, .. } = self.clients[slot as usize];
        let mut clients = std::mem::take(&mut self.node_mut(class, role).clients);
        if listed {
            clients.remove(slot, scale.epoch(), |a, b| self.compare_clients(a, b));
        }
        let client = &mut self.clients[slot as usize];
        client.held.add(delta, tasks);
        let standing = &mut self.standings[slot as usize];
        standing.grants += count;
        standing.share = scale.share(&client.held, ONE);
        if listed {
            clients.insert(slot, scale.epoch(), |a, b| self.compare_clients(a, b));
        }
        self.node_mut(class, role).clients = clients;
        self.move_own(class, role, scale, |node| {
            node.own_held.add(delta, tasks);
            node.own_standing.grants += count;
        });
        let mut at = Some(role);
        while let Some(role) = at {
            self.move_role(class, role, scale, |node| {
                node.held.add(delta, tasks);
                node.standing.grants += count;
            });
            at = self.parent(role);
        }
    }
}
