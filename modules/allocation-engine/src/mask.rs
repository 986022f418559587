//! A set of client numbers as bits. It knows nothing of what the numbers mean.

/// A bit set that grows as needed; absent words are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mask(Vec<u64>);

fn place(bit: u32) -> (usize, u64) {
    ((bit / 64) as usize, 1 << (bit % 64))
}

impl Mask {
    pub(crate) fn set(&mut self, bit: u32) {
        let (word, mask) = place(bit);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= mask;
    }

    pub(crate) fn clear(&mut self, bit: u32) {
        let (word, mask) = place(bit);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !mask;
        }
    }

    pub(crate) fn has(&self, bit: u32) -> bool {
        let (word, mask) = place(bit);
        self.0.get(word).is_some_and(|word| word & mask != 0)
    }

    /// Becomes `all` without `but`; returns how many bits are left.
    pub(crate) fn assign_difference(&mut self, all: &Self, but: &Self) -> usize {
        self.0.clear();
        let mut left = 0;
        for (at, word) in all.0.iter().enumerate() {
            let word = word & !but.0.get(at).copied().unwrap_or(0);
            left += word.count_ones() as usize;
            self.0.push(word);
        }
        left
    }

    /// The bits that are set, in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().enumerate().flat_map(|(at, &word)| {
            std::iter::successors(Some(word), |word| Some(word & word.wrapping_sub(1)))
                .take_while(|&word| word != 0)
                .map(move |word| at as u32 * 64 + word.trailing_zeros())
        })
    }
}
