//! The secret resolver `files`: secrets are files of a directory, as mounted secrets are.
//!
//! The secret `db` is the file `db`; the key `password` of the secret `db` is the file
//! `db/password`. Names lead nowhere but into the directory, also over symbolic links.
//!
//! Lives elsewhere: what is done with a secret (the agent).

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use reeve_module_sdk::secret_resolver::SecretResolver;
use reeve_module_sdk::{Failed, Module, Parameters};

/// No secret is longer; whatever is, is not meant to be one.
const LONGEST: u64 = 1 << 20;

/// The secret resolver.
#[derive(Debug)]
pub struct Files {
    /// Without symbolic links in it.
    directory: PathBuf,
    strip_newline: bool,
}

impl Module for Files {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let given = parameters.text("directory").ok_or_else(|| {
            Failed::new("parameter 'directory' must be set: the directory that holds the secrets")
        })?;
        let unusable =
            |why: &str| Failed::new(format!("parameter 'directory' is '{given}': {why}"));
        let directory =
            Path::new(given).canonicalize().map_err(|error| unusable(&error.to_string()))?;
        let about = directory.metadata().map_err(|error| unusable(&error.to_string()))?;
        if !about.is_dir() {
            return Err(unusable("it is not a directory"));
        }
        if about.permissions().mode() & 0o007 != 0 {
            tracing::warn!("everybody on this host can look into {given}; chmod o-rwx would help");
        }
        Ok(Self { directory, strip_newline: parameters.switch("strip_newline") })
    }
}

reeve_module_sdk::module! {
    secret_resolver: Files,
    name: "files",
    author: "The Reeve authors",
    description: "Secrets are files of a directory: NAME, or NAME/KEY.",
    parameters: [
        ("directory", "text", "The directory that holds the secrets."),
        (
            "strip_newline",
            "switch",
            "true",
            "Whether one newline at the end of a file is not part of the secret."
        ),
    ],
}

impl SecretResolver for Files {
    fn resolve(&self, name: &str, key: &str) -> Result<Vec<u8>, Failed> {
        let relative = relative(name, key)?;
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => {
                Failed::new("there is no such secret")
            }
            _ => Failed::new(format!("its file cannot be read: {error}")),
        };
        let path = self.directory.join(relative).canonicalize().map_err(failed)?;
        if !path.starts_with(&self.directory) {
            return Err(Failed::new("it leads out of the directory of secrets"));
        }
        let mut secret = Vec::new();
        let file = File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(Failed::new("it has several keys, and none is named"));
        }
        file.take(LONGEST + 1).read_to_end(&mut secret).map_err(failed)?;
        if secret.len() as u64 > LONGEST {
            return Err(Failed::new(format!("it is longer than {LONGEST} bytes")));
        }
        if self.strip_newline && secret.last() == Some(&b'\n') {
            secret.pop();
        }
        Ok(secret)
    }
}

/// The path of a secret below the directory.
fn relative(name: &str, key: &str) -> Result<PathBuf, Failed> {
    let plain = |text: &str| {
        let path = Path::new(text);
        let mut parts = path.components();
        !text.contains('\0') && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    if name.is_empty() || !plain(name) || !plain(key) {
        return Err(Failed::new("its name is no plain path"));
    }
    Ok(if key.is_empty() { name.into() } else { Path::new(name).join(key) })
}

#[cfg(test)]
mod tests;
