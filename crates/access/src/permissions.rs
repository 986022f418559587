//! What a daemon's clients may do (SEC-3).

use std::sync::Arc;
use std::time::Duration;

use reeve_module_sdk::Label;
use reeve_module_sdk::authenticator;
use reeve_module_sdk::authorizer::{Authorizer, Object};
use reeve_transport::{Principal, Response};

use crate::{Calls, Unanswered};

/// What may be done. Without an authorizer, everything. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Permissions(Option<Arc<Calls<Box<dyn Authorizer>>>>);

impl Permissions {
    /// What this authorizer permits. An answer of it may take as long as `limit`.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
    pub fn of(
        name: &str,
        authorizer: Box<dyn Authorizer>,
        limit: Duration,
    ) -> std::io::Result<Self> {
        Ok(Self(Some(Arc::new(Calls::start(name, authorizer, limit)?))))
    }

    /// Whether nobody is asked, because everything may be done.
    pub fn are_unlimited(&self) -> bool {
        self.0.is_none()
    }

    /// For each of these things, whether the principal may do this to it. All of them are asked
    /// about at once.
    ///
    /// # Errors
    ///
    /// If the authorizer gives no answer.
    pub async fn each(
        &self,
        principal: Option<&Principal>,
        action: &'static str,
        things: Vec<Object>,
    ) -> Result<Vec<bool>, Unanswered> {
        let Some(authorizer) = self.0.as_ref().filter(|_| !things.is_empty()) else {
            return Ok(vec![true; things.len()]);
        };
        let principal = principal.map(sent);
        authorizer.call(move |module| module.permits(principal.as_ref(), action, &things)).await
    }

    /// Whether the principal may do this.
    ///
    /// # Errors
    ///
    /// The whole answer to somebody who may not (403), or if nobody can tell (503).
    pub async fn check(
        &self,
        principal: Option<&Principal>,
        action: &'static str,
        thing: Object,
    ) -> Result<(), Response> {
        let answers = self.each(principal, action, vec![thing]).await.map_err(unanswered)?;
        match answers.as_slice() {
            [true] => Ok(()),
            _ => Err(Response::forbidden("403 Forbidden.")),
        }
    }
}

/// The answer where the authorizer gave none (W-9).
pub fn unanswered(why: Unanswered) -> Response {
    tracing::error!("nothing is permitted: {why}");
    Response::unavailable("Failed to authorize; the log says why")
}

/// Something that is acted on: what is known of it, by name.
pub fn thing<'a>(facts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Object {
    let label = |(key, value): (&str, &str)| Label { key: key.into(), value: value.into() };
    Object { facts: facts.into_iter().map(label).collect() }
}

fn sent(principal: &Principal) -> authenticator::Principal {
    let claims = principal.claims.iter();
    authenticator::Principal {
        name: principal.name.as_deref().map(Into::into).into(),
        claims: claims
            .map(|(key, value)| Label { key: key.as_str().into(), value: value.as_str().into() })
            .collect(),
    }
}
