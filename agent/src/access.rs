//! Who may come in, and what they may do: the realms of an agent's endpoints and who guards them
//! (SEC-2, W-9), and which endpoints need permission (SEC-3).

use std::sync::Arc;

use reeve_access::{Doors, Loading, Permissions};
use reeve_module_host::{Facts, Search};
use reeve_transport::Router;

use crate::daemon::{StartError, wrong};
use crate::settings::AgentSettings;

/// Endpoints that change nothing; any that is not named below.
const READONLY: &str = "mesos-agent-readonly";
/// Endpoints that change something.
const READWRITE: &str = "mesos-agent-readwrite";

/// What is not [`READONLY`], as Mesos has it. Executors are not asked who they are.
const REALMS: [(&str, Option<&str>); 4] = [
    ("/api/v1", Some(READWRITE)),
    ("/api/v1/executor", None),
    ("/health", None),
    ("/version", None),
];

/// Endpoints that need permission to be read at all.
const ENDPOINTS: [&str; 5] =
    ["/containers", "/files/debug", "/metrics/snapshot", "/modules", "/monitor/statistics"];

/// What guards an agent.
#[derive(Debug)]
pub(crate) struct Access {
    /// Who is let in.
    pub(crate) doors: Arc<Doors>,
    /// What they may do.
    pub(crate) permissions: Permissions,
    /// The modules that were loaded for that.
    pub(crate) facts: Vec<Facts>,
}

impl Access {
    /// As the settings ask for it.
    pub(crate) fn load(settings: &AgentSettings) -> Result<Self, StartError> {
        if settings.authenticate_http_executors {
            let why = "executors cannot be asked who they are yet: there is nothing that gives \
                       them tokens; leave it false";
            return Err(wrong("authenticate_http_executors", "true", why));
        }
        let search = Search::new(settings.modules_dir.as_deref());
        let mut loading = Loading::new(search, &settings.modules);
        let credentials = settings.http_credentials.as_deref();
        let (setting, names) = ("http_authenticators", &settings.http_authenticators);
        let mut doors = Doors::default();
        for (asked, realm) in [
            (settings.authenticate_http_readonly, READONLY),
            (settings.authenticate_http_readwrite, READWRITE),
        ] {
            if asked {
                doors.guard(realm, loading.authenticators(setting, names, credentials)?);
            }
        }
        let acls = settings.acls.as_deref();
        let permissions = loading.authorizer("authorizer", &settings.authorizer, acls)?;
        doors.endpoints(&ENDPOINTS, permissions.clone());
        Ok(Self { doors: Arc::new(doors), permissions, facts: loading.into_facts() })
    }
}

/// Puts every route into its realm.
pub(crate) fn guarded(router: Router, doors: Arc<Doors>) -> Router {
    let router = router.guarded(doors, READONLY);
    REALMS.iter().fold(router, |router, (path, realm)| router.realm(path, *realm))
}
