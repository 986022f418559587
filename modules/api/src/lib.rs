//! The interface between the daemons and their modules: data and calls whose layout is checked
//! when a module is loaded.
//!
//! A published **generation** never changes, since a host refuses a module whose types differ from
//! its own in anything (`tests/frozen.rs` sees to it). What is new comes as a generation of its own
//! beside the others, and a host goes on loading the older ones. Authors do not implement these traits by
//! hand: a panic must not cross the boundary, and the SDK (`reeve-module-sdk`) sees to that.
//!
//! Lives here: what crosses, nothing else. Messages of Mesos cross as bytes, so that a new field
//! of theirs changes no layout. Lives elsewhere: plain traits and the export macro (`modules/sdk`),
//! finding, checking and calling modules (`modules/host`).

pub mod v1;
pub mod v2;

pub use abi_stable;

/// The ELF section that holds a module's manifest: text that can be read without running the
/// module's code (the form is in the SDK's `manifest` module).
pub const MANIFEST_SECTION: &str = ".reeve.module";
