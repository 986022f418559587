//! The authorizer: who may do what.

use abi_stable::std_types::{RBox, ROption, RResult, RSlice, RStr, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::{Fault, Label, authenticator::Principal};

/// What an action is done to: what is known of it, by name (`role`, `user`, `path`,
/// `principal`: the principal of whoever made it, `framework`…). Nothing stands for a thing of
/// which nothing is known.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq, StableAbi)]
pub struct Object {
    /// The facts.
    pub facts: RVec<Label>,
}

impl Object {
    /// A fact.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|fact| fact.key == name).map(|fact| fact.value.as_str())
    }
}

/// An authorizer as it crosses; the SDK makes one of its plain trait `Authorizer`, which says
/// what the call means.
#[sabi_trait]
pub trait RawAuthorizer: Send + Sync {
    /// For each of these objects, whether the principal may do this to it.
    #[sabi(last_prefix_field)]
    fn permits(
        &self,
        principal: ROption<&Principal>,
        action: RStr<'_>,
        objects: RSlice<'_, Object>,
    ) -> RResult<RVec<bool>, Fault>;
}

/// An authorizer as it crosses.
pub type RawAuthorizerBox = RawAuthorizer_TO<'static, RBox<()>>;
