//! What is to be fetched, from where, and what it is called in the sandbox.

use std::path::{Component, Path, PathBuf};

use super::http::Url;

/// One URI of a CommandInfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// The URI, or an absolute path.
    pub value: String,
    /// Whether it is made executable; then it is not extracted.
    pub executable: bool,
    /// Whether an archive is extracted.
    pub extract: bool,
    /// What it is called in the sandbox, instead of the last part of the URI.
    pub output_file: Option<String>,
}

impl Uri {
    /// A URI with Mesos's defaults.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), executable: false, extract: true, output_file: None }
    }

    /// Where it is and what it is to be called.
    pub(super) fn source(&self) -> Result<Source, String> {
        Ok(Source { place: place(&self.value)?, name: self.name()? })
    }

    fn name(&self) -> Result<PathBuf, String> {
        let name = match &self.output_file {
            Some(name) => name.as_str(),
            None => self.value.rsplit('/').next().unwrap_or_default(),
        };
        let path = Path::new(name);
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !plain {
            let from = if self.output_file.is_some() { "output_file" } else { "its last part" };
            return Err(format!("{from}, '{name}', is no name for a file in the sandbox"));
        }
        Ok(path.to_owned())
    }
}

/// Where something is and what it is to be called.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) place: Place,
    pub(super) name: PathBuf,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Local(PathBuf),
    Http(Url),
}

fn place(value: &str) -> Result<Place, String> {
    let Some((scheme, rest)) = value.split_once("://") else {
        return match value.strip_prefix("file:").unwrap_or(value) {
            path if path.starts_with('/') => Ok(Place::Local(path.into())),
            _ => {
                Err("a path must be absolute, and a URI needs a scheme such as file://".to_owned())
            }
        };
    };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            if path.starts_with('/') {
                Ok(Place::Local(path.into()))
            } else {
                Err("a file:// URI needs an absolute path, as in file:///path".to_owned())
            }
        }
        "http" | "https" => Url::parse(value).map(Place::Http),
        other => {
            Err(format!("this agent fetches file://, http:// and https:// only, not {other}://"))
        }
    }
}
