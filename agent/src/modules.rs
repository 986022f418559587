//! The modules of an agent: from its settings to what they do.

use std::sync::Arc;

use reeve_agent_runtime::{Link, Logger};
use reeve_module_host::{
    Companions, Facts, Hooks, LoadedContainerLogger, LoadedIsolator, LoadedQosController,
    LoadedResourceEstimator, LoadedSecretResolver, Module, Search, Timely, Unusable, Works,
};
use reeve_module_sdk::oversubscription::{QosController, ResourceEstimator};
use reeve_module_sdk::secret_resolver::SecretResolver;

use crate::secrets::Secrets;
use crate::settings::AgentSettings;

/// What Mesos's `--isolation` calls what our modules do. `docker` of ours is a containerizer there.
const MESOS_NAMES: [(&str, &str); 6] = [
    ("process", "posix"),
    ("posix/cpu", "posix"),
    ("posix/mem", "posix"),
    ("posix/rlimits", "posix"),
    ("posix/disk", "posix"),
    ("disk/du", "posix"),
];

/// What Mesos calls isolators and this agent does by itself.
const BUILT_IN: [&str; 1] = ["environment_secret"];

/// The modules that come with Mesos, and ours that do the same.
const MESOS_MODULES: [(&str, &str); 3] = [
    ("org_apache_mesos_LogrotateContainerLogger", "logrotate"),
    ("org_apache_mesos_FixedResourceEstimator", "fixed"),
    ("org_apache_mesos_LoadQoSController", "load"),
];

/// The name of a module, whose module it may be.
fn ours(name: &str) -> &str {
    MESOS_MODULES.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours)
}

/// The names of the isolators that are asked for, each once, in order.
fn names(isolation: &[String]) -> Vec<&str> {
    let mut names = Vec::new();
    for given in isolation.iter().map(String::as_str) {
        let ours = MESOS_NAMES.iter().find(|(theirs, _)| *theirs == given);
        let name = match (ours, given.strip_prefix("cgroups/")) {
            (Some((_, ours)), _) => ours,
            (None, Some(_)) => "cgroups",
            (None, None) => given,
        };
        if !names.contains(&name) && !BUILT_IN.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The modules that an agent's settings ask for.
#[derive(Debug)]
pub(crate) struct Modules {
    /// The chain of isolators.
    pub(crate) chain: Vec<Link>,
    /// Who says where output goes.
    pub(crate) logger: Option<Logger>,
    /// Who knows secrets.
    pub(crate) secrets: Secrets,
    /// Who has a say in launches.
    pub(crate) hooks: Hooks,
    /// Who says what is offered twice.
    pub(crate) estimator: Option<Timely<dyn ResourceEstimator>>,
    /// Who says which revocable work must go.
    pub(crate) controller: Option<Timely<dyn QosController>>,
    /// Who is only there.
    pub(crate) companions: Companions,
    /// What each of them is, and how it is set.
    pub(crate) facts: Vec<Facts>,
}

/// Loads all of them.
pub(crate) fn load(settings: &AgentSettings) -> Result<Modules, Unusable> {
    let search = Search::new(settings.modules_dir.as_deref());
    let mut loading = Loading { search, settings, facts: Vec::new() };
    Ok(Modules {
        chain: loading.chain()?,
        logger: loading.logger()?,
        secrets: loading.secrets()?,
        hooks: loading.hooks()?,
        estimator: loading.estimator()?,
        controller: loading.controller()?,
        companions: loading.companions()?,
        facts: loading.facts,
    })
}

struct Loading<'a> {
    search: Search,
    settings: &'a AgentSettings,
    facts: Vec<Facts>,
}

impl Loading<'_> {
    /// Loads the module of this name, which `setting` gives.
    fn one<T: Works>(&mut self, setting: &'static str, name: &str) -> Result<Arc<T>, Unusable> {
        let module: Module<T> = self.search.load(setting, name, &self.settings.modules)?;
        self.facts.push(module.facts);
        Ok(Arc::new(module.works))
    }

    fn chain(&mut self) -> Result<Vec<Link>, Unusable> {
        let isolation = &self.settings.isolation;
        let link = |name: &str| {
            let works = self.one::<LoadedIsolator>("isolation", name)?;
            Ok(Link { name: name.to_owned(), works })
        };
        names(isolation).into_iter().map(link).collect()
    }

    fn logger(&mut self) -> Result<Option<Logger>, Unusable> {
        let Some(name) = &self.settings.container_logger else { return Ok(None) };
        let name = ours(name);
        let works = self.one::<LoadedContainerLogger>("container_logger", name)?;
        Ok(Some(Logger { name: name.to_owned(), works }))
    }

    fn hooks(&mut self) -> Result<Hooks, Unusable> {
        let hooks = Hooks::load(&self.search, &self.settings.hooks, &self.settings.modules)?;
        self.facts.extend_from_slice(hooks.facts());
        Ok(hooks)
    }

    fn estimator(&mut self) -> Result<Option<Timely<dyn ResourceEstimator>>, Unusable> {
        let Some(name) = &self.settings.resource_estimator else { return Ok(None) };
        let name = ours(name);
        let works: Arc<dyn ResourceEstimator> =
            self.one::<LoadedResourceEstimator>("resource_estimator", name)?;
        Ok(Some(Timely::new(name, LoadedResourceEstimator::KIND.deadline(), works)))
    }

    fn controller(&mut self) -> Result<Option<Timely<dyn QosController>>, Unusable> {
        let Some(name) = &self.settings.qos_controller else { return Ok(None) };
        let name = ours(name);
        let works: Arc<dyn QosController> =
            self.one::<LoadedQosController>("qos_controller", name)?;
        Ok(Some(Timely::new(name, LoadedQosController::KIND.deadline(), works)))
    }

    fn companions(&mut self) -> Result<Companions, Unusable> {
        let (names, modules) = (&self.settings.anonymous_modules, &self.settings.modules);
        let (companions, facts) =
            Companions::load(&self.search, "anonymous_modules", names, modules)?;
        self.facts.extend(facts);
        Ok(companions)
    }

    fn secrets(&mut self) -> Result<Secrets, Unusable> {
        let Some(name) = &self.settings.secret_resolver else { return Ok(Secrets::default()) };
        let works: Arc<dyn SecretResolver> =
            self.one::<LoadedSecretResolver>("secret_resolver", name)?;
        let limit = LoadedSecretResolver::KIND.deadline();
        Ok(Secrets::new(Some(Timely::new(name, limit, works))))
    }
}

#[cfg(test)]
mod tests {
    use reeve_config::Value;

    use super::ours;

    /// The chain's names for what a setting says as text.
    fn names(isolation: &str) -> Vec<String> {
        let given = Vec::parse(isolation).unwrap();
        super::names(&given).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn names_of_mesos_mean_our_modules_each_once() {
        assert_eq!(names("posix/cpu,posix/mem, disk/du"), ["posix"]);
        assert_eq!(names("cgroups/cpu,cgroups/mem,cgroups/pids,docker"), ["cgroups", "docker"]);
        assert_eq!(names("acme-gpu,posix"), ["acme-gpu", "posix"]);
        assert_eq!(names("environment_secret,posix"), ["posix"]);
        assert!(names(" ,").is_empty());
        assert_eq!(ours("org_apache_mesos_LoadQoSController"), "load");
        assert_eq!(ours("acme"), "acme");
    }
}
