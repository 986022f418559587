//! Sets of whole numbers as intervals: ports, mostly.

use std::fmt;

use smallvec::SmallVec;

/// Inclusive intervals, sorted, apart from each other by at least one number.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ranges(SmallVec<[(u64, u64); 1]>);

impl Ranges {
    /// No number at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The numbers from `begin` to `end`, both among them; none if `end` is before `begin`.
    pub fn of(begin: u64, end: u64) -> Self {
        if begin > end { Self::default() } else { Self(SmallVec::from_buf([(begin, end)])) }
    }

    /// The intervals, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> + ExactSizeIterator + '_ {
        self.0.iter().copied()
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers there are (at most `u64::MAX`).
    pub fn count(&self) -> u64 {
        self.0
            .iter()
            .fold(0, |sum, (begin, end)| u64::saturating_add(sum, (end - begin).saturating_add(1)))
    }

    /// Whether `number` is among them.
    pub fn has(&self, number: u64) -> bool {
        let at = self.0.partition_point(|(_, end)| *end < number);
        self.0.get(at).is_some_and(|(begin, _)| *begin <= number)
    }

    /// Whether all of `other` is among them.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(begin, end)| {
            let at = self.0.partition_point(|(_, own)| own < begin);
            self.0.get(at).is_some_and(|own| own.0 <= *begin && *end <= own.1)
        })
    }

    /// Whether both share a number.
    pub fn intersects(&self, other: &Self) -> bool {
        other.0.iter().any(|(begin, end)| {
            let at = self.0.partition_point(|(_, own)| own < begin);
            self.0.get(at).is_some_and(|own| own.0 <= *end)
        })
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut all = Self::default();
        while let Some(next) = match (left.peek(), right.peek()) {
            (Some(one), Some(two)) if one <= two => left.next(),
            (Some(_), None) => left.next(),
            _ => right.next(),
        } {
            all.append(*next);
        }
        all
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (mut left, mut right) = (0, 0);
        let mut both = Self::default();
        while let (Some(one), Some(two)) = (self.0.get(left), other.0.get(right)) {
            let (begin, end) = (one.0.max(two.0), one.1.min(two.1));
            if begin <= end {
                both.0.push((begin, end));
            }
            if one.1 < two.1 {
                left += 1;
            } else {
                right += 1;
            }
        }
        both
    }

    /// What is here and not in `other`.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut rest = Self::default();
        let mut cuts = other.0.as_slice();
        for &(begin, end) in &self.0 {
            let mut from = Some(begin);
            while let (Some(at), Some(cut)) = (from, cuts.first()) {
                if cut.0 > end {
                    break;
                }
                if cut.0 > at {
                    rest.0.push((at, cut.0 - 1));
                }
                if cut.1 >= at {
                    from = cut.1.checked_add(1).filter(|next| *next <= end);
                }
                // A cut that reaches beyond this interval may cut the next one too.
                if cut.1 > end {
                    break;
                }
                cuts = &cuts[1..];
            }
            if let Some(at) = from {
                rest.0.push((at, end));
            }
        }
        rest
    }

    /// The `count` lowest numbers, or all if there are fewer.
    #[must_use]
    pub fn take(&self, mut count: u64) -> Self {
        let mut taken = Self::default();
        for &(begin, end) in &self.0 {
            if count == 0 {
                break;
            }
            let last = begin.saturating_add(count - 1).min(end);
            taken.0.push((begin, last));
            count -= last - begin + 1;
        }
        taken
    }

    /// Adds an interval that begins no earlier than the last one here.
    fn append(&mut self, (begin, end): (u64, u64)) {
        match self.0.last_mut() {
            Some(last) if last.1 >= begin || last.1 + 1 == begin => last.1 = last.1.max(end),
            _ => self.0.push((begin, end)),
        }
    }
}

/// Takes intervals in any order; those that end before they begin hold nothing.
impl FromIterator<(u64, u64)> for Ranges {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(intervals: I) -> Self {
        let mut sorted: SmallVec<[(u64, u64); 8]> =
            intervals.into_iter().filter(|(begin, end)| begin <= end).collect();
        sorted.sort_unstable();
        let mut all = Self::default();
        for interval in sorted {
            all.append(interval);
        }
        all
    }
}

/// `[1-5, 7-9]`, as Mesos prints it.
impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (at, (begin, end)) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{begin}-{end}")?;
        }
        f.write_str("]")
    }
}
