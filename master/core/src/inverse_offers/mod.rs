//! Inverse offers: frameworks are asked whether agents may go that have maintenance ahead (MN-2,
//! SE-3, SC-5). Their answers are for operators to read; nothing follows from them.
//!
//! ```text
//!               has something there               answers
//!   not asked ──────────────────────▶ Asked ────────────────▶ Answered
//!      ▲                              │   ▲                     │
//!      ├──────────taken back──────────┘   └──something there────┤ its answer holds no longer
//!      └────────────────────────────────────nothing there───────┘
//! ```
//!
//! There is no policy in them, and so no module: whoever has an offer, a task or an executor on an
//! agent is asked about it.

mod answer;
mod ask;
mod end;
mod store;

pub use store::InverseOffer;

pub(crate) use store::{InverseOffers, Talk};
