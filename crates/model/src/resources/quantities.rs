//! Amounts by name, without anything that sets resources of one name apart.

use std::ops::{AddAssign, SubAssign};

use reeve_wire::v1;
use smallvec::SmallVec;

use super::{ParseError, Quantity, ResourceName, text};

/// Positive amounts by name, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantities(SmallVec<[(ResourceName, Quantity); 4]>);

impl Quantities {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `cpus:1;mem:32`.
    ///
    /// # Errors
    /// Where the text leaves the grammar, and what was expected there.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        text::quantities(text)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The amounts, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ResourceName, Quantity)> + '_ {
        self.0.iter().map(|(name, amount)| (name, *amount))
    }

    /// The amount of `name`; zero if it is not here.
    pub fn get(&self, name: &ResourceName) -> Quantity {
        self.find(name).map_or(Quantity::ZERO, |at| self.0[at].1)
    }

    /// Adds an amount of `name`.
    pub fn add(&mut self, name: &ResourceName, amount: Quantity) {
        if !amount.is_positive() {
            return;
        }
        match self.find(name) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(amount),
            Err(at) => self.0.insert(at, (name.clone(), amount)),
        }
    }

    /// Takes an amount of `name` away; never less than nothing.
    pub fn subtract(&mut self, name: &ResourceName, amount: Quantity) {
        let Ok(at) = self.find(name) else { return };
        self.0[at].1 = self.0[at].1.saturating_sub(amount);
        if !self.0[at].1.is_positive() {
            self.0.remove(at);
        }
    }

    /// Whether `other` is a part of this.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(name, amount)| self.get(name) >= *amount)
    }

    fn find(&self, name: &ResourceName) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.cmp(name))
    }
}

impl AddAssign<&Self> for Quantities {
    fn add_assign(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            self.add(name, *amount);
        }
    }
}

impl SubAssign<&Self> for Quantities {
    fn sub_assign(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            self.subtract(name, *amount);
        }
    }
}

impl std::ops::Add<&Self> for Quantities {
    type Output = Self;

    fn add(mut self, other: &Self) -> Self {
        self += other;
        self
    }
}

impl std::ops::Sub<&Self> for Quantities {
    type Output = Self;

    fn sub(mut self, other: &Self) -> Self {
        self -= other;
        self
    }
}

impl FromIterator<(ResourceName, Quantity)> for Quantities {
    fn from_iter<I: IntoIterator<Item = (ResourceName, Quantity)>>(amounts: I) -> Self {
        let mut sums = Self::default();
        for (name, amount) in amounts {
            sums.add(&name, amount);
        }
        sums
    }
}

/// `cpus:1;mem:32`.
impl std::fmt::Display for Quantities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (name, amount)) in self.0.iter().enumerate() {
            let sign = if at > 0 { ";" } else { "" };
            write!(f, "{sign}{name}:{amount}")?;
        }
        Ok(())
    }
}

/// How much an offer must hold at least to be worth sending: enough by any one of the rules (FI-3;
/// Mesos flag `--min_allocatable_resources`). No rules: anything will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MinAllocatable(Vec<Quantities>);

impl MinAllocatable {
    /// The rules given.
    pub fn new(rules: Vec<Quantities>) -> Self {
        Self(rules)
    }

    /// Reads `cpus:0.01|mem:32`.
    ///
    /// # Errors
    /// Where the text leaves the grammar, and what was expected there.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        text::min_allocatable(text).map(Self)
    }

    /// The rules.
    pub fn rules(&self) -> &[Quantities] {
        &self.0
    }

    /// Whether `amounts` satisfy a rule, or there is none.
    pub fn allows(&self, amounts: &Quantities) -> bool {
        self.0.is_empty() || self.0.iter().any(|rule| amounts.contains(rule))
    }

    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::offer_filters::MinAllocatableResources {
        let quantities = self
            .0
            .iter()
            .map(|rule| v1::offer_filters::ResourceQuantities {
                quantities: rule
                    .iter()
                    .map(|(name, amount)| {
                        let value = v1::value::Scalar { value: amount.to_f64() };
                        (name.to_string(), value)
                    })
                    .collect(),
            })
            .collect();
        v1::offer_filters::MinAllocatableResources { quantities }
    }
}

impl From<&v1::offer_filters::MinAllocatableResources> for MinAllocatable {
    fn from(wire: &v1::offer_filters::MinAllocatableResources) -> Self {
        let rule = |rule: &v1::offer_filters::ResourceQuantities| {
            rule.quantities
                .iter()
                .map(|(name, amount)| {
                    (ResourceName::from(name.as_str()), Quantity::from_f64(amount.value))
                })
                .collect()
        };
        Self(wire.quantities.iter().map(rule).collect())
    }
}
