//! The manifest: what a module says of itself, as text that is read without running it.
//!
//! Entries `key=value`, each ended by a NUL byte. `reeve-module` (the form, 1) is the first, then
//! `generation`, `kind`, `name`, `version`, `author`, `description`; then for each parameter
//! `parameter` (its name), `type`, `default` (if it has one) and `meaning`, in this order. Keys
//! that are not known are passed over.

use std::fmt;

use crate::Kind;

/// More than this no manifest has to say.
const LONGEST: usize = 64 * 1024;

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterType {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Switch,
    /// A duration such as `5secs`.
    Duration,
    /// A size such as `64MB`.
    Size,
    /// Several texts.
    List,
    /// One of these words.
    OneOf(Vec<String>),
}

impl ParameterType {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "text" => Self::Text,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "switch" => Self::Switch,
            "duration" => Self::Duration,
            "size" => Self::Size,
            "list" => Self::List,
            alternatives if alternatives.contains('|') => {
                let words = alternatives.split('|').map(|word| word.trim().to_owned());
                let words: Vec<String> = words.collect();
                if words.iter().any(String::is_empty) {
                    return None;
                }
                Self::OneOf(words)
            }
            _ => return None,
        })
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Switch => "true or false",
            Self::Duration => "a duration such as 5secs",
            Self::Size => "a size such as 64MB",
            Self::List => "a list of texts",
            Self::OneOf(words) => return write!(f, "one of {}", words.join(", ")),
        })
    }
}

/// A parameter as the manifest declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub takes: ParameterType,
    /// Its value if nobody sets it, as text.
    pub default: Option<String>,
    /// What it means.
    pub meaning: String,
}

/// What a module says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The generation of the interface that it speaks.
    pub generation: u32,
    /// What it does.
    pub kind: Kind,
    /// Its name in configuration.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Who made it.
    pub author: String,
    /// What it is for.
    pub description: String,
    /// What it can be told.
    pub parameters: Vec<ParameterSpec>,
}

/// A manifest cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is longer than any manifest.
    #[error("its manifest has {0} bytes; the most is {LONGEST}")]
    TooLong(usize),
    /// It is no text.
    #[error("its manifest is not text in UTF-8")]
    NotText,
    /// It begins otherwise.
    #[error("its manifest does not begin with 'reeve-module=1'")]
    NotOurs,
    /// An entry has no `=` or no end.
    #[error("its manifest is cut short or damaged near '{0}'")]
    Damaged(String),
    /// Something must be there and is not.
    #[error("its manifest does not say the {0}")]
    Missing(&'static str),
    /// A value has no sense.
    #[error("its manifest has the {key} '{value}', which is none")]
    Value {
        /// The key.
        key: &'static str,
        /// What it says.
        value: String,
    },
    /// Two parameters have one name.
    #[error("its manifest declares the parameter '{0}' twice")]
    Twice(String),
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let entries = entries(bytes)?;
        let find = |key: &'static str| {
            let mut own = entries.iter().take_while(|(known, _)| *known != "parameter");
            let found = own.find(|(known, _)| *known == key);
            found.map(|(_, value)| *value).ok_or(ManifestError::Missing(key))
        };
        let wrong = |key, value: &str| ManifestError::Value { key, value: value.to_owned() };
        let generation = find("generation")?;
        let kind = find("kind")?;
        let name = find("name")?;
        if !is_name(name) {
            return Err(wrong("name", name));
        }
        Ok(Self {
            generation: generation.parse().map_err(|_| wrong("generation", generation))?,
            kind: Kind::ALL
                .into_iter()
                .find(|known| known.name() == kind)
                .ok_or_else(|| wrong("kind", kind))?,
            name: name.to_owned(),
            version: find("version")?.to_owned(),
            author: find("author")?.to_owned(),
            description: find("description")?.to_owned(),
            parameters: parameters(&entries)?,
        })
    }
}

fn entries(bytes: &[u8]) -> Result<Vec<(&str, &str)>, ManifestError> {
    if bytes.len() > LONGEST {
        return Err(ManifestError::TooLong(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::NotText)?;
    let rest = text.strip_prefix("reeve-module=1\0").ok_or(ManifestError::NotOurs)?;
    let damaged = |entry: &str| ManifestError::Damaged(entry.chars().take(40).collect());
    let mut entries = Vec::new();
    for entry in rest.split_inclusive('\0') {
        let whole = entry.strip_suffix('\0').ok_or_else(|| damaged(entry))?;
        entries.push(whole.split_once('=').ok_or_else(|| damaged(whole))?);
    }
    Ok(entries)
}

fn parameters(entries: &[(&str, &str)]) -> Result<Vec<ParameterSpec>, ManifestError> {
    let starts = entries.iter().enumerate().filter(|(_, (key, _))| *key == "parameter");
    let mut all: Vec<ParameterSpec> = Vec::new();
    for (start, (_, name)) in starts {
        let own = || entries[start + 1..].iter().take_while(|(key, _)| *key != "parameter");
        let find = |key: &str| own().find(|(known, _)| *known == key).map(|(_, value)| *value);
        let takes = find("type").ok_or(ManifestError::Missing("type of a parameter"))?;
        if !is_name(name) {
            return Err(ManifestError::Value { key: "parameter", value: (*name).to_owned() });
        }
        if all.iter().any(|known| known.name == *name) {
            return Err(ManifestError::Twice((*name).to_owned()));
        }
        all.push(ParameterSpec {
            name: (*name).to_owned(),
            takes: ParameterType::parse(takes)
                .ok_or_else(|| ManifestError::Value { key: "type", value: takes.to_owned() })?,
            default: find("default").map(str::to_owned),
            meaning: find("meaning").unwrap_or_default().to_owned(),
        });
    }
    Ok(all)
}

/// Names are words of configuration and of file names.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 100 && text.chars().all(plain) && !text.starts_with('.')
}

#[cfg(test)]
mod tests;
