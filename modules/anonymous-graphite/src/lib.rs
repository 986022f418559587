//! The `graphite` module: sends the metrics of its daemon to Graphite, as lines of plain text
//! over TCP.
//!
//! - `lines`: from metrics to lines.
//! - `sender`: the thread that sends them.

#![forbid(unsafe_code)]

mod lines;
mod sender;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reeve_module_sdk::anonymous::{Anonymous, Figure};
use reeve_module_sdk::{Failed, Module, Parameters};

use sender::Sender;

/// The module.
#[derive(Debug)]
pub struct Graphite {
    prefix: String,
    sender: Sender,
}

impl Graphite {
    /// Sends to that address, `HOST:PORT`; no step of that may take longer than `patience`.
    ///
    /// # Errors
    ///
    /// If the address is none, or the system has no thread left.
    pub fn new(address: &str, prefix: &str, patience: Duration) -> Result<Self, Failed> {
        let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        if port.is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(Failed::new(format!("address '{address}' is not of the form HOST:PORT")));
        }
        let sender = Sender::start(address, patience)
            .map_err(|error| Failed::new(format!("no thread can be started: {error}")))?;
        Ok(Self { prefix: prefix.trim_matches('.').to_owned(), sender })
    }
}

impl Module for Graphite {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let address = parameters.text("address").ok_or_else(|| {
            Failed::new("no address is set: [modules.graphite] address = \"HOST:2003\"")
        })?;
        let prefix = parameters.text("prefix").unwrap_or_default();
        let patience = parameters.duration("timeout").unwrap_or(Duration::from_secs(5));
        Self::new(address, prefix, patience)
    }
}

reeve_module_sdk::module! {
    anonymous: Graphite,
    name: "graphite",
    author: "The Reeve authors",
    description: "Sends the daemon's metrics to Graphite every ten seconds",
    parameters: [
        ("address", "text", "Where Graphite takes lines of plain text: HOST:PORT."),
        ("prefix", "text", "reeve", "What all names begin with; a master and an agent of one host want different ones."),
        ("timeout", "duration", "5secs", "How long connecting and sending may take."),
    ],
}

impl Anonymous for Graphite {
    fn metrics(&self, metrics: &[Figure]) -> Result<(), Failed> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.sender.send(lines::write(&self.prefix, metrics, now.as_secs()));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
