//! Where a master is.

use std::fmt;

use crate::error::Error;

/// A master's host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterAddress {
    host: String,
    port: u16,
}

/// Mesos's port of masters.
const PORT: u16 = 5050;

impl MasterAddress {
    /// Reads `HOST`, `HOST:PORT`, `master@HOST:PORT` or `http://HOST:PORT`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Address { text: text.to_owned(), why: why.to_owned() };
        if text.starts_with("zk://") {
            return Err(wrong("finding it through ZooKeeper is not supported yet; name HOST:PORT"));
        }
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
