//! Settings in TOML files.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::nearest::nearest;
use crate::{Error, Origin, Settings, Shape, Spec, Values, modules};

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
    files.extend(ending(Path::new(&folder), "toml").unwrap_or_default());
    files
}

/// The files of `--modules_dir` that say, in Mesos's form, what modules are given.
pub(crate) fn manifests(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    ending(folder, "json").map_err(|source| Error::Unreadable { path: folder.into(), source })
}

/// The files of a directory with that ending, in the order of their names.
fn ending(folder: &Path, ending: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Copies what a file gives, and tells everything that is wrong with it.
pub(crate) fn collect<S: Settings>(path: &Path, values: &mut Values) -> Vec<Error> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(source) => return vec![Error::Unreadable { path: path.to_path_buf(), source }],
    };
    let source = Source { path, text: &text };
    let table = match DeTable::parse(&text) {
        Ok(table) => table,
        Err(error) => {
            let origin = source.place(error.span().map_or(0, |span| span.start));
            return vec![Error::Syntax { origin, message: error.message().to_owned() }];
        }
    };
    let take = |(key, value)| take::<S>(&source, key, value, values).err();
    in_order(table.get_ref()).into_iter().filter_map(take).collect()
}

/// Copies what one key gives.
fn take<S: Settings>(
    source: &Source<'_>,
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    values: &mut Values,
) -> Result<(), Error> {
    let (origin, name) = (source.place(key.span().start), key.get_ref());
    let Some(spec) = S::SPECS.iter().find(|spec| spec.is_called(name)) else {
        let nearest = nearest(name, S::SPECS.iter().map(|spec| spec.name));
        return Err(Error::Unknown { origin, key: name.to_string(), nearest });
    };
    let wrong = |found| Error::WrongType {
        origin: origin.clone(),
        key: spec.name.to_owned(),
        wanted: spec.wanted,
        found,
    };
    if spec.shape == Shape::Modules {
        let tables = value.get_ref().as_table().ok_or_else(|| wrong(kind(value.get_ref())))?;
        values.merge_modules(modules::tables(source, tables)?);
    } else {
        values.set(spec.name, text_of(spec, value).map_err(wrong)?, origin);
    }
    Ok(())
}

/// The keys of a table as they stand in the file, so that its first mistake is told first.
pub(crate) fn in_order<'a, 'i>(
    table: &'a DeTable<'i>,
) -> Vec<(&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>)> {
    let mut keys: Vec<_> = table.iter().collect();
    keys.sort_by_key(|(key, _)| key.span().start);
    keys
}

/// A file that is read, for places.
pub(crate) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    /// Where a byte is.
    pub(crate) fn place(&self, offset: usize) -> Origin {
        let (line, column) = position(self.text, offset);
        Origin::File(self.path.to_path_buf(), line, column)
    }
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

pub(crate) fn scalar(value: &DeValue<'_>) -> Result<String, &'static str> {
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

pub(crate) fn kind(value: &DeValue<'_>) -> &'static str {
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
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}
