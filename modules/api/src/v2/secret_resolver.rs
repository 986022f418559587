//! The secret resolver: from a reference to a secret to the secret.

use abi_stable::sabi_trait;
use abi_stable::std_types::{RBox, RResult, RStr, RVec};

use super::Fault;

/// A secret resolver as it crosses; the SDK makes one of its plain trait `SecretResolver`, which
/// says what the call means.
#[sabi_trait]
pub trait RawSecretResolver: Send + Sync {
    /// The secret of this name; `key` says which of several under one name, and is often empty.
    #[sabi(last_prefix_field)]
    fn resolve(&self, name: RStr<'_>, key: RStr<'_>) -> RResult<RVec<u8>, Fault>;
}

/// A secret resolver as it crosses.
pub type RawSecretResolverBox = RawSecretResolver_TO<'static, RBox<()>>;
