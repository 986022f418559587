//! Roles: the tree of names by which frameworks share a cluster (Mesos docs: roles).

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::{IdError, rules};

super::id!(
    /// A role such as `eng/backend`; `*` is the role of everybody.
    Role, rules::role
);

impl Role {
    /// `*`, the default role.
    pub fn any() -> Self {
        static ANY: LazyLock<Role> = LazyLock::new(|| Role::new("*"));
        ANY.clone()
    }

    /// Whether this is `*`.
    pub fn is_any(&self) -> bool {
        &*self.0 == "*"
    }

    /// Whether `other` lies strictly below this role: `a` is an ancestor of `a/b`, not of itself.
    pub fn is_ancestor_of(&self, other: &Self) -> bool {
        other
            .0
            .strip_prefix(&*self.0)
            .is_some_and(|rest| rest.len() > 1 && rest.as_bytes()[0] == b'/')
    }

    /// The roles above this one, nearest first: `a/b/c` gives `a/b`, `a`.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.rmatch_indices('/').map(|(at, _)| Self::new(&self.0[..at]))
    }

    /// The role right above this one.
    pub fn parent(&self) -> Option<Self> {
        self.ancestors().next()
    }
}
