//! Files of principals and their secrets, in Mesos's form.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Deserialize;

/// A principal and its secret.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Credential {
    /// The name.
    pub principal: String,
    /// What proves it.
    pub secret: String,
}

/// Secrets by the names of principals.
#[derive(Clone, Default)]
pub struct Credentials {
    secrets: BTreeMap<String, String>,
}

/// Why a file of credentials can't be used. Secrets are never quoted.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    File(#[from] std::io::Error),
    /// It is not in Mesos's form.
    #[error("line {line}, column {column}: not of the form {form}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// The column.
        column: usize,
        /// What it should look like.
        form: &'static str,
    },
    /// A principal is there twice.
    #[error("the principal '{0}' is there twice")]
    Twice(String),
}

const ONE: &str = r#"{"principal": "…", "secret": "…"}"#;
const MANY: &str = r#"{"credentials": [{"principal": "…", "secret": "…"}]}"#;

impl Credential {
    /// Reads the file of one credential; `file://` may stand before its path.
    ///
    /// # Errors
    ///
    /// If it can't be read, or is not in Mesos's form.
    pub fn read(path: &str) -> Result<Self, Unreadable> {
        serde_json::from_str(&text(path)?).map_err(|error| form(&error, ONE))
    }
}

impl Credentials {
    /// Reads the file of many; `file://` may stand before its path.
    ///
    /// # Errors
    ///
    /// If it can't be read, or is not in Mesos's form.
    pub fn read(path: &str) -> Result<Self, Unreadable> {
        Self::parse(&text(path)?)
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    ///
    /// If it is not in Mesos's form.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct File {
            credentials: Vec<Credential>,
        }
        let file: File = serde_json::from_str(text).map_err(|error| form(&error, MANY))?;
        let mut secrets = BTreeMap::new();
        for Credential { principal, secret } in file.credentials {
            if secrets.insert(principal.clone(), secret).is_some() {
                return Err(Unreadable::Twice(principal));
            }
        }
        Ok(Self { secrets })
    }

    /// The secret of a principal.
    pub(crate) fn secret(&self, principal: &str) -> Option<&str> {
        self.secrets.get(principal).map(String::as_str)
    }
}

/// The file's text. One that others than its owner may read is warned of.
fn text(path: &str) -> Result<String, Unreadable> {
    let path = Path::new(path.strip_prefix("file://").unwrap_or(path));
    let text = std::fs::read_to_string(path)?;
    if let Ok(metadata) = std::fs::metadata(path)
        && metadata.mode() & 0o077 != 0
    {
        let mode = metadata.mode() & 0o7777;
        tracing::warn!(
            "{path} has mode {mode:o}: others than its owner may read or write the secrets in it \
             (chmod 600 {path})",
            path = path.display()
        );
    }
    Ok(text)
}

/// The words of the parser may quote what it met, which may be a secret.
fn form(error: &serde_json::Error, form: &'static str) -> Unreadable {
    Unreadable::Form { line: error.line(), column: error.column(), form }
}

/// Names alone: what is logged must not hold secrets.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credential").field(&self.principal).finish()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credentials").field(&self.secrets.keys().collect::<Vec<_>>()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_and_of_many_are_read() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("credential.json");
        std::fs::write(&path, r#"{"principal": "tim", "secret": "s3"}"#).unwrap();
        let path = format!("file://{}", path.display());
        let one = Credential::read(&path).unwrap();
        assert_eq!((one.principal.as_str(), one.secret.as_str()), ("tim", "s3"));
        assert!(matches!(Credentials::read(&path), Err(Unreadable::Form { line: 1, .. })));
        let many = r#"{"credentials": [{"principal": "a", "secret": "1"},
                                       {"principal": "b", "secret": "2"}]}"#;
        assert_eq!(Credentials::parse(many).unwrap().secret("b"), Some("2"));
    }

    #[test]
    fn errors_and_debug_output_hold_no_secret() {
        let twice = r#"{"credentials": [{"principal": "a", "secret": "hunter2"},
                                        {"principal": "a", "secret": "hunter2"}]}"#;
        let wrong = r#"{"credentials": [{"principal": "a", "secret": {"hunter2": 1}}]}"#;
        for text in [twice, wrong] {
            let error = Credentials::parse(text).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let one = Credential { principal: "a".to_owned(), secret: "hunter2".to_owned() };
        assert_eq!(format!("{one:?}"), "Credential(\"a\")");
    }
}
