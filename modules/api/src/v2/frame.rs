//! The kinds of this generation, and the way into its libraries.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RVec};

use super::allocator::RawAllocatorBox;
use super::anonymous::RawAnonymousBox;
use super::authenticator::RawAuthenticatorBox;
use super::authorizer::RawAuthorizerBox;
use super::container_logger::RawContainerLoggerBox;
use super::hook::RawHookBox;
use super::isolator::RawIsolatorBox;
use super::oversubscription::{RawQosControllerBox, RawResourceEstimatorBox};
use super::secret_resolver::RawSecretResolverBox;
use super::{Fault, HostLogBox, Parameter};

/// A module at work, by kind.
#[repr(u8)]
#[derive(StableAbi)]
pub enum Instance {
    /// A policy of allocation.
    Allocator(RawAllocatorBox),
    /// A link of the chain that confines containers.
    Isolator(RawIsolatorBox),
    /// Has a say in what is launched.
    Hook(RawHookBox),
    /// Says where the output of containers goes.
    ContainerLogger(RawContainerLoggerBox),
    /// Says how much is granted and not used.
    ResourceEstimator(RawResourceEstimatorBox),
    /// Says which revocable work must go.
    QosController(RawQosControllerBox),
    /// Says who sends a request.
    Authenticator(RawAuthenticatorBox),
    /// Says who may do what.
    Authorizer(RawAuthorizerBox),
    /// Knows secrets by their names.
    SecretResolver(RawSecretResolverBox),
    /// Is there as long as the daemon.
    Anonymous(RawAnonymousBox),
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Allocator(_) => "Allocator",
            Self::Isolator(_) => "Isolator",
            Self::Hook(_) => "Hook",
            Self::ContainerLogger(_) => "ContainerLogger",
            Self::ResourceEstimator(_) => "ResourceEstimator",
            Self::QosController(_) => "QosController",
            Self::Authenticator(_) => "Authenticator",
            Self::Authorizer(_) => "Authorizer",
            Self::SecretResolver(_) => "SecretResolver",
            Self::Anonymous(_) => "Anonymous",
        })
    }
}

/// The way into a library of this generation.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = LibraryRef)))]
#[sabi(missing_field(panic))]
pub struct Library {
    /// Makes the module ready to work. An error says which parameter is wrong and why, or what
    /// the module misses on this host.
    #[sabi(last_prefix_field)]
    pub create:
        extern "C" fn(log: HostLogBox, parameters: RVec<Parameter>) -> RResult<Instance, Fault>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").finish_non_exhaustive()
    }
}

impl RootModule for LibraryRef {
    abi_stable::declare_root_module_statics! {LibraryRef}
    const BASE_NAME: &'static str = "reeve_module";
    const NAME: &'static str = "reeve_module";
    // The generation, not this crate's version: a host compares the first number.
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("2.0.0");
}
