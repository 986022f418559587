//! From a file to a library that may be called.

use std::error::Error;
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library as Opened, RTLD_LOCAL, RTLD_NOW};
use reeve_module_api::abi_stable::library::{AbiHeaderRef, ROOT_MODULE_LOADER_NAME_WITH_NUL};

use crate::generations::{Root, SUPPORTED};
use crate::{Kind, Manifest, ManifestError, ParameterError, image, trust};

/// No module is larger.
const LARGEST: u64 = 512 * 1024 * 1024;

/// A module cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no file of that name.
    #[error(
        "there is no {kind} '{name}': no file {file} in {}; name its file with \
         [modules.{name}] library = \"…\", or the directory with modules_dir",
        listed(directories)
    )]
    Missing {
        /// What was looked for.
        kind: Kind,
        /// Its name.
        name: String,
        /// The file's name.
        file: String,
        /// Where it was looked for.
        directories: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("module {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the kernel says.
        source: std::io::Error,
    },
    /// Somebody else could change the file.
    #[error("module {path} is not loaded: {why}")]
    Untrusted {
        /// The file.
        path: PathBuf,
        /// Who, and what to do.
        why: String,
    },
    /// The file is no module.
    #[error("{path} cannot be loaded: {why}")]
    NotAModule {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The manifest cannot be read.
    #[error("module {path} cannot be loaded: {source}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ManifestError,
    },
    /// The module speaks another generation of the interface.
    #[error(
        "module {path} speaks generation {theirs} of the module interface, this program \
         {}; {}", ours(),
        if *theirs > SUPPORTED[0] { "update this program" } else { "build the module anew" }
    )]
    Generation {
        /// The file.
        path: PathBuf,
        /// The module's generation.
        theirs: u32,
    },
    /// The types that cross are laid out otherwise.
    #[error(
        "module {path} was built with another interface than generation {generation} of this \
         program; build it anew with this program's SDK ({why})"
    )]
    Layout {
        /// The file.
        path: PathBuf,
        /// The generation that it claims.
        generation: u32,
        /// The first difference.
        why: String,
    },
    /// The module is of another kind than it is used as.
    #[error("module {path} is of the kind {is}, not {wanted}")]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it is.
        is: Kind,
        /// What it was to be.
        wanted: Kind,
    },
    /// The module is called otherwise.
    #[error("module {path} is called '{is}'; it is configured as '{wanted}'")]
    Name {
        /// The file.
        path: PathBuf,
        /// Its name.
        is: String,
        /// The name in the configuration.
        wanted: String,
    },
    /// A parameter is wrong.
    #[error(transparent)]
    Parameter(#[from] Box<ParameterError>),
    /// The module does not start.
    #[error("module '{name}' does not start: {why}")]
    Create {
        /// The module.
        name: String,
        /// What it says.
        why: String,
    },
}

fn listed(paths: &[PathBuf]) -> String {
    let all: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    all.join(", ")
}

fn ours() -> String {
    SUPPORTED.map(|generation| generation.to_string()).join(", ")
}

/// A module's file whose manifest is known; none of its code has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The file.
    pub path: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
}

impl Library {
    /// Reads a file's manifest.
    ///
    /// # Errors
    ///
    /// If the file is no module.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
        let refused = |why| LoadError::NotAModule { path: path.to_owned(), why };
        // A bare file name would be looked for elsewhere when it is opened.
        let path = &std::path::absolute(path).map_err(unreadable)?;
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(refused("it is no file".to_owned()));
        }
        if metadata.len() > LARGEST {
            return Err(refused(format!(
                "it has {} bytes; no module is that large",
                metadata.len()
            )));
        }
        let file = std::fs::read(path).map_err(unreadable)?;
        let manifest = Manifest::parse(image::manifest(&file).map_err(refused)?)
            .map_err(|source| LoadError::Manifest { path: path.to_owned(), source })?;
        if !SUPPORTED.contains(&manifest.generation) {
            let theirs = manifest.generation;
            return Err(LoadError::Generation { path: path.to_owned(), theirs });
        }
        Ok(Self { path: path.to_owned(), manifest })
    }

    /// Opens the library, whose code runs from now on, and checks that what crosses is laid out
    /// alike on both sides.
    ///
    /// # Errors
    ///
    /// If others could change the file, the system cannot open it, or the layouts differ.
    pub(crate) fn open(&self) -> Result<Root, LoadError> {
        let path = || self.path.clone();
        trust::check(&self.path).map_err(|why| LoadError::Untrusted { path: path(), why })?;
        let refused = |error: libloading::Error| {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            LoadError::NotAModule { path: path(), why: format!("{error}{cause}") }
        };
        // SAFETY: opening runs the library's initialisers. That is what a module is for, and the
        // checks above say that nobody but this daemon's user and root has put it there.
        let opened = unsafe { Opened::open(Some(&self.path), RTLD_NOW | RTLD_LOCAL) };
        let opened = opened.map_err(refused)?;
        // SAFETY: the symbol is abi_stable's, which names it after its own version; it is a
        // header whose first words tell whether the rest can be believed, which `upgrade` checks.
        let header =
            unsafe { opened.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
        let header = *header.map_err(refused)?;
        let layout = |why: String| LoadError::Layout {
            path: path(),
            generation: self.manifest.generation,
            why: first_words(&why),
        };
        let header = header.upgrade().map_err(|error| layout(error.to_string()))?;
        let root = Root::check(header, self.manifest.generation)
            .map_err(|error| layout(error.to_string()))?;
        // What was handed out refers to the library: it stays for good.
        std::mem::forget(opened);
        Ok(root)
    }
}

/// The reason without the pages of layouts that follow it.
fn first_words(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.take(3).collect::<Vec<_>>().join(" ")
}
