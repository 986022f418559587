//! From a library to a module at work.

use reeve_module_api::abi_stable::sabi_trait::TD_Opaque;
use reeve_module_api::abi_stable::std_types::{RBox, RErr, ROk, RStr};
use reeve_module_api::v1::{HostLog, HostLog_TO, Instance, Level};

use crate::{Facts, Kind, Library, LoadError, LoadedAllocator, LoadedIsolator, settle};

/// A module at work.
#[derive(Debug)]
pub struct Module<T> {
    /// What it is, and how it is set.
    pub facts: Facts,
    /// What it does.
    pub works: T,
}

/// A module of whatever kind.
#[derive(Debug)]
pub enum Created {
    /// A policy of allocation.
    Allocator(LoadedAllocator),
    /// A link of the chain that confines containers.
    Isolator(LoadedIsolator),
}

impl Library {
    /// Opens the library and makes a module of it, with these parameters.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, a parameter is wrong, or the module does not start.
    pub fn create(
        &self,
        given: Option<&reeve_config::Module>,
    ) -> Result<Module<Created>, LoadError> {
        let parameters = settle(&self.manifest, given)?;
        let facts = Facts { library: self.clone(), parameters: parameters.clone() };
        let root = self.open()?;
        let name = self.manifest.name.clone();
        let log = HostLog_TO::from_ptr(RBox::new(Log { module: name.clone() }), TD_Opaque);
        match root.create()(log, parameters.into()) {
            ROk(Instance::Allocator(raw)) => {
                let works = Created::Allocator(LoadedAllocator::new(&name, raw));
                Ok(Module { facts, works })
            }
            ROk(Instance::Isolator(raw)) => {
                Ok(Module { facts, works: Created::Isolator(LoadedIsolator::new(raw)) })
            }
            RErr(fault) => Err(LoadError::Create { name, why: fault.message.into() }),
        }
    }

    /// The same for a module that is to be an allocator.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), or if it is of another kind.
    pub fn allocator(
        &self,
        given: Option<&reeve_config::Module>,
    ) -> Result<Module<LoadedAllocator>, LoadError> {
        self.expect(Kind::Allocator)?;
        let Module { facts, works } = self.create(given)?;
        match works {
            Created::Allocator(works) => Ok(Module { facts, works }),
            other => Err(self.lies(&other)),
        }
    }

    /// The same for a module that is to be an isolator.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), or if it is of another kind.
    pub fn isolator(
        &self,
        given: Option<&reeve_config::Module>,
    ) -> Result<Module<LoadedIsolator>, LoadError> {
        self.expect(Kind::Isolator)?;
        let Module { facts, works } = self.create(given)?;
        match works {
            Created::Isolator(works) => Ok(Module { facts, works }),
            other => Err(self.lies(&other)),
        }
    }

    fn expect(&self, wanted: Kind) -> Result<(), LoadError> {
        let is = self.manifest.kind;
        if is == wanted {
            return Ok(());
        }
        Err(LoadError::Kind { path: self.path.clone(), is, wanted })
    }

    /// The manifest says one kind and the code another.
    fn lies(&self, created: &Created) -> LoadError {
        let is = match created {
            Created::Allocator(_) => Kind::Allocator,
            Created::Isolator(_) => Kind::Isolator,
        };
        LoadError::Kind { path: self.path.clone(), is, wanted: self.manifest.kind }
    }
}

/// Writes what a module says to the daemon's log, with the module's name.
struct Log {
    module: String,
}

impl HostLog for Log {
    fn write(&self, level: Level, message: RStr<'_>) {
        let module = self.module.as_str();
        match level {
            Level::Error => tracing::error!(module, "{message}"),
            Level::Warning => tracing::warn!(module, "{message}"),
            Level::Info => tracing::info!(module, "{message}"),
            Level::Debug => tracing::debug!(module, "{message}"),
        }
    }
}
