//! The file of credentials, and whether a name and a secret are in it.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use reeve_module_sdk::Failed;
use serde::Deserialize;
use subtle::ConstantTimeEq;

/// Secrets by the names of principals.
#[derive(Default)]
pub struct Credentials {
    secrets: BTreeMap<String, String>,
}

/// The file.
#[derive(Deserialize)]
struct File {
    credentials: Vec<Credential>,
}

#[derive(Deserialize)]
struct Credential {
    principal: String,
    secret: String,
}

impl Credentials {
    /// Reads the file. One that others than its owner may read is warned of.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not in Mesos's form; a secret is never quoted.
    pub fn read(path: &Path) -> Result<Self, Failed> {
        let failed = |why: String| Failed::new(format!("credentials {}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        if let Ok(metadata) = std::fs::metadata(path)
            && metadata.mode() & 0o077 != 0
        {
            let mode = metadata.mode() & 0o7777;
            tracing::warn!(
                "credentials {path} have mode {mode:o}: others than their owner may read or write \
                 them (chmod 600 {path})",
                path = path.display()
            );
        }
        Self::parse(&text).map_err(failed)
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    ///
    /// Where and why it is not in Mesos's form; a secret is never quoted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| {
            // The words of the parser may quote what it met, which may be a secret.
            format!(
                "line {}, column {}: not of the form {{\"credentials\": [{{\"principal\": \"…\", \
                 \"secret\": \"…\"}}]}}",
                error.line(),
                error.column()
            )
        })?;
        let mut secrets = BTreeMap::new();
        for Credential { principal, secret } in file.credentials {
            if principal.is_empty() || principal.contains(':') {
                return Err(format!(
                    "the principal '{principal}' cannot be sent by HTTP Basic: it may neither be \
                     empty nor contain a colon"
                ));
            }
            if secrets.contains_key(&principal) {
                return Err(format!("the principal '{principal}' is there twice"));
            }
            secrets.insert(principal, secret);
        }
        Ok(Self { secrets })
    }

    /// Whether this is the principal's secret. How long the answer takes tells nothing of the
    /// secret but its length; names are no secrets.
    pub fn hold(&self, principal: &str, secret: &str) -> bool {
        let is = |known: &String| known.as_bytes().ct_eq(secret.as_bytes()).into();
        self.secrets.get(principal).is_some_and(is)
    }
}

/// Names alone: what is logged must not hold secrets.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credentials").field(&self.secrets.keys().collect::<Vec<_>>()).finish()
    }
}
