//! An authenticator that was loaded, as any other.

use reeve_module_sdk::Failed;
use reeve_module_sdk::authenticator::{Authenticator, Request, Verdict};

use super::LoadedAuthenticator;

impl Authenticator for LoadedAuthenticator {
    fn authenticate(&self, request: &Request) -> Result<Verdict, Failed> {
        self.answer(self.raw.authenticate(request))
    }
}
