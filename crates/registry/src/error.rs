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
        "the registry {} is damaged or not a registry: {why}; 'reeve registry fsck' tells what of it \
         is whole, and can keep that; or move it away, and bring a copy back with 'reeve registry \
         import', or begin with an empty one (agents then register anew)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// A record is not what was written.
    #[error(
        "the record {key} of the registry {} is damaged: its checksum is wrong; 'reeve registry \
         fsck' lists all that are, and can keep the rest; or move the file away, and bring a copy \
         back with 'reeve registry import'",
        path.display()
    )]
    Record {
        /// The file.
        path: PathBuf,
        /// The key of the record, which may be what is damaged.
        key: String,
    },
    /// The file was written by a version that this one does not go on from.
    #[error(
        "the registry {} has format {found}, which no release ever wrote, and this version knows \
         {known}: export it with the version that wrote it, move it away and import what was \
         exported, or begin with an empty one (agents then register anew)",
        path.display()
    )]
    Old {
        /// The file.
        path: PathBuf,
        /// The format it has.
        found: u32,
        /// The oldest format we know.
        known: u32,
    },
    /// The file was written by a newer version.
    #[error(
        "the registry {place} has format {found}, this version knows {known}; run the version that \
         wrote it, or a newer one"
    )]
    Format {
        /// The file, or the path in ZooKeeper.
        place: String,
        /// The format it has.
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
    /// No session of ZooKeeper.
    #[error(transparent)]
    Connect(#[from] reeve_zookeeper::Error),
    /// There is no registry at this place of ZooKeeper.
    #[error("there is no registry of Reeve at {place}")]
    Absent {
        /// The URL, its password hidden.
        place: String,
    },
    /// ZooKeeper's access rules keep us out.
    #[error(
        "the access rules of ZooKeeper forbid to {doing} the registry at {place}: give the user who \
         made it, as in zk://user:password@host:2181/path, or change them with setAcl -R"
    )]
    Forbidden {
        /// `read` or `write`.
        doing: &'static str,
        /// The URL, its password hidden.
        place: String,
    },
    /// Another master opened the registry after us.
    #[error("another master has taken over the registry at {place}; this one writes no more")]
    Deposed {
        /// The URL, its password hidden.
        place: String,
    },
    /// Leadership ended while ZooKeeper did not answer.
    #[error("leadership ended before the registry was written")]
    LeaseLost,
    /// Somebody changed records by hand.
    #[error(
        "the registry at {place} was changed by something that does not lead ({why}); the next \
         leader reads it again"
    )]
    Changed {
        /// The URL, its password hidden.
        place: String,
        /// What was found.
        why: String,
    },
    /// Writes that belong together are too large for ZooKeeper.
    #[error(
        "a change of the registry takes {bytes} bytes, and ZooKeeper allows 1 MB at a time: make it \
         smaller, for example fewer machines in one schedule"
    )]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// ZooKeeper refuses, or did not answer for the length of a session.
    #[error("ZooKeeper did not carry out a request for the registry at {place}")]
    ZooKeeper {
        /// The URL, its password hidden.
        place: String,
        /// What the client says.
        source: reeve_zookeeper::client::Error,
    },
}
