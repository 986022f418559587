//! How agents and drivers of the libprocess generation prove to a master who they are: CRAM-MD5
//! (RFC 2195) in messages (LP-11). The secret itself is never sent.
//!
//! ```text
//!  Authenticatee                              Session (at the master)
//!     │ ── AuthenticateMessage ─────────────────▶ │
//!     │ ◀───────────── mechanisms: CRAM-MD5 ───── │
//!     │ ── start: CRAM-MD5 ─────────────────────▶ │
//!     │ ◀──────────────────── step: challenge ─── │
//!     │ ── step: name, HMAC-MD5 of it ──────────▶ │
//!     │ ◀──────── completed, failed or error ──── │
//! ```
//!
//! - [`Session`], [`Authenticatee`]: the two sides, as machines without sockets or clocks
//! - [`Word`]: what they say to each other, and its messages
//! - [`Credential`], [`Credentials`]: files of principals and their secrets
//!
//! What does not live here: who must prove themselves, pids, timeouts, HTTP.

#![forbid(unsafe_code)]

mod authenticatee;
mod credentials;
mod proof;
mod session;
mod word;

pub use authenticatee::{Authenticatee, Heard};
pub use credentials::{Credential, Credentials, Unreadable};
pub use session::{Ruling, Session};
pub use word::Word;

/// The one mechanism that both sides know.
pub const MECHANISM: &str = "CRAM-MD5";
