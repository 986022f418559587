//! Who a client is.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use reeve_transport::client::Call;

/// A principal and the secret that proves it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    principal: String,
    secret: String,
}

impl Credentials {
    /// Of these two.
    pub fn new(principal: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { principal: principal.into(), secret: secret.into() }
    }

    /// Puts them into a call, by HTTP Basic.
    fn sign(&self, call: Call) -> Call {
        let pair = STANDARD.encode(format!("{}:{}", self.principal, self.secret));
        call.with_header(AUTHORIZATION, &format!("Basic {pair}"))
    }
}

/// Puts credentials into a call, if there are any.
pub(crate) fn signed(credentials: Option<&Credentials>, call: Call) -> Call {
    match credentials {
        Some(credentials) => credentials.sign(call),
        None => call,
    }
}

/// Without the secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credentials").field(&self.principal).finish()
    }
}
