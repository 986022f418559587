//! The layers of values: files, then the environment, then flags.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

use crate::{Error, Origin, Settings, Shape, Values, config_files, file, flags};

/// Settings from all layers of this machine. `matches` comes from a command made by
/// [`crate::arguments`]; its `--config` names another file.
///
/// # Errors
///
/// The first thing that is wrong, with its place.
pub fn load<S: Settings>(matches: &ArgMatches) -> Result<S, Error> {
    let explicit = matches.get_one::<String>("config").map(Path::new);
    Layers::of_machine::<S>(explicit)?.flags::<S>(matches).build()
}

/// Values, layer upon layer; a later layer wins.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    values: Values,
}

impl Layers {
    /// No values.
    pub fn new() -> Self {
        Layers::default()
    }

    /// The files of this machine ([`config_files`]) and the environment of this process.
    ///
    /// # Errors
    ///
    /// As [`Layers::file`].
    pub fn of_machine<S: Settings>(explicit: Option<&Path>) -> Result<Self, Error> {
        let files = config_files(S::DAEMON, explicit);
        let layers = files.iter().try_fold(Self::new(), |layers, path| layers.file::<S>(path))?;
        Ok(layers.environment::<S>(std::env::vars()))
    }

    /// Adds what a TOML file gives.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or has a key or a type that does not fit.
    pub fn file<S: Settings>(mut self, path: &Path) -> Result<Self, Error> {
        match self.try_file::<S>(path).into_iter().next() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Adds what is right in a TOML file, and tells all that is wrong.
    pub fn try_file<S: Settings>(&mut self, path: &Path) -> Vec<Error> {
        file::collect::<S>(path, &mut self.values)
    }

    /// Adds what environment variables give. Variables that are no settings of this daemon
    /// are left alone: daemons and executors share `MESOS_`.
    pub fn environment<S: Settings>(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut ours = Vec::new();
        for (name, text) in variables {
            let (rank, key) = match (name.strip_prefix("MESOS_"), name.strip_prefix("REEVE_")) {
                (Some(key), _) => (0, key.to_lowercase()),
                (_, Some(key)) => (1, key.to_lowercase()),
                _ => continue,
            };
            if let Some(spec) = S::SPECS.iter().find(|spec| spec.is_called(&key)) {
                ours.push((rank, spec.name, text, name));
            }
        }
        ours.sort();
        for (_, key, text, name) in ours {
            self.values.set(key, text, Origin::Environment(name));
        }
        self
    }

    /// Adds what the command line gives.
    pub fn flags<S: Settings>(mut self, matches: &ArgMatches) -> Self {
        flags::collect::<S>(matches, &mut self.values);
        self
    }

    /// Adds one value that the program itself chose.
    pub fn set(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.values.set(name, text.into(), Origin::Program);
        self
    }

    /// The settings.
    ///
    /// # Errors
    ///
    /// The first value that cannot be used, with its place; a `file://` value whose file
    /// cannot be read.
    pub fn build<S: Settings>(&self) -> Result<S, Error> {
        S::build(&self.values::<S>()?)
    }

    /// Every value that cannot be used.
    pub fn problems<S: Settings>(&self) -> Vec<Error> {
        match self.values::<S>() {
            Ok(values) => S::SPECS.iter().filter_map(|spec| (spec.check)(&values).err()).collect(),
            Err(error) => vec![error],
        }
    }

    /// The values, with the content of `file://` in its place.
    ///
    /// # Errors
    ///
    /// If such a file cannot be read.
    pub fn values<S: Settings>(&self) -> Result<Values, Error> {
        let mut values = self.values.clone();
        for spec in S::SPECS {
            let Some((text, origin)) = values.get(spec.name) else { continue };
            if spec.shape == Shape::Modules {
                // Its own reading takes files, so that places are told within them.
                continue;
            }
            // Mesos docs, configuration: a value `file:///path` stands for the file's content.
            let Some(path) = text.strip_prefix("file://").filter(|_| !names_file(spec.name)) else {
                continue;
            };
            let (path, origin) = (PathBuf::from(path), origin.clone());
            let content = std::fs::read_to_string(&path)
                .map_err(|source| Error::Unreadable { path, source })?;
            values.set(spec.name, content.trim().to_owned(), origin);
        }
        Ok(values)
    }
}

/// Settings whose value is a path keep it.
fn names_file(name: &str) -> bool {
    name.ends_with("_dir") || name.ends_with("_file")
}
