//! Machines and their maintenance: a schedule of when which are to be down, and which are (MN-1,
//! MN-2).
//!
//! ```text
//!        in the schedule            START_MAINTENANCE
//!   up ──────────────────▶ draining ─────────────────▶ down: no agent on it
//!    ▲ ◀─not any longer──────┘                           │
//!    └──────────────────STOP_MAINTENANCE─────────────────┘
//! ```
//!
//! A draining machine's agents are offered, with the time at which it is to be down, and who has
//! something on them is asked whether they may go (`inverse_offers`).

mod change;
mod down;
mod store;

use crate::event::RequestId;

pub(crate) use store::{Machines, Plan, machine_of};

/// What goes on when new maintenance is durable.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Who waits for it.
    pub request: RequestId,
    /// What the machines are from then on.
    pub plan: Plan,
}
