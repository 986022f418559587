//! What the configuration gives a module, held against what its manifest declares.

use std::collections::BTreeMap;

use reeve_config::{Given, Origin, Size, duration, nearest};
use reeve_module_api::v2::{Parameter, ParameterValue};

use crate::{Manifest, ParameterSpec, ParameterType};

/// A parameter is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The module has no such parameter.
    #[error(
        "{origin}: module '{module}' has no parameter '{name}'{}",
        nearest.as_ref().map(|near| format!("; did you mean '{near}'?")).unwrap_or_default()
    )]
    Unknown {
        /// Where it stands.
        origin: Origin,
        /// The module.
        module: String,
        /// What was given.
        name: String,
        /// The nearest name that there is.
        nearest: Option<String>,
    },
    /// The value does not fit.
    #[error("{origin}: parameter '{name}' of module '{module}' takes {takes}, not '{value}'")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The module.
        module: String,
        /// The parameter.
        name: String,
        /// What it takes.
        takes: String,
        /// What was given.
        value: String,
    },
}

/// All parameters of a module that have a value, in the manifest's order.
///
/// # Errors
///
/// The first parameter that the module does not have, or whose value does not fit.
pub fn settle(
    manifest: &Manifest,
    given: Option<&reeve_config::Module>,
) -> Result<Vec<Parameter>, Box<ParameterError>> {
    let nothing = BTreeMap::new();
    let given = given.map_or(&nothing, |given| &given.parameters);
    for (name, parameter) in given {
        if !manifest.parameters.iter().any(|spec| spec.name == *name) {
            let names = manifest.parameters.iter().map(|spec| spec.name.as_str());
            return Err(Box::new(ParameterError::Unknown {
                origin: parameter.origin.clone(),
                module: manifest.name.clone(),
                name: name.clone(),
                nearest: nearest(name, names).map(str::to_owned),
            }));
        }
    }
    let mut all = Vec::new();
    for spec in &manifest.parameters {
        let default = spec.default.clone().map(Given::One);
        let (value, origin) = match (given.get(&spec.name), &default) {
            (Some(own), _) => (&own.given, own.origin.clone()),
            (None, Some(default)) => (default, Origin::Program),
            (None, None) => continue,
        };
        let wrong = || {
            Box::new(ParameterError::Value {
                origin,
                module: manifest.name.clone(),
                name: spec.name.clone(),
                takes: spec.takes.to_string(),
                value: shown(value),
            })
        };
        let value = read(spec, value).ok_or_else(wrong)?;
        all.push(Parameter { name: spec.name.as_str().into(), value });
    }
    Ok(all)
}

fn read(spec: &ParameterSpec, given: &Given) -> Option<ParameterValue> {
    if spec.takes == ParameterType::List {
        let texts = match given {
            Given::Many(texts) => texts.clone(),
            Given::One(text) if text.is_empty() => Vec::new(),
            Given::One(text) => text.split(',').map(|one| one.trim().to_owned()).collect(),
        };
        return Some(ParameterValue::List(texts.into_iter().map(Into::into).collect()));
    }
    let Given::One(text) = given else { return None };
    Some(match &spec.takes {
        ParameterType::Text | ParameterType::List => ParameterValue::Text(text.as_str().into()),
        ParameterType::Integer => ParameterValue::Integer(text.parse().ok()?),
        ParameterType::Number => {
            ParameterValue::Number(text.parse().ok().filter(|number: &f64| number.is_finite())?)
        }
        ParameterType::Switch => ParameterValue::Switch(text.parse().ok()?),
        ParameterType::Duration => {
            ParameterValue::Duration(duration::parse(text).ok()?.as_nanos().try_into().ok()?)
        }
        ParameterType::Size => {
            ParameterValue::Integer(text.parse::<Size>().ok()?.0.try_into().ok()?)
        }
        ParameterType::OneOf(words) => {
            ParameterValue::Text(words.iter().find(|word| *word == text)?.as_str().into())
        }
    })
}

fn shown(given: &Given) -> String {
    match given {
        Given::One(text) => text.clone(),
        Given::Many(texts) => texts.join(","),
    }
}

#[cfg(test)]
mod tests;
