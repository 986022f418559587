//! The authenticator: who sends a request. The data is that of the interface
//! ([`reeve_module_api::v2::authenticator`]), as it stands.

use reeve_module_api::abi_stable::std_types::RResult;
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::authenticator::RawAuthenticator;

pub use reeve_module_api::v2::authenticator::{Principal, Request, Verdict};

use crate::Failed;
use crate::guard::guarded;

/// Tells who sends a request. Where several are configured they are asked in order until one
/// knows; if none does, the answer carries the challenges of all.
pub trait Authenticator: Send + Sync {
    /// Tells who sends this request. An error lets nobody in.
    fn authenticate(&self, request: &Request) -> Result<Verdict, Failed>;
}

/// An author's authenticator on its way across.
pub(crate) struct Crossing<A>(pub(crate) A);

impl<A: Authenticator> RawAuthenticator for Crossing<A> {
    fn authenticate(&self, request: &Request) -> RResult<Verdict, Fault> {
        guarded(|| self.0.authenticate(request))
    }
}
