//! Amounts in fixed point: three decimal digits, as Mesos compares and adds them.

use std::fmt;

/// An amount in thousandths of its unit (of a CPU, of a megabyte, …).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i64);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// More than any machine has; what "without limit" becomes.
    pub const MAX: Self = Self(i64::MAX);

    /// The most that a text or a message may name: up to here, doubles are exact to the thousandth.
    pub const MOST_NAMED: Self = Self(1 << 50);

    /// So many thousandths.
    pub const fn from_thousandths(thousandths: i64) -> Self {
        Self(thousandths)
    }

    /// So many whole units.
    pub const fn from_units(units: i64) -> Self {
        Self(units.saturating_mul(1000))
    }

    /// The wire's double, rounded to the nearest thousandth. Infinity becomes [`Quantity::MAX`],
    /// what is no number becomes zero.
    pub fn from_f64(value: f64) -> Self {
        // `as` saturates, which is what is wanted here.
        #[allow(clippy::cast_possible_truncation)]
        Self((value * 1000.0).round() as i64)
    }

    /// What a text or a message names, or the rule it breaks, to be read after its name.
    pub(crate) fn named(value: f64) -> Result<Self, &'static str> {
        if !value.is_finite() {
            return Err("must be a number");
        }
        if value < 0.0 {
            return Err("must not be negative");
        }
        let amount = Self::from_f64(value);
        if amount > Self::MOST_NAMED { Err("is too large") } else { Ok(amount) }
    }

    /// As the wire carries it.
    pub fn to_f64(self) -> f64 {
        if self == Self::MAX {
            return f64::INFINITY;
        }
        #[allow(clippy::cast_precision_loss)]
        let thousandths = self.0 as f64;
        thousandths / 1000.0
    }

    /// The thousandths.
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// Whether this is a whole number of units.
    pub const fn is_whole(self) -> bool {
        self.0 % 1000 == 0
    }

    /// Whether there is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum, or the most there can be.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing where it would be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        let difference = self.0.saturating_sub(other.0);
        Self(if difference < 0 { 0 } else { difference })
    }

    /// The sum, unless it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it would be negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).filter(|difference| *difference >= 0).map(Self)
    }
}

/// The shortest decimal: `2`, `0.5`, `1.125`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (units, rest) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        if rest == 0 {
            return write!(f, "{sign}{units}");
        }
        let digits = format!("{rest:03}");
        write!(f, "{sign}{units}.{}", digits.trim_end_matches('0'))
    }
}
