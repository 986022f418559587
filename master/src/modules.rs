//! The modules of a master: from its settings to allocators.

use std::time::Duration;

use reeve_config::Modules;
use reeve_module_host::{Facts, Kind, LoadError, LoadedAllocator, Module, Search};

use crate::MasterSettings;

/// Mesos's names of its own allocator.
const MESOS_NAMES: [&str; 2] = ["hierarchical", "HierarchicalDRF"];

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
    pub fn chosen(&self) -> Result<Module<LoadedAllocator>, LoadError> {
        if let Some(fallback) = &self.fallback {
            self.search.library(Kind::Allocator, fallback, self.modules.get(fallback))?;
        }
        self.load(&self.chosen)
    }

    /// Loads the allocator that takes over, if one is to.
    ///
    /// # Errors
    ///
    /// If it is not there any more, or does not start.
    pub fn fallback(&self) -> Option<Result<Module<LoadedAllocator>, LoadError>> {
        self.fallback.as_deref().map(|name| self.load(name))
    }

    fn load(&self, name: &str) -> Result<Module<LoadedAllocator>, LoadError> {
        let given = self.modules.get(name);
        self.search.library(Kind::Allocator, name, given)?.allocator(given)
    }
}

/// The modules that are at work, for those who ask.
#[derive(Debug, Default)]
pub struct AtWork(std::sync::Mutex<Vec<Facts>>);

impl AtWork {
    /// This allocator is the one at work now.
    pub fn allocator(&self, facts: Facts) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = vec![facts];
    }

    /// All of them.
    pub fn json(&self) -> serde_json::Value {
        let all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.iter().map(Facts::json).collect()
    }
}
