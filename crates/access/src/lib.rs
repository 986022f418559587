//! Who may come in, and what they may do: what master and agent make of authenticators and
//! authorizers.
//!
//! ```text
//!  request ──► Doors (a gate of reeve-transport) ──► authenticators, in order ──► principal
//!  handler, call ──────────────────────────────────► Permissions ► authorizer ► yes or no
//! ```
//!
//! Modules answer on threads of their own ([`calls`]): one that takes too long fails the request
//! that waits for it, and no other. A daemon that has none of them pays nothing.
//!
//! - [`Loading`]: from the names in the settings to modules
//! - [`Doors`]: which realm is guarded, and by whom
//! - [`Permissions`]: what somebody may do
//!
//! Lives elsewhere: which path belongs to which realm and what needs permission (the daemons),
//! sockets (`reeve-transport`), loading and checking of modules (`modules/host`), any policy.

#![forbid(unsafe_code)]

pub mod calls;
mod doors;
mod loading;
mod permissions;

pub use calls::{Calls, Unanswered};
pub use doors::{Authenticator, Doors};
pub use loading::Loading;
pub use permissions::{Permissions, thing, unanswered};
