//! The anonymous module: one that nobody calls for a decision. It lives as long as its daemon,
//! and is shown the daemon's metrics from time to time.

use abi_stable::sabi_trait;
use abi_stable::std_types::{RBox, RResult, RSlice};

use super::{Fault, isolator::Figure};

/// An anonymous module as it crosses; the SDK makes one of its plain trait `Anonymous`, which
/// says what the call means.
#[sabi_trait]
pub trait RawAnonymous: Send + Sync {
    /// The metrics of the daemon, by the names of `/metrics/snapshot`.
    #[sabi(last_prefix_field)]
    fn metrics(&self, metrics: RSlice<'_, Figure>) -> RResult<(), Fault>;
}

/// An anonymous module as it crosses.
pub type RawAnonymousBox = RawAnonymous_TO<'static, RBox<()>>;
