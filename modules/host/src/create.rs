//! From a library to a module at work.

use reeve_module_api::abi_stable::sabi_trait::TD_Opaque;
use reeve_module_api::abi_stable::std_types::{RBox, RErr, ROk, RStr};
use reeve_module_api::v2::{HostLog, HostLog_TO, Level};

use crate::{Facts, Library, LoadError, Works, settle};

/// A module at work.
#[derive(Debug)]
pub struct Module<T> {
    /// What it is, and how it is set.
    pub facts: Facts,
    /// What it does.
    pub works: T,
}

impl Library {
    /// Opens the library and makes a module of it, with these parameters.
    ///
    /// # Errors
    ///
    /// If it is of another kind, cannot be opened, a parameter is wrong, or the module does not
    /// start.
    pub fn create<T: Works>(
        &self,
        given: Option<&reeve_config::Module>,
    ) -> Result<Module<T>, LoadError> {
        let is_no = |is| LoadError::Kind { path: self.path.clone(), is, wanted: T::KIND };
        if self.manifest.kind != T::KIND {
            return Err(is_no(self.manifest.kind));
        }
        let parameters = settle(&self.manifest, given)?;
        let facts = Facts { library: self.clone(), parameters: parameters.clone() };
        let root = self.open()?;
        let name = self.manifest.name.clone();
        let log = HostLog_TO::from_ptr(RBox::new(Log { module: name.clone() }), TD_Opaque);
        match root.create(log, parameters.into()) {
            // The manifest says one kind, and the code may still be of another.
            ROk(instance) => Ok(Module { facts, works: T::of(&name, instance).map_err(is_no)? }),
            RErr(fault) => Err(LoadError::Create { name, why: fault.message.into() }),
        }
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
