//! Exact comparison of weighted shares. No order of siblings and no policy here.

use std::cmp::Ordering;

use crate::policy::Measured;

/// A weighted share as the fraction `held / (total × weight)`. Fractions are compared,
/// never divided, so equal shares are equal and no rounding decides who is next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WeightedShare {
    held: i64,
    /// Total times weight; two `i64` factors always fit.
    of: i128,
}

impl WeightedShare {
    pub(crate) const ZERO: Self = Self { held: 0, of: 1 };

    pub(crate) fn new(measured: Measured, weight: i64) -> Self {
        let total = i128::from(measured.total.max(1));
        Self { held: measured.held.max(0), of: total * i128::from(weight.max(1)) }
    }

    /// As a number for people; thousandths of weight are taken out.
    pub(crate) fn to_f64(self) -> f64 {
        self.held as f64 * 1000.0 / self.of as f64
    }
}

impl Ord for WeightedShare {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.of == other.of {
            return self.held.cmp(&other.held);
        }
        let (a, b) = (i128::from(self.held), i128::from(other.held));
        match (a.checked_mul(other.of), b.checked_mul(self.of)) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => compare_fractions((a, self.of), (b, other.of)),
        }
    }
}

impl PartialOrd for WeightedShare {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for WeightedShare {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for WeightedShare {}

/// Compares two non-negative fractions whose cross products may not fit: by whole parts first,
/// then by the remainders turned over.
fn compare_fractions(mut a: (i128, i128), mut b: (i128, i128)) -> Ordering {
    let mut turned = false;
    loop {
        let whole = (a.0 / a.1).cmp(&(b.0 / b.1));
        let (rest_a, rest_b) = (a.0 % a.1, b.0 % b.1);
        let order = match (whole, rest_a, rest_b) {
            (Ordering::Equal, 0, 0) => Ordering::Equal,
            (Ordering::Equal, 0, _) => Ordering::Less,
            (Ordering::Equal, _, 0) => Ordering::Greater,
            (Ordering::Equal, _, _) => {
                (a, b) = ((a.1, rest_a), (b.1, rest_b));
                turned = !turned;
                continue;
            }
            (decided, _, _) => decided,
        };
        return if turned { order.reverse() } else { order };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comparison_by_parts_agrees_with_cross_multiplication(
            a in 0i64..1_000_000, b in 1i64..1_000_000, c in 0i64..1_000_000, d in 1i64..1_000_000,
        ) {
            let [a, b, c, d] = [a, b, c, d].map(i128::from);
            prop_assert_eq!(compare_fractions((a, b), (c, d)), (a * d).cmp(&(c * b)));
        }

        #[test]
        fn shares_whose_products_do_not_fit_are_still_ordered(a in 1i64..i64::MAX, of in 1i128..) {
            let less = WeightedShare { held: a - 1, of };
            let more = WeightedShare { held: a, of };
            let farther = WeightedShare { held: a, of: of.saturating_add(1) };
            prop_assert!(less < more);
            prop_assert!(farther <= more);
            prop_assert!(farther < more || of == i128::MAX);
        }
    }
}
