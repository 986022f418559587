//! Where a master is.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reeve_election::{Detector, Source};
use reeve_model::MasterInfo;
use reeve_zookeeper::Options;

use crate::error::Error;

/// A master's host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterAddress {
    host: String,
    port: u16,
}

/// Mesos's port of masters.
const PORT: u16 = 5050;

/// How long a leader may take to be found; an election takes a session timeout, 10 s by default.
const PATIENCE: Duration = Duration::from_secs(15);

impl MasterAddress {
    /// Finds the master that a text names: one of the forms of [`MasterAddress::parse`], a URL of
    /// ZooKeeper such as `zk://HOST:PORT,HOST:PORT/PATH` for the one that leads now, or
    /// `file:///PATH` to a file with either. `options` tell how ZooKeeper is reached. A framework
    /// whose master is gone asks again.
    ///
    /// # Errors
    ///
    /// If the text names no master, or none leads within 15 s.
    pub async fn find(text: &str, options: Options) -> Result<Self, Error> {
        let source = Source::read(text)
            .map_err(|why| Error::Address { text: reeve_election::hide_password(text), why })?;
        match source {
            Source::Address(address) => Self::parse(&address),
            Source::ZooKeeper(url) => {
                let leader = Detector::find(url, options, PATIENCE).await?;
                Ok(Self::of(&leader))
            }
        }
    }

    /// Where a master says that it is.
    pub fn of(master: &MasterInfo) -> Self {
        let host = match master.ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self { host, port: master.port }
    }

    /// Reads `HOST`, `HOST:PORT`, `master@HOST:PORT` or `http://HOST:PORT`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Address {
            text: reeve_election::hide_password(text),
            why: why.to_owned(),
        };
        let rest = text.trim_start_matches("http://").trim_start_matches("master@");
        let rest = rest.trim_end_matches('/');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse().map_err(|_| wrong("the port must be a number to 65535"))?;
                (host, port)
            }
            None => (rest, PORT),
        };
        if host.is_empty() || host.contains(['/', ' ', '@']) {
            return Err(wrong("expected HOST:PORT"));
        }
        Ok(Self { host: host.to_owned(), port })
    }

    /// The URL of a path of the master, under its actor's name: a master that answers for more
    /// than one actor knows it by that alone.
    pub fn url(&self, path: &str) -> String {
        format!("http://{self}/master{path}")
    }
}

impl fmt::Display for MasterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_form_is_understood() {
        for text in ["h:5050", "h", "master@h:5050", "http://h:5050/"] {
            assert_eq!(MasterAddress::parse(text).expect("an address").to_string(), "h:5050");
        }
        let url = MasterAddress::parse("127.0.1.1:5050").expect("an address").url("/state");
        assert_eq!(url, "http://127.0.1.1:5050/master/state");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for text in ["", ":5050", "h:x", "h:70000", "zk://a:2181/mesos", "a b:1"] {
            let error = MasterAddress::parse(text).expect_err("refused").to_string();
            assert!(error.starts_with(&format!("'{text}' names no master: ")), "{error}");
        }
    }
}
