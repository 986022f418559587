//! The `basic` authenticator: HTTP Basic (RFC 7617) against a file of credentials in the form of
//! Apache Mesos.
//!
//! - `credentials`: the file, and whether a name and a secret are in it.
//! - `header`: what the header `Authorization` says.

#![forbid(unsafe_code)]

mod credentials;
mod header;

use std::path::Path;

use reeve_module_sdk::authenticator::{Authenticator, Principal, Request, Verdict};
use reeve_module_sdk::{Failed, Module, Parameters};

pub use credentials::Credentials;

/// The authenticator.
#[derive(Debug)]
pub struct Basic {
    credentials: Credentials,
}

impl Basic {
    /// Knows these.
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials }
    }
}

impl Module for Basic {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let path = parameters.text("credentials").ok_or_else(|| {
            Failed::new(
                "no file of credentials is named: set `credentials` of a master, \
                 `http_credentials` of an agent, or [modules.basic] credentials = \"…\"",
            )
        })?;
        Ok(Self::new(Credentials::read(Path::new(path.strip_prefix("file://").unwrap_or(path)))?))
    }
}

reeve_module_sdk::module! {
    authenticator: Basic,
    name: "basic",
    author: "The Reeve authors",
    description: "HTTP Basic against a file of credentials in Mesos's form",
    parameters: [
        ("credentials", "text", "The file: JSON such as {\"credentials\": [{\"principal\": …, \"secret\": …}]}."),
    ],
}

impl Authenticator for Basic {
    fn authenticate(&self, request: &Request) -> Result<Verdict, Failed> {
        let sent = request.authorization.as_ref().into_option().and_then(|text| header::read(text));
        match sent.filter(|sent| self.credentials.hold(&sent.principal, &sent.secret)) {
            Some(sent) => Ok(Verdict::Known(Principal {
                name: Some(sent.principal.into()).into(),
                ..Principal::default()
            })),
            None => {
                let challenge = format!("Basic realm=\"{}\"", request.realm);
                Ok(Verdict::Unknown { challenge: challenge.into() })
            }
        }
    }
}

#[cfg(test)]
mod tests;
