//! Where ZooKeeper is (ZK-1).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use reeve_config::{Shape, Value, hide_password};

/// ZooKeeper's port for clients.
const PORT: u16 = 2181;

/// An ensemble, a path in it, and perhaps who we are there. Shown without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    servers: Vec<String>,
    path: String,
    credentials: Option<String>,
    file: Option<PathBuf>,
}

/// A text that is no URL of ZooKeeper. It never holds the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is for something else.
    #[error("does not begin with zk:// or file://; {EXAMPLE}")]
    Scheme,
    /// No server.
    #[error("names no server; {EXAMPLE}")]
    NoServer,
    /// One of the servers is not HOST or HOST:PORT.
    #[error("'{0}' is no server, which is HOST or HOST:PORT; {EXAMPLE}")]
    Server(String),
    /// What stands before the `@`.
    #[error("what stands before the @ must be user:password; {EXAMPLE}")]
    Credentials,
    /// The path is missing: the top belongs to all who use the ensemble.
    #[error("has no path of its own; {EXAMPLE}")]
    NoPath,
    /// The path is not one of ZooKeeper's.
    #[error("'{0}' is no path: no part may be empty, '.' or '..'; {EXAMPLE}")]
    Path(String),
    /// The file that holds the URL can't be read.
    #[error("'{}' with the URL can't be read: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the kernel says.
        why: String,
    },
    /// The file holds something else.
    #[error("the text in '{}' {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<UrlError>,
    },
}

const EXAMPLE: &str = "write for example zk://10.0.0.1:2181,10.0.0.2:2181,10.0.0.3:2181/mesos";

impl Url {
    /// Whether a text is meant as one, right or wrong; anything else may be a host.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("zk://") || text.starts_with("file://")
    }

    /// The servers, each with its port.
    pub fn servers(&self) -> &[String] {
        &self.servers
    }

    /// The path; it begins with a slash and does not end with one.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `user:password`, as the scheme `digest` takes it.
    pub fn credentials(&self) -> Option<&str> {
        self.credentials.as_deref()
    }

    fn parse_plain(text: &str) -> Result<Self, UrlError> {
        let rest = text.strip_prefix("zk://").ok_or(UrlError::Scheme)?;
        // A password may hold anything, also a slash, but no host has an @.
        let (credentials, rest) = match rest.rsplit_once('@') {
            None => (None, rest),
            Some((credentials, rest)) => (Some(user_and_password(credentials)?), rest),
        };
        let (servers, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if servers.is_empty() {
            return Err(UrlError::NoServer);
        }
        let servers = servers.split(',').map(server).collect::<Result<_, _>>()?;
        let path = znode(path)?;
        Ok(Self { servers, path, credentials, file: None })
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        let Some(path) = text.strip_prefix("file://") else { return Self::parse_plain(text) };
        let path = PathBuf::from(path);
        let content = std::fs::read_to_string(&path)
            .map_err(|error| UrlError::File { path: path.clone(), why: error.to_string() })?;
        match Self::parse_plain(content.trim()) {
            Ok(url) => Ok(Self { file: Some(path), ..url }),
            Err(error) => Err(UrlError::InFile { path, source: Box::new(error) }),
        }
    }
}

fn user_and_password(text: &str) -> Result<String, UrlError> {
    match text.split_once(':') {
        Some((user, password)) if !user.is_empty() && !password.is_empty() => Ok(text.to_owned()),
        _ => Err(UrlError::Credentials),
    }
}

/// `HOST:PORT`, the usual port added.
fn server(text: &str) -> Result<String, UrlError> {
    let wrong = || UrlError::Server(text.to_owned());
    let text = text.trim();
    // The colons of an IPv6 address are inside brackets.
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?)
        }
        _ => (text, PORT),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let odd = |c: char| c.is_whitespace() || (c == ':' && !bracketed);
    if host.is_empty() || host.contains(odd) {
        return Err(wrong());
    }
    Ok(format!("{host}:{port}"))
}

fn znode(text: &str) -> Result<String, UrlError> {
    let path = text.strip_suffix('/').unwrap_or(text);
    let Some(parts) = path.strip_prefix('/') else { return Err(UrlError::NoPath) };
    if parts.split('/').any(|part| ["", ".", ".."].contains(&part)) {
        return Err(UrlError::Path(text.to_owned()));
    }
    Ok(path.to_owned())
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            return write!(f, "file://{}", file.display());
        }
        let whom = match &self.credentials {
            Some(credentials) => format!("{credentials}@"),
            None => String::new(),
        };
        let url = format!("zk://{whom}{}{}", self.servers.join(","), self.path);
        f.write_str(&hide_password(&url))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Value for Url {
    const SHAPE: Shape = Shape::Text;
    const WANTED: &'static str = "a URL of ZooKeeper such as zk://10.0.0.1:2181/mesos";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: UrlError| error.to_string())
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn hide(text: &str) -> String {
        hide_password(text)
    }
}

#[cfg(test)]
mod tests;
