//! An authorizer that was loaded, as any other.

use reeve_module_api::abi_stable::std_types::{RSlice, RStr, RVec};
use reeve_module_sdk::Failed;
use reeve_module_sdk::authenticator::Principal;
use reeve_module_sdk::authorizer::{Authorizer, Object};

use super::LoadedAuthorizer;

impl Authorizer for LoadedAuthorizer {
    fn permits(
        &self,
        principal: Option<&Principal>,
        action: &str,
        objects: &[Object],
    ) -> Result<Vec<bool>, Failed> {
        let asked = self.raw.permits(principal.into(), RStr::from(action), RSlice::from(objects));
        let permits = self.answer(asked).map(RVec::into_vec)?;
        if permits.len() != objects.len() {
            return Err(Failed::new(format!(
                "module '{}' answers {} questions of {}",
                self.name,
                permits.len(),
                objects.len()
            )));
        }
        Ok(permits)
    }
}
