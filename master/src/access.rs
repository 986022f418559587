//! Who may come in: the realms of a master's endpoints, and who guards them (SEC-2, W-9).

use reeve_access::{Doors, Loading};
use reeve_module_host::{Facts, Search, Unusable};
use reeve_transport::Router;

use crate::MasterSettings;
use crate::app::App;

/// Endpoints that change nothing; any that is not named below.
const READONLY: &str = "mesos-master-readonly";
/// Endpoints that change something, or could.
const READWRITE: &str = "mesos-master-readwrite";
/// The API of schedulers.
const SCHEDULER: &str = "mesos-master-scheduler";

/// What is not [`READONLY`], as Mesos has it. Whoever looks for a master asks the last three.
const REALMS: [(&str, Option<&str>); 9] = [
    ("/api/v1/scheduler", Some(SCHEDULER)),
    ("/api/v1", Some(READWRITE)),
    ("/teardown", Some(READWRITE)),
    ("/quota", Some(READWRITE)),
    ("/weights", Some(READWRITE)),
    ("/maintenance/schedule", Some(READWRITE)),
    ("/health", None),
    ("/redirect", None),
    ("/version", None),
];

/// What guards a master.
#[derive(Debug)]
pub struct Access {
    /// Who is let in.
    pub doors: Doors,
    /// The modules that were loaded for that.
    pub facts: Vec<Facts>,
}

impl Access {
    /// As the settings ask for it.
    ///
    /// # Errors
    ///
    /// If a module cannot be used.
    pub fn load(settings: &MasterSettings) -> Result<Self, Unusable> {
        let search = Search::new(settings.modules_dir.as_deref());
        let mut loading = Loading::new(search, &settings.modules);
        let credentials = settings.credentials.as_deref();
        let everybody = ("http_authenticators", &settings.http_authenticators);
        let frameworks = match settings.http_framework_authenticators.as_slice() {
            [] => everybody,
            _ => ("http_framework_authenticators", &settings.http_framework_authenticators),
        };
        let mut doors = Doors::default();
        for (asked, realm, (setting, names)) in [
            (settings.authenticate_http_readonly, READONLY, everybody),
            (settings.authenticate_http_readwrite, READWRITE, everybody),
            (settings.authenticate_http_frameworks, SCHEDULER, frameworks),
        ] {
            if asked {
                doors.guard(realm, loading.authenticators(setting, names, credentials)?);
            }
        }
        Ok(Self { doors, facts: loading.into_facts() })
    }
}

/// Puts every route into its realm.
pub fn guarded(router: Router, app: &App) -> Router {
    let router = router.guarded(app.doors.clone(), READONLY);
    REALMS.iter().fold(router, |router, (path, realm)| router.realm(path, *realm))
}
