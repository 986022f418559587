//! What can go wrong with the registry's file.

use std::path::PathBuf;

/// A store that cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of the file cannot be made.
    #[error("cannot create the folder {} for the registry", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has it open.
    #[error(
        "the registry {} is in use by another process; is another master running with this \
         work_dir?",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a registry, or not whole.
    #[error(
        "the registry {} is damaged or not a registry: {why}; restore it from a copy, or move \
         it away to start with an empty one (agents then register anew)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The file was written by a newer version.
    #[error(
        "the registry {} has format {found}, this version knows {known}; run the version that \
         wrote it, or a newer one",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The format in the file.
        found: u32,
        /// The newest format we know.
        known: u32,
    },
    /// A transaction failed; nothing of it is kept.
    #[error("cannot write the registry: {why}")]
    Write {
        /// What the store says.
        why: String,
    },
}
