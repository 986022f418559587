//! Where an actor of libprocess is reached: `master@10.0.0.1:5050`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

/// An actor's id and the address it listens on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid {
    /// The actor, such as `slave(1)`.
    pub id: Arc<str>,
    /// Where it can be dialled.
    pub address: SocketAddr,
}

/// Why a text is no pid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a libprocess address such as master@10.0.0.1:5050")]
pub struct PidError(String);

impl Pid {
    /// The actor `id` at `address`.
    pub fn new(id: impl Into<Arc<str>>, address: SocketAddr) -> Self {
        Self { id: id.into(), address }
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.address)
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Pid {
    type Err = PidError;

    fn from_str(text: &str) -> Result<Self, PidError> {
        let wrong = || PidError(text.to_owned());
        let (id, address) = text.rsplit_once('@').ok_or_else(wrong)?;
        let address = address.parse().map_err(|_| wrong())?;
        Ok(Self { id: id.into(), address })
    }
}
