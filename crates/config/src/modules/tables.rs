//! The tables `[modules.NAME]` of a TOML file.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Given, Module, Modules, Parameter};
use crate::file::{Source, in_order, kind, scalar};
use crate::{Error, Origin};

/// What a parameter can be.
const PARAMETER: &str = "a text, a number, true or false, or a list of these";

/// Reads the tables below `modules`.
pub(crate) fn tables(source: &Source<'_>, tables: &DeTable<'_>) -> Result<Modules, Error> {
    let module = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        let (origin, name) = (source.place(key.span().start), key.get_ref().to_string());
        let table = value.get_ref().as_table().ok_or_else(|| Error::WrongType {
            origin: origin.clone(),
            key: format!("modules.{name}"),
            wanted: "a table",
            found: kind(value.get_ref()),
        })?;
        let module = module(source, &name, origin, table)?;
        Ok((name, module))
    };
    in_order(tables).into_iter().map(module).collect()
}

/// Reads one table: `library`, and parameters.
fn module(
    source: &Source<'_>,
    name: &str,
    origin: Origin,
    table: &DeTable<'_>,
) -> Result<Module, Error> {
    let mut module = Module::named(origin);
    for (key, value) in in_order(table) {
        let (origin, value) = (source.place(key.span().start), value.get_ref());
        let wrong = |wanted| Error::WrongType {
            origin: origin.clone(),
            key: format!("modules.{name}.{}", key.get_ref()),
            wanted,
            found: found(value),
        };
        if key.get_ref() == "library" {
            let path = value.as_str().filter(|path| !path.is_empty());
            let path = path.ok_or_else(|| wrong("the path of a file"))?;
            (module.library, module.origin) = (Some(path.into()), origin);
        } else {
            let given = given(value).ok_or_else(|| wrong(PARAMETER))?;
            module.parameters.insert(key.get_ref().to_string(), Parameter { given, origin });
        }
    }
    Ok(module)
}

fn given(value: &DeValue<'_>) -> Option<Given> {
    match value {
        DeValue::Array(elements) => {
            let texts: Option<_> =
                elements.iter().map(|element| scalar(element.get_ref()).ok()).collect();
            texts.map(Given::Many)
        }
        value => scalar(value).ok().map(Given::One),
    }
}

/// What is there instead of what would do.
fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(text) if text.is_empty() => "an empty text",
        DeValue::Array(elements) => elements
            .iter()
            .find_map(|element| scalar(element.get_ref()).err())
            .map_or("a list", |_| "a list that holds other things"),
        value => scalar(value).err().unwrap_or_else(|| kind(value)),
    }
}
