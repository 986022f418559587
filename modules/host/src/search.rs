//! From the name in the configuration to a file.

use std::path::{Path, PathBuf};

use crate::{Kind, Library, LoadError, Module, Works};

/// Where bundled modules are installed.
const INSTALLED: &str = "/usr/lib/reeve/modules";

/// A setting names a module that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{setting} = \"{name}\": {source}")]
pub struct Unusable {
    /// The setting, such as `isolation`.
    pub setting: &'static str,
    /// What it names.
    pub name: String,
    /// Why that cannot be used.
    pub source: LoadError,
}

/// Where modules are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    directories: Vec<PathBuf>,
}

impl Search {
    /// In `modules_dir` if it is set; else beside this program, where a build puts them, and
    /// where packages put them.
    pub fn new(modules_dir: Option<&Path>) -> Self {
        let directories = match modules_dir {
            Some(directory) => vec![directory.to_owned()],
            None => {
                let program = std::env::current_exe().ok();
                let beside = program.and_then(|program| Some(program.parent()?.to_owned()));
                beside.into_iter().chain([PathBuf::from(INSTALLED)]).collect()
            }
        };
        Self { directories }
    }

    fn find(&self, kind: Kind, name: &str) -> Result<PathBuf, LoadError> {
        self.find_file(kind, name, &file_name(kind, name))
    }

    fn find_file(&self, kind: Kind, name: &str, file: &str) -> Result<PathBuf, LoadError> {
        let mut places = self.directories.iter().map(|directory| directory.join(file));
        places.find(|path| path.exists()).ok_or_else(|| LoadError::Missing {
            kind,
            name: name.to_owned(),
            file: file.to_owned(),
            directories: self.directories.clone(),
        })
    }

    /// The library of a module: the file that its configuration names, else that of its name.
    ///
    /// # Errors
    ///
    /// If there is none, it is no module, or it calls itself otherwise.
    pub fn library(
        &self,
        kind: Kind,
        name: &str,
        given: Option<&reeve_config::Module>,
    ) -> Result<Library, LoadError> {
        let path = match given.and_then(|given| given.library.as_deref()) {
            Some(library) if library.parent().is_some_and(|room| !room.as_os_str().is_empty()) => {
                library.to_owned()
            }
            Some(file) => self.find_file(kind, name, &file.to_string_lossy())?,
            None => self.find(kind, name)?,
        };
        let library = Library::read(&path)?;
        if library.manifest.name != name {
            let (is, wanted) = (library.manifest.name, name.to_owned());
            return Err(LoadError::Name { path, is, wanted });
        }
        Ok(library)
    }

    /// Loads the module that a setting names.
    ///
    /// # Errors
    ///
    /// If there is none of that name and kind, or it cannot be used.
    pub fn load<T: Works>(
        &self,
        setting: &'static str,
        name: &str,
        modules: &reeve_config::Modules,
    ) -> Result<Module<T>, Unusable> {
        let given = modules.get(name);
        self.library(T::KIND, name, given)
            .and_then(|library| library.create(given))
            .map_err(|source| Unusable { setting, name: name.to_owned(), source })
    }

    /// What can be read of the module of this name, whatever its kind; none if there is no file.
    ///
    /// # Errors
    ///
    /// If its file is no module, or one that calls itself otherwise.
    pub fn named(
        &self,
        name: &str,
        given: Option<&reeve_config::Module>,
    ) -> Option<Result<Library, LoadError>> {
        let mut tried = Kind::ALL.into_iter().map(|kind| self.library(kind, name, given));
        tried.find(|library| !matches!(library, Err(LoadError::Missing { .. })))
    }

    /// The files that could be modules, in the order of their names.
    pub fn all(&self) -> Vec<PathBuf> {
        let entries = self.directories.iter().flat_map(std::fs::read_dir).flatten().flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                name.starts_with("libreeve_") && name.ends_with(".so")
            })
            .collect();
        files.sort();
        files
    }
}

/// What a module's file is called, such as `libreeve_isolator_cgroups.so`.
pub fn file_name(kind: Kind, name: &str) -> String {
    format!("libreeve_{}_{}.so", kind.name(), name.replace(['-', '.'], "_"))
}
