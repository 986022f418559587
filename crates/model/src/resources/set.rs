//! Sets of names.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

/// Names without order or number, kept sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set(SmallVec<[Arc<str>; 1]>);

impl Set {
    /// The items, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + '_ {
        self.0.iter().map(|item| &**item)
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether `item` is among them.
    pub fn has(&self, item: &str) -> bool {
        self.0.binary_search_by(|own| (**own).cmp(item)).is_ok()
    }

    /// Whether all of `other` is among them.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|item| self.has(item))
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).cloned().collect()
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|item| other.has(item)).cloned().collect())
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|item| !other.has(item)).cloned().collect())
    }

    /// The first `count` items, or all if there are fewer.
    #[must_use]
    pub fn take(&self, count: usize) -> Self {
        Self(self.0.iter().take(count).cloned().collect())
    }
}

impl FromIterator<Arc<str>> for Set {
    fn from_iter<I: IntoIterator<Item = Arc<str>>>(items: I) -> Self {
        let mut all: SmallVec<[Arc<str>; 1]> = items.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }
}

impl<'a> FromIterator<&'a str> for Set {
    fn from_iter<I: IntoIterator<Item = &'a str>>(items: I) -> Self {
        items.into_iter().map(Arc::from).collect()
    }
}

/// `{a, b}`, as Mesos prints it.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, item) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(item)?;
        }
        f.write_str("}")
    }
}
