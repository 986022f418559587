//! What one step works with: its time, its ids, where its effects go, and the numbering of writes.

use std::collections::BTreeMap;

use reeve_machine::{Tick, Wall};
use reeve_model::{ContainerId, ExecutorId, FrameworkId, TaskId, Uuid};

use crate::effect::{Effect, Record};
use crate::event::WriteId;
use crate::updates::Key;
use crate::view::Change;

/// The step under way.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    /// When it is, for deciding.
    pub(crate) now: Tick,
    /// When it is, for people.
    pub(crate) wall: Wall,
    fresh: u128,
    out: &'a mut Vec<Effect>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(now: Tick, wall: Wall, fresh: Uuid, out: &'a mut Vec<Effect>) -> Self {
        Step { now, wall, fresh: u128::from_be_bytes(*fresh.as_bytes()), out }
    }

    /// Asks for something to be done.
    pub(crate) fn emit(&mut self, effect: Effect) {
        self.out.push(effect);
    }

    /// Tells the readers.
    pub(crate) fn change(&mut self, change: Change) {
        self.out.push(Effect::Changed(change));
    }

    /// An id that was never used: the event's own first, then ones derived from it by a step
    /// (the golden ratio of 2^128) that visits all numbers before it repeats one.
    pub(crate) fn fresh(&mut self) -> Uuid {
        let id = Uuid::from_chance(self.fresh.to_be_bytes());
        self.fresh = self.fresh.wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        id
    }
}

/// What waits for a write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Waiting {
    /// Nothing does; a failure is counted.
    Nothing,
    /// The agent's own record: without it, it cannot run.
    Agent,
    /// The end of an agent that left the cluster.
    Farewell,
    /// The killing of all that runs.
    Drain,
    /// Executors of a framework that is new here.
    Framework(FrameworkId),
    /// The launch of an executor.
    Launch(ContainerId),
    /// The delivery of a task.
    Delivery(ContainerId, TaskId),
    /// A status update.
    Update(Key),
}

/// Writes under way.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    next: u64,
    waiting: BTreeMap<WriteId, Waiting>,
}

impl Writes {
    /// Asks for a record to be made durable.
    pub(crate) fn write(&mut self, step: &mut Step<'_>, record: Record, who: Waiting) -> WriteId {
        let id = WriteId(self.next);
        self.next += 1;
        self.waiting.insert(id, who);
        step.emit(Effect::Checkpoint(id, record));
        id
    }

    /// Who waited for a write that is over; each write is over once.
    pub(crate) fn over(&mut self, id: WriteId) -> Option<Waiting> {
        self.waiting.remove(&id)
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

/// What a run of an executor is called where its framework matters too.
pub(crate) type Whose = (FrameworkId, ExecutorId);
