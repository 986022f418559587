//! What every kind of module shares: how a library is entered, told its parameters, and how it
//! logs and fails.

use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RResult, RStr, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::allocator::RawAllocatorBox;
use super::isolator::RawIsolatorBox;

/// A call of a module failed.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Fault {
    /// What happened, for people.
    pub message: RString,
    /// Whether the module panicked; it is not to be called again then.
    pub panicked: bool,
}

/// How much a message of a module matters.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, StableAbi)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is odd.
    Warning,
    /// Something happened.
    Info,
    /// For whoever looks for a fault.
    Debug,
}

/// The host's log. A module has its own copy of every library, a logging one too, so what it
/// says goes through here.
#[sabi_trait]
pub trait HostLog: Send + Sync {
    /// Writes one message.
    #[sabi(last_prefix_field)]
    fn write(&self, level: Level, message: RStr<'_>);
}

/// The host's log as it crosses.
pub type HostLogBox = HostLog_TO<'static, RBox<()>>;

/// A parameter's value, of the type that the manifest declares.
#[repr(u8)]
#[derive(Clone, Debug, PartialEq, StableAbi)]
pub enum ParameterValue {
    /// A text, or one of several.
    Text(RString),
    /// A whole number; bytes for sizes.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A switch.
    Switch(bool),
    /// A duration in nanoseconds.
    Duration(u64),
    /// Several texts.
    List(RVec<RString>),
}

/// What a module is told of its configuration. The host has checked it against the manifest and
/// filled in the defaults.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, StableAbi)]
pub struct Parameter {
    /// The name in the manifest.
    pub name: RString,
    /// The value.
    pub value: ParameterValue,
}

/// A module at work, by kind.
#[repr(u8)]
#[derive(StableAbi)]
pub enum Instance {
    /// A policy of allocation.
    Allocator(RawAllocatorBox),
    /// A link of the chain that confines containers.
    Isolator(RawIsolatorBox),
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Allocator(_) => "Allocator",
            Self::Isolator(_) => "Isolator",
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
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
}
