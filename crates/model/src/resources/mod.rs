//! The resource algebra: what machines have, what is offered, what tasks use.
//!
//! A [`Resources`] is kept normalised: what differs in amount alone is one entry, what can be used
//! only as a whole (a persistent volume, a mount, a shared volume) is an entry with a count, nothing
//! is ever negative, and entries have one order. Equal collections are therefore equal values.
//!
//! The clock, the allocator's decisions and the bytes of a whole message do not live here.

mod conversion;
mod disk;
mod entries;
mod quantities;
mod quantity;
mod ranges;
mod reservation;
mod resource;
mod select;
mod set;
mod show;
#[cfg(test)]
mod tests;
mod text;
mod wire;

use std::ops::{Add, AddAssign, Sub, SubAssign};

pub use conversion::{Conversion, ConversionError};
pub use disk::{Disk, DiskKind, DiskSource, Persistence};
pub use quantities::{MinAllocatable, Quantities};
pub use quantity::Quantity;
pub use ranges::Ranges;
pub use reservation::{Reservation, Reservations};
pub use resource::{Resource, ResourceName, Value};
pub use set::Set;
pub use text::{ParseError, parse_quantity};
pub use wire::Format;

pub(crate) use text::Cursor;

use entries::Entries;

/// One line of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    resource: Resource,
    /// How often an indivisible resource is here; 1 for all others.
    count: u32,
}

/// A normalised collection of resources. Copies are cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources(Entries);

impl Resources {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The entries, each once, in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Resource> + ExactSizeIterator + '_ {
        self.0.iter().map(|entry| &entry.resource)
    }

    /// The entries with how often each is here: more than once only what is shared.
    pub fn iter_counted(&self) -> impl ExactSizeIterator<Item = (&Resource, u32)> + '_ {
        self.0.iter().map(|entry| (&entry.resource, entry.count))
    }

    /// How often `resource` as it stands is here: 0 or 1 for all but shared volumes.
    pub fn count(&self, resource: &Resource) -> u32 {
        match self.find(resource) {
            Ok(at) if resource.is_atom() => self.0[at].count,
            Ok(at) => u32::from(self.0[at].resource.value.contains(&resource.value)),
            Err(_) => 0,
        }
    }

    /// Whether `other` is a part of this.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|entry| self.contains_entry(entry))
    }

    /// Whether `resource` is a part of this.
    pub fn contains_one(&self, resource: &Resource) -> bool {
        self.count(resource) > 0 || resource.value.is_empty()
    }

    /// The difference, unless `other` is not a part of this.
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        self.contains(other).then(|| self - other)
    }

    fn contains_entry(&self, entry: &Entry) -> bool {
        self.find(&entry.resource).is_ok_and(|at| {
            let own = &self.0[at];
            if entry.resource.is_atom() {
                own.count >= entry.count
            } else {
                own.resource.value.contains(&entry.resource.value)
            }
        })
    }

    /// Where `resource` is, or would be put.
    fn find(&self, resource: &Resource) -> Result<usize, usize> {
        self.0.binary_search_by(|entry| entry.resource.place(resource))
    }

    fn add_entry(&mut self, resource: &Resource, count: u32) {
        if resource.value.is_empty() {
            return;
        }
        match self.find(resource) {
            Ok(at) if resource.is_atom() => {
                self.0[at].count = self.0[at].count.saturating_add(count);
            }
            Ok(at) => self.0[at].resource.value.add(&resource.value),
            Err(at) => self.0.insert(at, Entry { resource: resource.clone(), count }),
        }
    }

    fn put(&mut self, resource: Resource) {
        match self.find(&resource) {
            Ok(_) => self.add_entry(&resource, 1),
            Err(_) if resource.value.is_empty() => {}
            Err(at) => self.0.insert(at, Entry { resource, count: 1 }),
        }
    }

    fn subtract_entry(&mut self, resource: &Resource, count: u32) {
        let Ok(at) = self.find(resource) else { return };
        let entry = &mut self.0[at];
        let gone = if resource.is_atom() {
            entry.count = entry.count.saturating_sub(count);
            entry.count == 0
        } else {
            entry.resource.value.subtract(&resource.value);
            entry.resource.value.is_empty()
        };
        if gone {
            self.0.remove(at);
        }
    }
}

impl AddAssign<&Resource> for Resources {
    fn add_assign(&mut self, resource: &Resource) {
        self.add_entry(resource, 1);
    }
}

impl AddAssign<Resource> for Resources {
    fn add_assign(&mut self, resource: Resource) {
        self.put(resource);
    }
}

impl AddAssign<&Self> for Resources {
    fn add_assign(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.clone_from(other);
            return;
        }
        for entry in other.0.iter() {
            self.add_entry(&entry.resource, entry.count);
        }
    }
}

impl AddAssign for Resources {
    fn add_assign(&mut self, other: Self) {
        if self.0.is_empty() {
            *self = other;
        } else {
            *self += &other;
        }
    }
}

impl SubAssign<&Resource> for Resources {
    fn sub_assign(&mut self, resource: &Resource) {
        self.subtract_entry(resource, 1);
    }
}

/// Takes away as far as it is here; never less than nothing.
impl SubAssign<&Self> for Resources {
    fn sub_assign(&mut self, other: &Self) {
        for entry in other.0.iter() {
            self.subtract_entry(&entry.resource, entry.count);
        }
    }
}

impl SubAssign for Resources {
    fn sub_assign(&mut self, other: Self) {
        *self -= &other;
    }
}

impl Add<&Self> for Resources {
    type Output = Self;

    fn add(mut self, other: &Self) -> Self {
        self += other;
        self
    }
}

impl Add for Resources {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sub<&Self> for Resources {
    type Output = Self;

    fn sub(mut self, other: &Self) -> Self {
        self -= other;
        self
    }
}

impl Sub for Resources {
    type Output = Self;

    fn sub(mut self, other: Self) -> Self {
        self -= &other;
        self
    }
}

impl Add<&Resources> for &Resources {
    type Output = Resources;

    fn add(self, other: &Resources) -> Resources {
        self.clone() + other
    }
}

impl Sub<&Resources> for &Resources {
    type Output = Resources;

    fn sub(self, other: &Resources) -> Resources {
        self.clone() - other
    }
}

impl std::iter::Sum for Resources {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Add::add)
    }
}

impl<'a> std::iter::Sum<&'a Self> for Resources {
    fn sum<I: Iterator<Item = &'a Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Add::add)
    }
}

impl FromIterator<Resource> for Resources {
    fn from_iter<I: IntoIterator<Item = Resource>>(resources: I) -> Self {
        let mut sorted: Vec<Resource> = resources.into_iter().collect();
        // In order, each one is put at the end: a long list costs no moving.
        sorted.sort_by(Resource::place);
        let mut all = Self::default();
        all.0.reserve_exact(sorted.len());
        all.extend(sorted);
        all
    }
}

impl Extend<Resource> for Resources {
    fn extend<I: IntoIterator<Item = Resource>>(&mut self, resources: I) {
        for resource in resources {
            *self += resource;
        }
    }
}

impl From<Resource> for Resources {
    fn from(resource: Resource) -> Self {
        let mut all = Self::default();
        all += resource;
        all
    }
}
