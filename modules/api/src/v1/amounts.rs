//! Amounts of resources, as allocators count them.

use abi_stable::StableAbi;
use abi_stable::std_types::RVec;

use super::allocator::KindIx;

/// As many kinds fit without a trip to the heap: cpus, mem, disk, and one more.
const INLINE: usize = 4;

/// Scalar amounts by kind, in thousandths, sorted by kind, without zeros.
#[repr(C)]
#[derive(Clone, StableAbi)]
pub struct Amounts {
    amounts: [i64; INLINE],
    kinds: [u16; INLINE],
    /// How many of the above are taken; none are once `more` is.
    taken: u16,
    /// All of them, if they are more.
    more: RVec<Amount>,
}

#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
struct Amount {
    kind: u16,
    amount: i64,
}

impl Amounts {
    /// Collects amounts; equal kinds add up and zeros vanish.
    pub fn new(amounts: impl IntoIterator<Item = (KindIx, i64)>) -> Self {
        let mut all = Self::default();
        for (kind, amount) in amounts {
            all.add_one(kind, amount);
        }
        all
    }

    /// The amount of one kind in thousandths, zero where there is none.
    pub fn get(&self, kind: KindIx) -> i64 {
        self.iter().find(|&(k, _)| k == kind).map_or(0, |(_, amount)| amount)
    }

    /// Kinds and amounts in the order of kinds.
    pub fn iter(&self) -> impl Iterator<Item = (KindIx, i64)> + '_ {
        let taken = usize::from(self.taken);
        let inline = self.kinds.iter().copied().zip(self.amounts).take(taken);
        let more = self.more.iter().map(|one| (one.kind, one.amount));
        inline.chain(more).map(|(kind, amount)| (KindIx(kind), amount))
    }

    /// Whether there is nothing of any kind.
    pub fn is_empty(&self) -> bool {
        self.taken == 0 && self.more.is_empty()
    }

    /// Whether every amount of `other` is here, kind by kind.
    pub fn contains(&self, other: &Self) -> bool {
        other.iter().all(|(kind, amount)| self.get(kind) >= amount)
    }

    /// Adds `other`, kind by kind.
    pub fn add(&mut self, other: &Self) {
        for (kind, amount) in other.iter() {
            self.add_one(kind, amount);
        }
    }

    /// Takes `other` away, kind by kind; an amount may become negative.
    pub fn subtract(&mut self, other: &Self) {
        for (kind, amount) in other.iter() {
            self.add_one(kind, amount.saturating_neg());
        }
    }

    /// Adds to one kind.
    pub fn add_one(&mut self, kind: KindIx, amount: i64) {
        if amount == 0 {
            return;
        }
        if self.more.is_empty() {
            self.add_inline(kind.0, amount);
        } else {
            self.add_more(kind.0, amount);
        }
    }

    fn add_inline(&mut self, kind: u16, amount: i64) {
        let taken = usize::from(self.taken);
        let at = self.kinds[..taken].iter().position(|&k| k >= kind).unwrap_or(taken);
        if at < taken && self.kinds[at] == kind {
            self.amounts[at] = self.amounts[at].saturating_add(amount);
            if self.amounts[at] == 0 {
                self.kinds.copy_within(at + 1..taken, at);
                self.amounts.copy_within(at + 1..taken, at);
                self.taken -= 1;
            }
        } else if taken < INLINE {
            self.kinds.copy_within(at..taken, at + 1);
            self.amounts.copy_within(at..taken, at + 1);
            (self.kinds[at], self.amounts[at]) = (kind, amount);
            self.taken += 1;
        } else {
            self.more = self.iter().map(|(k, amount)| Amount { kind: k.0, amount }).collect();
            self.taken = 0;
            self.add_more(kind, amount);
        }
    }

    fn add_more(&mut self, kind: u16, amount: i64) {
        match self.more.binary_search_by_key(&kind, |one| one.kind) {
            Ok(at) => {
                self.more[at].amount = self.more[at].amount.saturating_add(amount);
                if self.more[at].amount == 0 {
                    self.more.remove(at);
                }
            }
            Err(at) => self.more.insert(at, Amount { kind, amount }),
        }
    }
}

impl Default for Amounts {
    fn default() -> Self {
        Self { amounts: [0; INLINE], kinds: [0; INLINE], taken: 0, more: RVec::new() }
    }
}

impl PartialEq for Amounts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Amounts {}

impl std::fmt::Debug for Amounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(pairs: &[(u16, i64)]) -> Amounts {
        Amounts::new(pairs.iter().map(|&(kind, amount)| (KindIx(kind), amount)))
    }

    #[test]
    fn many_kinds_behave_as_few_do() {
        let mut many = amounts(&[(9, 1), (3, 2), (7, 3), (1, 4), (5, 5), (3, 8)]);
        let pairs: Vec<_> = many.iter().map(|(kind, amount)| (kind.0, amount)).collect();
        assert_eq!(pairs, [(1, 4), (3, 10), (5, 5), (7, 3), (9, 1)]);
        many.subtract(&amounts(&[(9, 1), (7, 3)]));
        assert_eq!(many, amounts(&[(1, 4), (3, 10), (5, 5)]));
        assert!(many.contains(&amounts(&[(3, 10)])) && !many.contains(&amounts(&[(9, 1)])));
    }

    #[test]
    fn what_adds_up_to_nothing_is_not_there() {
        for kinds in [2_u16, 4, 5, 9] {
            let all = Amounts::new((0..kinds).map(|kind| (KindIx(kind), 7)));
            let mut left = all.clone();
            left.subtract(&all);
            assert!(left.is_empty(), "{kinds} kinds leave {left:?}");
        }
    }
}
