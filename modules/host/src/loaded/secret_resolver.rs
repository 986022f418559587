//! A secret resolver that was loaded, as any other.

use reeve_module_api::abi_stable::std_types::{RStr, RVec};
use reeve_module_sdk::Failed;
use reeve_module_sdk::secret_resolver::SecretResolver;

use super::LoadedSecretResolver;

impl SecretResolver for LoadedSecretResolver {
    fn resolve(&self, name: &str, key: &str) -> Result<Vec<u8>, Failed> {
        self.answer(self.raw.resolve(RStr::from(name), RStr::from(key))).map(RVec::into_vec)
    }
}
