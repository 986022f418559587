//! Counts of a few things.

/// How often each of a few things is there, in the order of the things. A list, since nearly every
/// agent has one or two of these: a tree of five takes three times the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Few<K>(Vec<(K, u32)>);

impl<K> Default for Few<K> {
    fn default() -> Self {
        Few(Vec::new())
    }
}

impl<K: Ord> Few<K> {
    /// One more.
    pub(crate) fn add(&mut self, key: K) {
        match self.find(&key) {
            Ok(at) => self.0[at].1 += 1,
            Err(at) => {
                self.0.reserve_exact(1);
                self.0.insert(at, (key, 1));
            }
        }
    }

    /// One less.
    pub(crate) fn remove(&mut self, key: &K) {
        let Ok(at) = self.find(key) else { return };
        self.0[at].1 -= 1;
        if self.0[at].1 == 0 {
            self.0.remove(at);
        }
    }

    /// How many.
    pub fn get(&self, key: &K) -> u32 {
        self.find(key).map_or(0, |at| self.0[at].1)
    }

    /// What is there, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (&K, u32)> {
        self.0.iter().map(|(key, count)| (key, *count))
    }

    /// What is there.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    fn find(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted_in_their_order() {
        let mut few = Few::default();
        ["b", "a", "c", "a"].into_iter().for_each(|key| few.add(key));
        assert_eq!(few.iter().collect::<Vec<_>>(), [(&"a", 2), (&"b", 1), (&"c", 1)]);
        few.remove(&"a");
        few.remove(&"b");
        few.remove(&"never there");
        assert_eq!(few.keys().collect::<Vec<_>>(), [&"a", &"c"]);
        assert_eq!((few.get(&"a"), few.get(&"b")), (1, 0));
    }
}
