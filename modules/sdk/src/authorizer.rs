//! The authorizer: who may do what. The data is that of the interface
//! ([`reeve_module_api::v2::authorizer`]), as it stands.

use reeve_module_api::abi_stable::std_types::{ROption, RResult, RSlice, RStr, RVec};
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::authorizer::RawAuthorizer;

pub use reeve_module_api::v2::authorizer::Object;

use crate::Failed;
use crate::authenticator::Principal;
use crate::guard::guarded;

/// Tells who may do what.
pub trait Authorizer: Send + Sync {
    /// Whether the principal may do this to each of these objects, in their order. The action is
    /// Mesos's name of it in small letters, such as `run_tasks`. Nobody stands for a request
    /// that needed no credentials. An error permits nothing.
    fn permits(
        &self,
        principal: Option<&Principal>,
        action: &str,
        objects: &[Object],
    ) -> Result<Vec<bool>, Failed>;
}

/// An author's authorizer on its way across.
pub(crate) struct Crossing<A>(pub(crate) A);

impl<A: Authorizer> RawAuthorizer for Crossing<A> {
    fn permits(
        &self,
        principal: ROption<&Principal>,
        action: RStr<'_>,
        objects: RSlice<'_, Object>,
    ) -> RResult<RVec<bool>, Fault> {
        guarded(|| self.0.permits(principal.into(), &action, &objects).map(RVec::from))
    }
}
