//! Roles as numbers, their weights and quota, and what the top-level ones consume.

use std::collections::BTreeMap;

use reeve_model::Role;
use reeve_module_sdk::allocator::{Amounts, Change, Limit, RoleIx};

/// A role's weight unless it is told, in thousandths.
const ONE: i64 = 1000;

/// Every role that was ever named, by number.
#[derive(Debug, Default)]
pub(super) struct Roles {
    numbers: BTreeMap<Role, RoleIx>,
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    role: Role,
    parent: Option<RoleIx>,
    top: RoleIx,
    weight: i64,
    limits: Vec<Limit>,
    /// Of a top-level role: reservations, used or not, and unreserved resources held below.
    consumed: Amounts,
}

impl Roles {
    /// The number of a role, given now and announced, with the roles above it, if it is new.
    pub(super) fn ensure(&mut self, role: &Role, out: &mut Vec<Change>) -> RoleIx {
        if let Some(&number) = self.numbers.get(role) {
            return number;
        }
        let parent = role.parent().map(|parent| self.ensure(&parent, out));
        let number = RoleIx(u32::try_from(self.known.len()).unwrap_or(u32::MAX));
        let top = parent.map_or(number, |parent| self.top_of(parent));
        self.numbers.insert(role.clone(), number);
        self.known.push(Known {
            role: role.clone(),
            parent,
            top,
            weight: ONE,
            limits: Vec::new(),
            consumed: Amounts::default(),
        });
        self.announce(number, out);
        number
    }

    fn announce(&self, number: RoleIx, out: &mut Vec<Change>) {
        if let Some(known) = self.known(number) {
            out.push(Change::Role {
                role: number,
                name: known.role.to_string().into(),
                parent: known.parent.into(),
                weight: known.weight,
            });
        }
    }

    fn known(&self, number: RoleIx) -> Option<&Known> {
        self.known.get(number.0 as usize)
    }

    pub(super) fn find(&self, role: &Role) -> Option<RoleIx> {
        self.numbers.get(role).copied()
    }

    pub(super) fn role(&self, number: RoleIx) -> Option<&Role> {
        self.known(number).map(|known| &known.role)
    }

    /// The numbers and names of all roles.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RoleIx, &Role)> {
        self.numbers.iter().map(|(role, &number)| (number, role))
    }

    pub(super) fn weight(&self, number: RoleIx) -> i64 {
        self.known(number).map_or(ONE, |known| known.weight)
    }

    pub(super) fn parent(&self, number: RoleIx) -> Option<RoleIx> {
        self.known(number).and_then(|known| known.parent)
    }

    pub(super) fn top_of(&self, number: RoleIx) -> RoleIx {
        self.known(number).map_or(number, |known| known.top)
    }

    /// Whether `role` is `above` or below it.
    pub(super) fn is_within(&self, role: RoleIx, above: RoleIx) -> bool {
        let mut at = Some(role);
        while let Some(role) = at {
            if role == above {
                return true;
            }
            at = self.parent(role);
        }
        false
    }

    pub(super) fn set_weight(&mut self, role: &Role, weight: i64, out: &mut Vec<Change>) {
        let number = self.ensure(role, out);
        if let Some(known) = self.known.get_mut(number.0 as usize) {
            known.weight = weight.max(1);
        }
        self.announce(number, out);
    }

    pub(super) fn set_limits(&mut self, role: RoleIx, limits: Vec<Limit>) {
        if let Some(known) = self.known.get_mut(role.0 as usize) {
            known.limits = limits;
        }
    }

    /// A role consumes more, or with negative amounts less.
    pub(super) fn consume(&mut self, role: RoleIx, delta: &Amounts) {
        let top = self.top_of(role);
        if let Some(known) = self.known.get_mut(top.0 as usize) {
            known.consumed.add(delta);
        }
    }

    /// Whether the role's limits leave room for that much more.
    pub(super) fn allows(&self, role: RoleIx, more: &Amounts) -> bool {
        self.known(self.top_of(role)).is_none_or(|known| {
            known.limits.iter().all(|limit| {
                let more = more.get(limit.kind);
                let consumed = known.consumed.get(limit.kind);
                more == 0 || consumed.saturating_add(more) <= limit.amount
            })
        })
    }
}
