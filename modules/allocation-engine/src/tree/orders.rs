//! The orders of siblings: what moves where when somebody gets or gives back something.

use std::cmp::Ordering;

use reeve_module_sdk::allocator::RoleIx;

use super::{Node, ONE, OWN, Scale, Standing, Tree};
use crate::policy::{Class, Policy};

impl Tree {
    /// Changes a role and moves it to its new place among its siblings.
    pub(super) fn move_role<P: Policy>(
        &mut self,
        class: Class,
        role: RoleIx,
        scale: &Scale<P>,
        change: impl FnOnce(&mut Node),
    ) {
        let parent = self.parent(role);
        // Alone among its siblings, there is nowhere to move to.
        let moves = self.node(class, role).wanting > 0 && self.children(class, parent).len() > 1;
        if moves {
            self.unlist_child(class, parent, role.0, scale);
        }
        change(self.node_mut(class, role));
        if moves {
            self.list_child(class, parent, role.0, scale);
        } else {
            self.measure_child(class, parent, role.0, scale);
        }
    }

    /// The same for a role's own leaf.
    pub(super) fn move_own<P: Policy>(
        &mut self,
        class: Class,
        role: RoleIx,
        scale: &Scale<P>,
        change: impl FnOnce(&mut Node),
    ) {
        let node = self.node(class, role);
        let moves = node.own_wanting > 0 && node.children.len() > 1;
        if moves {
            self.unlist_child(class, Some(role), OWN, scale);
        }
        change(self.node_mut(class, role));
        if moves {
            self.list_child(class, Some(role), OWN, scale);
        } else {
            self.measure_child(class, Some(role), OWN, scale);
        }
    }

    pub(super) fn measure_child<P: Policy>(
        &mut self,
        class: Class,
        parent: Option<RoleIx>,
        child: u32,
        scale: &Scale<P>,
    ) {
        match (parent, child) {
            (Some(role), OWN) => {
                let node = self.node_mut(class, role);
                node.own_standing.share = scale.share(&node.own_held, ONE);
            }
            (_, child) => {
                let weight = self.role(RoleIx(child)).map_or(ONE, |role| role.weight);
                if let Some(node) = self.layers[class].nodes.get_mut(child as usize) {
                    node.standing.share = scale.share(&node.held, weight);
                }
            }
        }
    }

    fn child_standing(&self, class: Class, parent: Option<RoleIx>, child: u32) -> Standing {
        match (parent, child) {
            (Some(role), OWN) => self.node(class, role).own_standing,
            (_, child) => self.node(class, RoleIx(child)).standing,
        }
    }

    fn child_name(&self, parent: Option<RoleIx>, child: u32) -> &str {
        match (parent, child) {
            (Some(role), OWN) => &self.roles[role.0 as usize].own_name,
            (_, child) => &self.roles[child as usize].name,
        }
    }

    pub(super) fn compare_children(
        &self,
        class: Class,
        parent: Option<RoleIx>,
        a: u32,
        b: u32,
    ) -> Ordering {
        let order =
            self.child_standing(class, parent, a).cmp(&self.child_standing(class, parent, b));
        order.then_with(|| self.child_name(parent, a).cmp(self.child_name(parent, b)))
    }

    pub(super) fn compare_clients(&self, a: u32, b: u32) -> Ordering {
        let order = self.standings[a as usize].cmp(&self.standings[b as usize]);
        order.then_with(|| self.clients[a as usize].id.cmp(&self.clients[b as usize].id))
    }

    /// Puts the children of a node in order again if the cluster's totals have changed since.
    pub(crate) fn refresh_children<P: Policy>(
        &mut self,
        class: Class,
        of: Option<RoleIx>,
        scale: &Scale<P>,
    ) {
        if self.children(class, of).is_sorted_for(scale.epoch()) {
            return;
        }
        let mut children = std::mem::take(self.children_mut(class, of));
        for child in children.iter() {
            self.measure_child(class, of, child, scale);
        }
        children.sort(scale.epoch(), |a, b| self.compare_children(class, of, a, b));
        *self.children_mut(class, of) = children;
    }

    /// The same for the clients of a role.
    pub(crate) fn refresh_clients<P: Policy>(
        &mut self,
        class: Class,
        role: RoleIx,
        scale: &Scale<P>,
    ) {
        if self.clients_of(class, role).is_sorted_for(scale.epoch()) {
            return;
        }
        let mut clients = std::mem::take(&mut self.node_mut(class, role).clients);
        for slot in clients.iter() {
            self.standings[slot as usize].share =
                scale.share(&self.clients[slot as usize].held, ONE);
        }
        clients.sort(scale.epoch(), |a, b| self.compare_clients(a, b));
        self.node_mut(class, role).clients = clients;
    }
}
