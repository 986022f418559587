//! The container logger: where a container's output goes.

use abi_stable::std_types::{RBox, RResult, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::{Fault, isolator::Container};

/// Where one stream goes.
#[repr(u8)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub enum Sink {
    /// To the end of this file.
    File(RString),
    /// To the standard input of this program, given as words. It runs in the sandbox as the
    /// container's user, with nothing in its environment but a `PATH`. It is no part of the
    /// container: it outlives the agent and whatever the container runs, and must end when its
    /// input does. Its standard output is not for it to write to; its standard error is the file
    /// `stderr` of the sandbox.
    Program(RVec<RString>),
}

/// Where a container's output goes.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub struct Streams {
    /// Its standard output.
    pub stdout: Sink,
    /// Its standard error.
    pub stderr: Sink,
}

/// A container logger as it crosses; the SDK makes one of its plain trait `ContainerLogger`,
/// which says what the call means.
#[sabi_trait]
pub trait RawContainerLogger: Send + Sync {
    /// Where the output of a container that is about to start shall go.
    #[sabi(last_prefix_field)]
    fn streams(&self, container: &Container) -> RResult<Streams, Fault>;
}

/// A container logger as it crosses.
pub type RawContainerLoggerBox = RawContainerLogger_TO<'static, RBox<()>>;
