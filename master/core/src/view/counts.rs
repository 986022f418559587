//! Counting tasks by state, and offers by what became of them.

use reeve_model::{Reason, Source, TaskState};

use super::OfferEnd;

/// How many tasks are in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateCounts([u64; TaskState::ALL.len()]);

impl StateCounts {
    /// How many are in `state`.
    pub fn get(&self, state: TaskState) -> u64 {
        self.0.get(slot(state)).copied().unwrap_or(0)
    }

    /// All states with how many are in each, in the order of the wire's numbers.
    pub fn iter(&self) -> impl Iterator<Item = (TaskState, u64)> + '_ {
        TaskState::ALL.iter().map(|&state| (state, self.get(state)))
    }

    /// One more is in `state`.
    pub fn add(&mut self, state: TaskState) {
        if let Some(count) = self.0.get_mut(slot(state)) {
            *count += 1;
        }
    }

    /// One less is in `state`.
    pub fn subtract(&mut self, state: TaskState) {
        if let Some(count) = self.0.get_mut(slot(state)) {
            *count = count.saturating_sub(1);
        }
    }
}

fn slot(state: TaskState) -> usize {
    usize::try_from(i32::from(state)).unwrap_or(usize::MAX)
}

/// What became of offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfferCounts {
    /// Sent.
    pub sent: u64,
    /// Used.
    pub accepted: u64,
    /// Given back.
    pub declined: u64,
    /// Taken back.
    pub rescinded: u64,
}

impl OfferCounts {
    /// One more has ended so.
    pub fn ended(&mut self, end: OfferEnd) {
        match end {
            OfferEnd::Accepted => self.accepted += 1,
            OfferEnd::Declined => self.declined += 1,
            OfferEnd::Rescinded => self.rescinded += 1,
        }
    }
}

/// A way for a task to end: the key of `master/task_<state>/source_<s>/reason_<r>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ended {
    /// The terminal state.
    pub state: TaskState,
    /// Who said so.
    pub source: Option<Source>,
    /// Why.
    pub reason: Option<Reason>,
}
