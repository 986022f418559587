//! The lines of a collection, shared by its copies.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Entry;

/// Lines that copies share until one of them is changed. What an agent or a task has is known to
/// the core, to readers and to the allocation machine, and hardly ever changes: no room is kept for
/// more lines than there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries(Option<Arc<Vec<Entry>>>);

impl Entries {
    /// Puts a line before the one at `at`.
    pub(super) fn insert(&mut self, at: usize, entry: Entry) {
        let lines = Arc::make_mut(self.0.get_or_insert_default());
        lines.reserve_exact(1);
        lines.insert(at, entry);
    }

    /// Puts a line at the end.
    pub(super) fn push(&mut self, entry: Entry) {
        self.insert(self.len(), entry);
    }

    /// Takes a line out.
    pub(super) fn remove(&mut self, at: usize) {
        if self.len() == 1 {
            self.0 = None;
        } else {
            Arc::make_mut(self.0.get_or_insert_default()).remove(at);
        }
    }
}

impl Deref for Entries {
    type Target = Vec<Entry>;

    fn deref(&self) -> &Vec<Entry> {
        static NONE: Vec<Entry> = Vec::new();
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Entries {
    fn deref_mut(&mut self) -> &mut Vec<Entry> {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.0, &other.0) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            _ => false,
        };
        same || **self == **other
    }
}

impl Eq for Entries {}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut entries: Vec<Entry> = entries.into_iter().collect();
        entries.shrink_to_fit();
        Self((!entries.is_empty()).then(|| Arc::new(entries)))
    }
}
