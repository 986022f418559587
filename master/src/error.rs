//! Why a master does not start, or does not go on.

use std::net::IpAddr;

/// A master that cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot listen.
    #[error("the master cannot listen; choose another --ip or --port, or stop what is there")]
    Bind(#[from] reeve_transport::server::BindError),
    /// The registry cannot be used.
    #[error("the master's registry cannot be used")]
    Registry(#[from] reeve_registry::Error),
    /// A record of the registry does not say what it should.
    #[error(
        "the record {key} of the registry cannot be read: {why}; 'reeve registry fsck' tells more"
    )]
    Record {
        /// Its key.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// A newer version led, and left something that this one would misread (MA-4).
    #[error(
        "the registry asks for the capability {0}, which this version of the master lacks: run \
         the version that led last, or a newer one"
    )]
    Capability(String),
    /// A module cannot be used.
    #[error(transparent)]
    Module(#[from] reeve_module_host::Unusable),
    /// A setting has a value that cannot be used.
    #[error("{key} = {value:?}: {why}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// Where to keep the registry was not said.
    #[error(
        "work_dir is not set: give --work_dir=DIR to keep the registry there, or \
         --registry=in_memory to forget all agents when the master ends"
    )]
    NoWorkDir,
    /// No address can be told to agents.
    #[error(
        "the address {0} means all addresses of this host, and none of them is known: give \
         --advertise_ip"
    )]
    NoAddress(IpAddr),
    /// The system refused a thread.
    #[error("cannot start the thread {name}")]
    Thread {
        /// What it was to do.
        name: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The master could not stay leader.
    #[error("the master steps down: {0}")]
    SteppedDown(String),
}

impl From<reeve_records::Unreadable> for Error {
    fn from(error: reeve_records::Unreadable) -> Self {
        Error::Record { key: error.key, why: error.why }
    }
}
