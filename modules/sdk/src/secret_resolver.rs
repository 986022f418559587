//! The secret resolver: from a reference to a secret to the secret.

use reeve_module_api::abi_stable::std_types::{RResult, RStr, RVec};
use reeve_module_api::v2::Fault;
use reeve_module_api::v2::secret_resolver::RawSecretResolver;

use crate::Failed;
use crate::guard::guarded;

/// Knows secrets by their names (`Secret.Reference`). Secrets given by value need no resolver.
pub trait SecretResolver: Send + Sync {
    /// The secret of this name; `key` says which of several under one name, and is often empty.
    /// An error fails what needs the secret; it should say the name, never a secret.
    fn resolve(&self, name: &str, key: &str) -> Result<Vec<u8>, Failed>;
}

/// An author's secret resolver on its way across.
pub(crate) struct Crossing<R>(pub(crate) R);

impl<R: SecretResolver> RawSecretResolver for Crossing<R> {
    fn resolve(&self, name: RStr<'_>, key: RStr<'_>) -> RResult<RVec<u8>, Fault> {
        guarded(|| self.0.resolve(&name, &key).map(RVec::from))
    }
}
