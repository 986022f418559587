//! Apache ZooKeeper as Mesos uses it: where it is, who we are there, and a session.
//!
//! - [`Url`]: `zk://user:password@host:port,host:port/path`, or `file:///path` to a file with one
//! - [`Options`]: how long a session lives without a sign of life, and TLS
//! - [`connect`]: a session whose paths begin at the URL's path, which is made if it is missing
//! - [`acls`]: who may do what with the znodes that we make
//!
//! The client is the crate `zookeeper-client`, given on as [`client`]. A session must have one
//! owner only: two that share its id take it from each other.
//!
//! Does not live here: what is kept in ZooKeeper (elections, the registry).

#![forbid(unsafe_code)]

mod handshake;
mod session;
mod tls;
mod url;

pub use session::{Options, acls, connect};
pub use tls::Tls;
pub use url::{Url, UrlError};

/// The client's own names: znodes, watches, errors.
pub use zookeeper_client as client;
pub use zookeeper_client::Client;

use std::path::PathBuf;

/// A session that can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server of the ensemble let us in.
    #[error("no session could be opened at {url}{}", after(why.as_deref()))]
    Connect {
        /// The URL, its password hidden.
        url: String,
        /// What is wrong with TLS, and what to do.
        why: Option<String>,
        /// What happened last.
        #[source]
        source: client::Error,
    },
    /// The path of the URL is not there and can't be made.
    #[error("the path of {url} could not be made{}", hint(source))]
    Path {
        /// The URL, its password hidden.
        url: String,
        /// What the server says.
        #[source]
        source: client::Error,
    },
    /// A file of certificates or keys can't be used.
    #[error("'{}' can't be used for TLS to ZooKeeper: {why}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

fn after(why: Option<&str>) -> String {
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

fn hint(error: &client::Error) -> &'static str {
    match error {
        client::Error::NoAuth => {
            ": name a user that may write there, as in zk://user:password@host:2181/path"
        }
        _ => "",
    }
}
