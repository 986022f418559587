//! The shape that all cores share. Nothing about what they decide is here.

use crate::Tick;

/// A synchronous, deterministic state machine: facts in, commands out.
///
/// A step reads no clock, does no I/O and holds no lock; equal events at equal ticks give
/// equal effects, which is what makes a run replayable from its seed.
///
/// The shell's loop: take the next event (or [`Machine::deadline`] passing), call
/// [`Machine::step`], hand each effect to whoever can carry it out. `out` belongs to the
/// shell and is reused, so that a step allocates nothing for it.
pub trait Machine {
    /// What can happen to the machine: a fact, with its ids and chance inside.
    type Event;
    /// What the machine wants done: plain data. A failure comes back as an event.
    type Effect;

    /// Takes one fact in at `now` and appends what is to be done to `out`, in order.
    fn step(&mut self, now: Tick, event: Self::Event, out: &mut Vec<Self::Effect>);

    /// When the machine must be stepped with its own timer event at the latest; `None` if it
    /// waits for nothing but events.
    fn deadline(&self) -> Option<Tick>;
}
