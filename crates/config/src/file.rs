//! Settings in TOML files.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;
use crate::{Error, Origin, Settings, Shape, Spec, Values};

/// The files of a daemon: `explicit`, or `/etc/reeve/<daemon>.toml` if there is one; then
/// the `*.toml` files of the directory of that name with `.d`, in the order of their names.
/// What package managers and editors leave beside them (`.dpkg-*`, `.rpm*`, `~`) ends
/// otherwise and is not read.
pub fn config_files(daemon: &str, explicit: Option<&Path>) -> Vec<PathBuf> {
    let main = explicit
        .map_or_else(|| Path::new("/etc/reeve").join(format!("{daemon}.toml")), Path::to_path_buf);
    let mut folder = main.clone().into_os_string();
    folder.push(".d");
    let mut files = Vec::new();
    if explicit.is_some() || main.exists() {
        files.push(main);
    }
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut parts: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    parts.sort();
    files.extend(parts);
    files
}

/// Copies what a file gives.
pub(crate) fn collect<S: Settings>(path: &Path, values: &mut Values) -> Result<(), Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Unreadable { path: path.to_path_buf(), source })?;
    let place = |offset: usize| {
        let (line, column) = position(&text, offset);
        Origin::File(path.to_path_buf(), line, column)
    };
    let table = DeTable::parse(&text).map_err(|error| Error::Syntax {
        origin: place(error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let mut keys: Vec<_> = table.get_ref().iter().collect();
    keys.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in keys {
        let origin = place(key.span().start);
        let name: &str = key.get_ref();
        let Some(spec) = S::SPECS.iter().find(|spec| spec.is_called(name)) else {
            let nearest = nearest(name, S::SPECS.iter().map(|spec| spec.name));
            return Err(Error::Unknown { origin, key: name.to_owned(), nearest });
        };
        let text = text_of(spec, value).map_err(|found| Error::WrongType {
            origin: origin.clone(),
            key: spec.name,
            wanted: spec.wanted,
            found,
        })?;
        values.set(spec.name, text, origin);
    }
    Ok(())
}

/// The value as text, or what it is if the setting cannot take that.
fn text_of(spec: &Spec, value: &Spanned<DeValue<'_>>) -> Result<String, &'static str> {
    match (spec.shape, value.get_ref()) {
        (Shape::List, DeValue::Array(elements)) => {
            let texts: Result<Vec<String>, _> =
                elements.iter().map(|element| scalar(element.get_ref())).collect();
            Ok(texts?.join(","))
        }
        (Shape::Switch, value @ DeValue::Boolean(_))
        | (Shape::Number, value @ (DeValue::Integer(_) | DeValue::Float(_)))
        | (Shape::Text | Shape::List, value @ DeValue::String(_)) => scalar(value),
        (_, value) => Err(kind(value)),
    }
}

fn scalar(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Boolean(flag) => Ok(flag.to_string()),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| "a number that large"),
        other => Err(kind(other)),
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Line and column of a byte, both from 1; columns count characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}
