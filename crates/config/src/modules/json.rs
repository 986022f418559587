//! Mesos's form of what modules are given (MOD-1):
//! `{"libraries":[{"file":"/x/libfoo.so","modules":[{"name":"n","parameters":[{"key":"k","value":"v"}]}]}]}`.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use super::{Given, Module, Modules, Parameter};
use crate::file::position;
use crate::{Error, Origin};

// Values stay raw where their place in the text is wanted.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(borrow)]
    libraries: Vec<Library<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Library<'a> {
    #[serde(borrow)]
    file: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    modules: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, default)]
    parameters: Vec<Pair<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair<'a> {
    #[serde(borrow)]
    key: &'a RawValue,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Reads the form; places are counted from `origin` where it is a file.
pub(super) fn read(text: &str, origin: &Origin) -> Result<Modules, Error> {
    let source = Source { text, origin };
    let document: Document<'_> =
        serde_json::from_str(text).map_err(|error| source.syntax(&error))?;
    let mut modules = Modules::default();
    for library in document.libraries {
        let file = source.library(&library)?;
        for entry in library.modules {
            let name = source.text(entry.name)?;
            if modules.0.contains_key(&name) {
                let why = "is named twice".to_owned();
                return Err(source.error(entry.name, format!("modules.{name}"), why));
            }
            let origin = source.place(library.file.or(library.name).unwrap_or(entry.name));
            let mut module = Module { library: file.clone(), ..Module::named(origin) };
            for pair in entry.parameters {
                source.parameter(&name, &pair, &mut module)?;
            }
            modules.0.insert(name, module);
        }
    }
    Ok(modules)
}

/// The text that is read, for places.
struct Source<'a> {
    text: &'a str,
    origin: &'a Origin,
}

impl Source<'_> {
    /// Where a part of the text is.
    fn place(&self, part: &RawValue) -> Origin {
        let offset = part.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let (line, column) = position(self.text, offset);
        self.at(line, column)
    }

    fn at(&self, line: usize, column: usize) -> Origin {
        match self.origin {
            Origin::File(path, ..) => Origin::File(path.clone(), line, column),
            other => other.clone(),
        }
    }

    fn syntax(&self, error: &serde_json::Error) -> Error {
        let (line, column) = (error.line(), error.column());
        let mut why = error.to_string();
        if matches!(self.origin, Origin::File(..)) {
            let place = format!(" at line {line} column {column}");
            why = why.strip_suffix(&place).unwrap_or(&why).to_owned();
        }
        Error::Modules { origin: self.at(line, column), key: "modules".to_owned(), why }
    }

    fn error(&self, part: &RawValue, key: String, why: String) -> Error {
        Error::Modules { origin: self.place(part), key, why }
    }

    fn text(&self, part: &RawValue) -> Result<String, Error> {
        serde_json::from_str(part.get()).map_err(|_| {
            let why = format!("a text is needed, not {}", part.get());
            self.error(part, "modules".to_owned(), why)
        })
    }

    fn library(&self, library: &Library<'_>) -> Result<Option<PathBuf>, Error> {
        match (library.file, library.name) {
            (Some(file), None) => self.text(file).map(|file| Some(PathBuf::from(file))),
            (None, Some(name)) => {
                self.text(name).map(|name| Some(PathBuf::from(format!("lib{name}.so"))))
            }
            (None, None) => Ok(None),
            (Some(_), Some(name)) => {
                let why = "a library has a file or a name, not both".to_owned();
                Err(self.error(name, "modules".to_owned(), why))
            }
        }
    }

    /// Adds a parameter; a key that comes again makes a list, as modules of Mesos may expect.
    fn parameter(
        &self,
        module_name: &str,
        pair: &Pair<'_>,
        module: &mut Module,
    ) -> Result<(), Error> {
        let key = self.text(pair.key)?;
        let given =
            serde_json::from_str(pair.value.get()).ok().and_then(given).ok_or_else(|| {
                let why = format!(
                    "must be a text, a number, true or false, or a list of these, not {}",
                    pair.value.get()
                );
                self.error(pair.value, format!("modules.{module_name}.{key}"), why)
            })?;
        let origin = self.place(pair.value);
        let parameter = match module.parameters.remove(&key) {
            Some(first) => {
                let texts = [first.given, given].into_iter().flat_map(texts).collect();
                Parameter { given: Given::Many(texts), origin: first.origin }
            }
            None => Parameter { given, origin },
        };
        module.parameters.insert(key, parameter);
        Ok(())
    }
}

fn texts(given: Given) -> Vec<String> {
    match given {
        Given::One(text) => vec![text],
        Given::Many(texts) => texts,
    }
}

fn given(value: Json) -> Option<Given> {
    match value {
        Json::Array(elements) => {
            elements.into_iter().map(scalar).collect::<Option<_>>().map(Given::Many)
        }
        value => scalar(value).map(Given::One),
    }
}

fn scalar(value: Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Writes the form; [`read`] reads it again.
pub(super) fn show(modules: &Modules) -> String {
    let library = |(name, module): (&str, &Module)| {
        let parameters: Vec<Json> = module.parameters.iter().map(pair).collect();
        let modules = json!([{ "name": name, "parameters": parameters }]);
        match &module.library {
            Some(file) => json!({ "file": file.to_string_lossy(), "modules": modules }),
            None => json!({ "modules": modules }),
        }
    };
    json!({ "libraries": modules.iter().map(library).collect::<Vec<_>>() }).to_string()
}

fn pair((key, parameter): (&String, &Parameter)) -> Json {
    match &parameter.given {
        Given::One(text) => json!({ "key": key, "value": text }),
        Given::Many(texts) => json!({ "key": key, "value": texts }),
    }
}
