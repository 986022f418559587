//! Where a master is found: what agents and tools are told with `--master`.

use std::fmt;

use reeve_config::{Shape, Value, hide_password};
use reeve_zookeeper::Url;

/// Where a master is found.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// At an address, `HOST:PORT`, which is not looked at here.
    Address(String),
    /// Through ZooKeeper.
    ZooKeeper(Url),
}

impl Source {
    /// Reads `HOST:PORT`, `zk://…/path` or `file:///path` with one of both.
    ///
    /// # Errors
    ///
    /// What is wrong with the text; never with the password in it.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("file://") {
            let content = std::fs::read_to_string(path)
                .map_err(|error| format!("the file can't be read: {error}"))?;
            if !content.trim().starts_with("zk://") {
                return Self::address(content.trim());
            }
        } else if !Url::is_meant(text) {
            return Self::address(text);
        }
        text.parse().map(Self::ZooKeeper).map_err(|error| format!("it {error}"))
    }

    fn address(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err(format!("it names no master; write {}", Self::WANTED));
        }
        Ok(Self::Address(text.to_owned()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Address(text) => f.write_str(text),
            Source::ZooKeeper(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Value for Source {
    const SHAPE: Shape = Shape::Text;
    const WANTED: &'static str = "HOST:PORT, or zk://10.0.0.1:2181,10.0.0.2:2181/mesos";

    fn parse(text: &str) -> Result<Self, String> {
        Self::read(text)
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn hide(text: &str) -> String {
        hide_password(text)
    }
}
