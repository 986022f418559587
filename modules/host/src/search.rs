//! From the name in the configuration to a file.

use std::path::{Path, PathBuf};

use crate::{Kind, Library, LoadError};

/// Where bundled modules are installed.
const INSTALLED: &str = "/usr/lib/reeve/modules";

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
    format!("libreeve_{kind}_{}.so", name.replace(['-', '.'], "_"))
}
