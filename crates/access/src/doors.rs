//! The gate of a daemon: who is let into which realm (W-9, SEC-2).

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reeve_module_host::LoadedAuthenticator;
use reeve_module_sdk::authenticator::{self, Authenticator as _, Request, Verdict};
use reeve_transport::{Gate, Knock, Principal, Response};

use crate::{Calls, Permissions, thing};

/// An authenticator at work.
pub type Authenticator = Calls<LoadedAuthenticator>;

/// The gate. Realms that nobody guards are open.
#[derive(Debug, Default)]
pub struct Doors {
    realms: BTreeMap<&'static str, Vec<Arc<Authenticator>>>,
    /// Routes that need a permission of their own, and who gives it.
    endpoints: &'static [&'static str],
    permissions: Permissions,
}

impl Doors {
    /// From now on these are asked, in this order, about whoever comes to this realm.
    pub fn guard(&mut self, realm: &'static str, guards: Vec<Arc<Authenticator>>) {
        self.realms.insert(realm, guards);
    }

    /// From now on, who asks for one of these routes needs permission to (`get_endpoints`).
    pub fn endpoints(&mut self, routes: &'static [&'static str], permissions: Permissions) {
        (self.endpoints, self.permissions) = (routes, permissions);
    }

    /// Who sends the request; `None` in a realm that is open.
    async fn identify(&self, knock: &Knock) -> Result<Option<Principal>, Response> {
        let guarded = knock.realm.and_then(|realm| Some((realm, self.realms.get(realm)?)));
        let Some((realm, guards)) = guarded else { return Ok(None) };
        let request = Arc::new(Request {
            realm: realm.into(),
            method: knock.method.as_str().into(),
            path: knock.path.as_str().into(),
            peer: knock.peer.to_string().into(),
            authorization: knock.authorization.as_deref().map(Into::into).into(),
        });
        let mut challenges = Vec::new();
        for guard in guards {
            let request = Arc::clone(&request);
            match guard.call(move |module| module.authenticate(&request)).await {
                Ok(Verdict::Known(principal)) => return Ok(Some(known(principal))),
                Ok(Verdict::Unknown { challenge }) => challenges.push(String::from(challenge)),
                Ok(Verdict::Forbidden { reason }) => return Err(Response::forbidden(reason)),
                Err(why) => {
                    tracing::error!(realm, peer = %knock.peer, "nobody is let in: {why}");
                    return Err(Response::unavailable("Failed to authenticate; the log says why"));
                }
            }
        }
        tracing::debug!(realm, peer = %knock.peer, path = knock.path, "not let in");
        Err(Response::unauthorized(&challenges))
    }
}

impl Gate for Doors {
    fn admit(&self, knock: Knock) -> BoxFuture<'_, Result<Option<Principal>, Response>> {
        Box::pin(async move {
            let principal = self.identify(&knock).await?;
            if self.endpoints.contains(&knock.route.as_str()) {
                let route = thing([("path", knock.route.as_str())]);
                self.permissions.check(principal.as_ref(), "get_endpoints", route).await?;
            }
            Ok(principal)
        })
    }
}

fn known(principal: authenticator::Principal) -> Principal {
    let claims = principal.claims.into_iter();
    Principal {
        name: principal.name.into_option().map(|name| name.as_str().into()),
        claims: claims.map(|claim| (claim.key.into(), claim.value.into())).collect(),
    }
}
