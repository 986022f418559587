//! What a module author implements: plain Rust traits over plain data, and one macro.
//!
//! ```
//! use reeve_module_sdk::isolator::{Container, Fragment, Isolator};
//! use reeve_module_sdk::{Failed, Module, Parameters};
//!
//! /// Tells every program which site it runs at.
//! struct Site {
//!     name: String,
//! }
//!
//! impl Module for Site {
//!     fn create(parameters: &Parameters) -> Result<Self, Failed> {
//!         let name = parameters.text("name").unwrap_or("unnamed").to_owned();
//!         Ok(Self { name })
//!     }
//! }
//!
//! impl Isolator for Site {
//!     fn prepare(&self, _: &Container) -> Result<Fragment, Failed> {
//!         let mut fragment = Fragment::default();
//!         fragment.set("SITE", self.name.as_str());
//!         Ok(fragment)
//!     }
//! }
//!
//! reeve_module_sdk::module! {
//!     isolator: Site,
//!     name: "site",
//!     author: "ACME <ops@acme.example>",
//!     description: "Tells every program which site it runs at.",
//!     parameters: [
//!         ("name", "text", "unnamed", "The site's name."),
//!     ],
//! }
//! # fn main() {}
//! ```
//!
//! Built as a `cdylib`, that is a module. A panic of it becomes an error with its name, and what
//! it says through `tracing` goes to the daemon's log.
//!
//! Lives here: the traits, [`Parameters`], the macro, and what stands behind it (the panic guard,
//! the log bridge). Lives elsewhere: the data that crosses (`modules/api`), loading and checking
//! (`modules/host`), the host's books and checks (the daemons' cores), and every policy.

pub mod allocator;
pub mod anonymous;
pub mod authenticator;
pub mod authorizer;
pub mod container_logger;
#[doc(hidden)]
pub mod export;
mod guard;
pub mod hook;
pub mod isolator;
mod log;
mod macros;
pub mod oversubscription;
mod parameters;
pub mod secret_resolver;

pub use parameters::Parameters;
pub use reeve_module_api::abi_stable::std_types;
pub use reeve_module_api::v2::Label;

/// A module could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);

impl Failed {
    /// With the reason, for people.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// What every module is before it is of any kind.
pub trait Module: Sized + 'static {
    /// Makes the module ready to work. The parameters are those of the manifest, checked by the
    /// host; an error says what is wrong with their values, or what the module misses on this
    /// host.
    fn create(parameters: &Parameters) -> Result<Self, Failed>;
}
