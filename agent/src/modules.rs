//! The modules of an agent: from its settings to the chain of isolators.

use std::sync::Arc;

use reeve_agent_runtime::Link;
use reeve_module_host::{Facts, LoadedIsolator, Module, Search, Unusable};

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
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Loads the chain of isolators that the settings ask for, and says what was loaded.
pub(crate) fn chain(settings: &AgentSettings) -> Result<(Vec<Link>, Vec<Facts>), Unusable> {
    let search = Search::new(settings.modules_dir.as_deref());
    let (mut links, mut facts) = (Vec::new(), Vec::new());
    for name in names(&settings.isolation) {
        let module: Module<LoadedIsolator> = search.load("isolation", name, &settings.modules)?;
        links.push(Link { name: name.to_owned(), works: Arc::new(module.works) });
        facts.push(module.facts);
    }
    Ok((links, facts))
}

#[cfg(test)]
mod tests {
    use reeve_config::Value;

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
        assert!(names(" ,").is_empty());
    }
}
