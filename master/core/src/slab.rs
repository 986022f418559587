//! Things by dense number.

use std::collections::VecDeque;
use std::time::Duration;

use reeve_machine::Tick;

/// Things by dense number. A number rests for a while before it is used again, so that a message
/// under way to or from the allocation machine cannot mean the wrong thing.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: VecDeque<(Tick, u32)>,
    rest: Duration,
}

impl<T> Slab<T> {
    /// Nothing; numbers rest for `rest`.
    pub fn new(rest: Duration) -> Self {
        Slab { slots: Vec::new(), free: VecDeque::new(), rest }
    }

    /// Puts a thing in and says its number.
    pub fn insert(&mut self, now: Tick, thing: T) -> u32 {
        if self.free.front().is_some_and(|(freed, _)| *freed + self.rest <= now)
            && let Some((_, at)) = self.free.pop_front()
            && let Some(slot) = self.slots.get_mut(at as usize)
        {
            *slot = Some(thing);
            return at;
        }
        self.slots.push(Some(thing));
        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
    }

    /// The thing of this number.
    pub fn get(&self, at: u32) -> Option<&T> {
        self.slots.get(at as usize)?.as_ref()
    }

    /// The thing of this number, to change it.
    pub fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.slots.get_mut(at as usize)?.as_mut()
    }

    /// Takes a thing out.
    pub fn remove(&mut self, now: Tick, at: u32) -> Option<T> {
        let thing = self.slots.get_mut(at as usize)?.take()?;
        self.free.push_back((now, at));
        Some(thing)
    }

    /// All things with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().zip(0..).filter_map(|(slot, at)| slot.as_ref().map(|thing| (at, thing)))
    }
}
