//! Which writes go into one transaction of ZooKeeper.

use std::collections::BTreeMap;

use crate::{Error, Write};

/// The most operations that are put together.
const OPERATIONS: usize = 500;

/// The most bytes that are put together, far below the 1 MB that servers allow.
const BYTES: usize = 512 * 1024;

/// The most bytes of writes that belong together. Servers allow 1 MB less a few bytes.
const MOST: usize = 1_000_000;

/// What an operation takes beside its key and value: path, access rules, lengths.
const OVERHEAD: usize = 120;

/// What is written in one transaction: each record's last value, or that it is gone.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) writes: BTreeMap<String, Option<Vec<u8>>>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, list: Vec<Write>) {
        for write in list {
            let (key, value) = match write {
                Write::Put(key, value) => (key, Some(value)),
                Write::Delete(key) => (key, None),
            };
            self.bytes += size(&key, value.as_deref());
            let (length, before) = (key.len(), self.writes.insert(key, value));
            if let Some(before) = before {
                self.bytes -= OVERHEAD + length + before.map_or(0, |value| value.len());
            }
        }
    }

    fn has_room_for(&self, operations: usize, bytes: usize) -> bool {
        self.writes.is_empty()
            || self.writes.len() + operations <= OPERATIONS && self.bytes + bytes <= BYTES
    }
}

fn size(key: &str, value: Option<&[u8]>) -> usize {
    OVERHEAD + key.len() + value.map_or(0, <[u8]>::len)
}

/// Puts lists of writes together, in order; none is taken apart.
///
/// # Errors
///
/// If a list is larger than a transaction may be.
pub(super) fn plan(lists: Vec<Vec<Write>>) -> Result<Vec<Batch>, Error> {
    let mut batches = vec![Batch::default()];
    for list in lists {
        let of_write = |write: &Write| match write {
            Write::Put(key, value) => size(key, Some(value)),
            Write::Delete(key) => size(key, None),
        };
        let bytes = list.iter().map(of_write).sum();
        if bytes > MOST {
            return Err(Error::TooLarge { bytes });
        }
        match batches.last_mut() {
            Some(last) if last.has_room_for(list.len(), bytes) => last.add(list),
            _ => {
                let mut batch = Batch::default();
                batch.add(list);
                batches.push(batch);
            }
        }
    }
    batches.retain(|batch| !batch.writes.is_empty());
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: usize, size: usize) -> Write {
        Write::Put(format!("k/{key}"), vec![0; size])
    }

    fn sizes(lists: Vec<Vec<Write>>) -> Vec<usize> {
        plan(lists).expect("they fit").iter().map(|batch| batch.writes.len()).collect()
    }

    #[test]
    fn lists_go_together_up_to_a_size_and_are_never_taken_apart() {
        assert_eq!(sizes((0..1200).map(|key| vec![put(key, 10)]).collect()), [500, 500, 200]);
        assert_eq!(sizes((0..4).map(|key| vec![put(key, 200_000)]).collect()), [2, 2]);
        let long = (0..700).map(|key| put(key, 10)).collect();
        assert_eq!(sizes(vec![vec![put(900, 1)], long, vec![put(901, 1)]]), [1, 700, 1]);
        assert!(sizes(vec![vec![], vec![]]).is_empty());
    }

    #[test]
    fn of_several_writes_of_a_record_the_last_counts() {
        let lists = vec![vec![put(1, 5)], vec![Write::Delete("k/1".to_owned()), put(1, 7)]];
        let batches = plan(lists).expect("they fit");
        assert_eq!(batches[0].writes["k/1"].as_ref().map(Vec::len), Some(7));
        assert_eq!(batches[0].bytes, OVERHEAD + 3 + 7);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let error = plan(vec![vec![put(1, 600_000), put(2, 600_000)]]).expect_err("too large");
        assert!(matches!(error, Error::TooLarge { bytes } if bytes > 1_200_000), "{error}");
    }
}
