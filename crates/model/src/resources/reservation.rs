//! For whom a resource is kept: a stack, each level a role strictly below the one before.

use std::sync::Arc;

use crate::ids::{Principal, Role};
use crate::labels::Labels;

/// One level of the stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reservation {
    /// Made at the agent's start (`cpus(prod):4`); cannot be undone at run time.
    Static {
        /// For whom.
        role: Role,
    },
    /// Made by an operation; can be undone.
    Dynamic {
        /// For whom.
        role: Role,
        /// Who reserved it.
        principal: Option<Principal>,
        /// Free notes of who reserved it; part of the identity.
        labels: Labels,
    },
}

impl Reservation {
    /// A dynamic reservation without notes.
    pub fn dynamic(role: Role, principal: Option<Principal>) -> Self {
        Self::Dynamic { role, principal, labels: Labels::default() }
    }

    /// For whom.
    pub fn role(&self) -> &Role {
        match self {
            Self::Static { role } | Self::Dynamic { role, .. } => role,
        }
    }

    /// Whether an operation made it.
    pub fn is_dynamic(&self) -> bool {
        matches!(self, Self::Dynamic { .. })
    }
}

/// The stack, outermost reservation first. Empty means unreserved; a clone is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reservations(Option<Arc<[Reservation]>>);

impl Reservations {
    /// The stack of these levels.
    pub fn new(levels: &[Reservation]) -> Self {
        if levels.is_empty() { Self(None) } else { Self(Some(levels.into())) }
    }

    /// This stack with one level more.
    #[must_use]
    pub fn push(&self, level: Reservation) -> Self {
        let mut levels = self.to_vec();
        levels.push(level);
        Self::new(&levels)
    }

    /// This stack without its innermost level.
    #[must_use]
    pub fn pop(&self) -> Self {
        self.split_last().map_or_else(Self::default, |(_, outer)| Self::new(outer))
    }
}

impl std::ops::Deref for Reservations {
    type Target = [Reservation];

    fn deref(&self) -> &[Reservation] {
        self.0.as_deref().unwrap_or(&[])
    }
}
