//! Who may come in, and what they may do: the realms of a master's endpoints and who guards them
//! (SEC-2, W-9), and which permissions are asked for (SEC-3).

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use reeve_access::{Doors, Loading, Permissions, thing};
use reeve_model::FrameworkInfo;
use reeve_module_host::{Facts, Search, Unusable};
use reeve_module_sdk::authorizer::Object;
use reeve_transport::files::Keeper;
use reeve_transport::{Principal, Response, Router};

use crate::MasterSettings;
use crate::app::App;

/// Endpoints that change nothing; any that is not named below.
const READONLY: &str = "mesos-master-readonly";
/// Endpoints that change something, or could.
const READWRITE: &str = "mesos-master-readwrite";
/// The API of schedulers.
const SCHEDULER: &str = "mesos-master-scheduler";

/// What is not [`READONLY`], as Mesos has it. Whoever looks for a master asks the last three.
const REALMS: [(&str, Option<&str>); 11] = [
    ("/api/v1/scheduler", Some(SCHEDULER)),
    ("/api/v1", Some(READWRITE)),
    ("/teardown", Some(READWRITE)),
    ("/quota", Some(READWRITE)),
    ("/weights", Some(READWRITE)),
    ("/machine/down", Some(READWRITE)),
    ("/machine/up", Some(READWRITE)),
    ("/maintenance/schedule", Some(READWRITE)),
    ("/health", None),
    ("/redirect", None),
    ("/version", None),
];

/// Endpoints that need permission to be read at all.
const ENDPOINTS: [&str; 5] =
    ["/explain", "/files/debug", "/metrics", "/metrics/snapshot", "/modules"];

/// What guards a master.
#[derive(Debug)]
pub struct Access {
    /// Who is let in.
    pub doors: Doors,
    /// What they may do.
    pub permissions: Permissions,
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
        let authorizer = settings.authorizers.as_str();
        let permissions =
            loading.authorizer("authorizers", authorizer, settings.acls.as_deref())?;
        doors.endpoints(&ENDPOINTS, permissions.clone());
        Ok(Self { doors, permissions, facts: loading.into_facts() })
    }
}

/// What is known of a framework, for those who say what may be done to it.
pub fn framework(info: &FrameworkInfo) -> Object {
    let id = info.id.as_ref().map(|id| ("framework", id.as_str()));
    let principal = info.principal.as_ref().map(|principal| ("principal", principal.as_str()));
    let roles = info.roles.iter().map(|role| ("role", role.as_str()));
    let named = [("user", info.user.as_str()), ("name", info.name.as_str())];
    thing(named.into_iter().chain(id).chain(principal).chain(roles))
}

/// Who a framework says that it belongs to; where senders are asked, that is who they are.
pub fn owner(info: &FrameworkInfo) -> Option<Principal> {
    info.principal.as_ref().map(|principal| Principal::named(principal.as_str()))
}

/// Whether a framework may have its roles; else the words for it.
///
/// # Errors
///
/// Why not.
pub async fn may_have_roles(permissions: &Permissions, info: &FrameworkInfo) -> Result<(), String> {
    let roles = info.roles.iter().map(|role| thing([("role", role.as_str())])).collect();
    match permissions.each(owner(info).as_ref(), REGISTER, roles).await {
        Ok(answers) if answers.iter().all(|yes| *yes) => Ok(()),
        Ok(_) => Err(roles_refused(info)),
        Err(why) => Err(format!("Authorization failure: {why}")),
    }
}

/// The action of having a role.
pub const REGISTER: &str = "register_frameworks";

/// The words of Mesos 1.11, which leaves a gap where a new framework has no id.
pub fn roles_refused(info: &FrameworkInfo) -> String {
    let id = info.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let roles: BTreeSet<&str> = info.roles.iter().map(|role| role.as_str()).collect();
    let roles = roles.into_iter().collect::<Vec<_>>().join(", ");
    format!("Not authorized to register framework {id} with roles {{ {roles} }}")
}

/// Lets those look into the log who may (`access_mesos_logs`).
#[derive(Debug)]
pub struct LogKeeper(pub Permissions);

impl Keeper for LogKeeper {
    fn admit<'a>(
        &'a self,
        sender: Option<&'a Principal>,
        _: &'a str,
    ) -> BoxFuture<'a, Result<(), Response>> {
        Box::pin(self.0.check(sender, "access_mesos_logs", thing([])))
    }
}

/// Puts every route into its realm.
pub fn guarded(router: Router, app: &App) -> Router {
    let router = router.guarded(app.doors.clone(), READONLY);
    REALMS.iter().fold(router, |router, (path, realm)| router.realm(path, *realm))
}
