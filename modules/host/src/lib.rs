//! Finds, checks, opens and calls modules.
//!
//! ```text
//!  name -> file (search) -> may it be trusted (trust) -> is it a module (image, manifest)
//!       -> do we speak its generation -> are its parameters right (parameters)
//!       -> open and compare layouts (library) -> create -> Allocator | Isolator | …
//! ```
//!
//! All up to the opening only reads the file, so what is wrong with a module is said before any
//! of its code runs. No file, however damaged, brings that down. A file that was cut, or whose
//! segments or tables lead the system's loader elsewhere, is refused. Damage of the code and of
//! the data that it uses cannot be seen, nor can a table that leads to a wrong place of the right
//! kind: such a module may bring down whoever opens it, so `reeve module check` does it in a child
//! process. A library is opened once and never closed: code that was given away cannot be taken
//! back. A panic inside arrives as a [`Fault`](reeve_module_api::v2::Fault); a call that takes too
//! long is noticed by a [`Watchdog`], or given up by [`Timely`].
//!
//! Lives here: all of the above, for every kind of module. Lives elsewhere: what crosses
//! (`modules/api`), the traits that loaded modules implement (`modules/sdk`), and what is done
//! with them (the daemons).

pub mod check;
mod companions;
mod create;
mod facts;
mod generations;
mod hooks;
mod image;
mod kind;
mod library;
mod loaded;
mod manifest;
mod parameters;
mod search;
mod timely;
mod trust;
mod watchdog;

pub use companions::Companions;
pub use create::Module;
pub use facts::Facts;
pub use generations::SUPPORTED;
pub use hooks::Hooks;
pub use kind::Kind;
pub use library::{Library, LoadError};
pub use loaded::{
    Loaded, LoadedAllocator, LoadedAnonymous, LoadedAuthenticator, LoadedAuthorizer,
    LoadedContainerLogger, LoadedHook, LoadedIsolator, LoadedQosController,
    LoadedResourceEstimator, LoadedSecretResolver, Works,
};
pub use manifest::{Manifest, ManifestError, ParameterSpec, ParameterType};
pub use parameters::{ParameterError, settle};
pub use search::{Search, Unusable, file_name};
pub use timely::Timely;
pub use watchdog::{Overrun, Watchdog, Watched};
