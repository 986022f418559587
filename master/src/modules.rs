//! The modules of a master: from its settings to allocators.

use std::time::Duration;

use reeve_config::Modules;
use reeve_module_host::{Companions, Facts, Kind, LoadedAllocator, Module, Search, Unusable};

use crate::MasterSettings;

/// Mesos's names of its own allocator.
const MESOS_NAMES: [&str; 2] = ["hierarchical", "HierarchicalDRF"];

/// The setting of the allocator that takes over.
const FALLBACK: &str = "allocator_fallback";

/// Where allocators come from: the one that is configured, and the one that takes over from it.
#[derive(Clone, Debug)]
pub struct Allocators {
    search: Search,
    modules: Modules,
    chosen: String,
    fallback: Option<String>,
    /// How long a call may take.
    pub timeout: Duration,
}

impl Allocators {
    /// As the settings name them.
    pub fn new(settings: &MasterSettings) -> Self {
        let named = |name: &str| match name {
            name if MESOS_NAMES.contains(&name) => "drf".to_owned(),
            name => name.to_owned(),
        };
        Self {
            search: Search::new(settings.modules_dir.as_deref()),
            modules: settings.modules.clone(),
            chosen: named(&settings.allocator),
            fallback: Some(named(&settings.allocator_fallback)).filter(|name| name != "none"),
            timeout: settings.allocator_timeout,
        }
    }

    /// Loads the allocator that is configured, and makes sure that the fallback could be loaded.
    ///
    /// # Errors
    ///
    /// If either is not there, or does not start.
    pub fn chosen(&self) -> Result<Module<LoadedAllocator>, Unusable> {
        if let Some(fallback) = &self.fallback {
            let given = self.modules.get(fallback);
            self.search.library(Kind::Allocator, fallback, given).map_err(|source| Unusable {
                setting: FALLBACK,
                name: fallback.clone(),
                source,
            })?;
        }
        self.search.load("allocator", &self.chosen, &self.modules)
    }

    /// Loads the allocator that takes over, if one is to.
    ///
    /// # Errors
    ///
    /// If it is not there any more, or does not start.
    pub fn fallback(&self) -> Option<Result<Module<LoadedAllocator>, Unusable>> {
        let name = self.fallback.as_deref()?;
        Some(self.search.load(FALLBACK, name, &self.modules))
    }
}

/// Loads the modules that only have to be there, and says what was loaded.
///
/// # Errors
///
/// If one cannot be used.
pub fn companions(settings: &MasterSettings) -> Result<(Companions, Vec<Facts>), Unusable> {
    let search = Search::new(settings.modules_dir.as_deref());
    let names = &settings.anonymous_modules;
    Companions::load(&search, "anonymous_modules", names, &settings.modules)
}

/// The modules that are at work, for those who ask.
#[derive(Debug, Default)]
pub struct AtWork(std::sync::Mutex<Vec<Facts>>);

impl AtWork {
    /// This allocator is the one at work now.
    pub fn allocator(&self, facts: Facts) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = vec![facts];
    }

    /// What there is to say of each.
    pub fn json(&self) -> Vec<serde_json::Value> {
        let all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.iter().map(Facts::json).collect()
    }
}
