//! What is given to modules: `[modules.NAME]` tables and Mesos's `--modules` and `--modules_dir`.
//!
//! Lives here: which modules are named, from which library, with which parameters, and where
//! each of them was written. Does not live here: what a parameter means, or which ones a module
//! has; its manifest says so, and the host compares the two.

mod json;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::file::manifests;
use crate::{Error, Origin, Shape, Value, Values};

pub(crate) use tables::tables;

/// The setting that names the directory of modules.
const DIRECTORY: &str = "modules_dir";

/// What is given to modules, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules(BTreeMap<String, Module>);

/// What is given to one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The file that holds it. A name without a slash is looked for where modules are kept;
    /// without any, the module's own name says which file it is.
    pub library: Option<PathBuf>,
    /// Where `library` is written, or the module's name where there is none.
    pub origin: Origin,
    /// What it is told, by name.
    pub parameters: BTreeMap<String, Parameter>,
}

/// What a module is told under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The value.
    pub given: Given,
    /// Where it is written.
    pub origin: Origin,
}

/// A parameter's value before anyone knows its type: numbers and switches are texts too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// One value.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl Modules {
    /// Reads Mesos's form: JSON, or the path of a file that holds it (`/path`, `file:///path`).
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or the text does not fit, with the place.
    pub fn given(text: &str, origin: &Origin) -> Result<Self, Error> {
        let path = text.strip_prefix("file://").or(text.starts_with('/').then_some(text));
        match path.map(Path::new) {
            None => json::read(text, origin),
            Some(path) => Self::file(path),
        }
    }

    /// Reads a file in Mesos's form.
    fn file(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Unreadable { path: path.to_path_buf(), source })?;
        json::read(&text, &Origin::File(path.to_path_buf(), 1, 1))
    }

    /// What is given to this module.
    pub fn get(&self, name: &str) -> Option<&Module> {
        self.0.get(name)
    }

    /// Every module that is named, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Module)> {
        self.0.iter().map(|(name, module)| (name.as_str(), module))
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lays a later layer over this one: it wins, key by key.
    pub fn merge(&mut self, later: Self) {
        for (name, later) in later.0 {
            match self.0.get_mut(&name) {
                Some(module) => module.merge(later),
                None => {
                    self.0.insert(name, later);
                }
            }
        }
    }
}

impl FromIterator<(String, Module)> for Modules {
    fn from_iter<I: IntoIterator<Item = (String, Module)>>(modules: I) -> Self {
        Self(modules.into_iter().collect())
    }
}

impl Module {
    /// A module that is named there, and nothing more.
    pub fn named(origin: Origin) -> Self {
        Self { library: None, origin, parameters: BTreeMap::new() }
    }

    fn merge(&mut self, later: Self) {
        if later.library.is_some() {
            (self.library, self.origin) = (later.library, later.origin);
        }
        self.parameters.extend(later.parameters);
    }
}

/// Given as tables in TOML, as JSON elsewhere. The layers are merged rather than replaced.
impl Value for Modules {
    const SHAPE: Shape = Shape::Modules;
    const WANTED: &'static str = "tables such as [modules.NAME]";

    fn parse(text: &str) -> Result<Self, String> {
        Self::given(text, &Origin::Program).map_err(|error| error.to_string())
    }

    fn show(&self) -> Option<String> {
        (!self.is_empty()).then(|| json::show(self))
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn read(
        values: &Values,
        key: &'static str,
        _default: Option<&'static str>,
    ) -> Result<Self, Error> {
        let mut modules = Self::default();
        if let Some((directory, _)) = values.get(DIRECTORY) {
            for path in manifests(Path::new(directory))? {
                modules.merge(Self::file(&path)?);
            }
        }
        modules.merge(values.modules().clone());
        if let Some((text, origin)) = values.get(key) {
            modules.merge(Self::given(text, origin)?);
        }
        Ok(modules)
    }
}
