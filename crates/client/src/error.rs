//! What can go wrong between a client and a master.

use reeve_transport::client::ClientError;

/// A call or a stream failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text names no master.
    #[error("'{text}' names no master: {why}")]
    Address {
        /// The text.
        text: String,
        /// What is wrong and what would do.
        why: String,
    },
    /// ZooKeeper knows of no master that leads, or does not answer.
    #[error(transparent)]
    NotFound(#[from] reeve_election::NotFound),
    /// Nobody answers.
    #[error("no master answers at {address}")]
    Unreachable {
        /// Where.
        address: String,
        /// What happened.
        #[source]
        source: ClientError,
    },
    /// The master refused.
    #[error("the master at {address} refused {what}: {status}{}", text_after(.text))]
    Refused {
        /// Where.
        address: String,
        /// The call.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// Its words.
        text: String,
    },
    /// What came is not what the API says.
    #[error("the answer of {address} to {what} can't be read: {why}")]
    Answer {
        /// Where.
        address: String,
        /// The call.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The event stream broke.
    #[error("the event stream of {address} broke")]
    Broken {
        /// Where.
        address: String,
        /// What happened.
        #[source]
        source: ClientError,
    },
}

fn text_after(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(", {}", text.trim()) }
}
