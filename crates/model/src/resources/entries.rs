//! The lines of a collection, shared by its copies.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Entry;

/// Lines that copies share until one of them is changed. What an agent or a task has is known to
/// the core, to readers and to the allocation machine, and hardly ever changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries(Option<Arc<Vec<Entry>>>);

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
        let entries: Vec<Entry> = entries.into_iter().collect();
        Self((!entries.is_empty()).then(|| Arc::new(entries)))
    }
}
