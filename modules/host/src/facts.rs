//! What a daemon tells of the modules that it has loaded (`/modules`).

use reeve_module_api::v2::{Parameter, ParameterValue};
use serde_json::{Value, json};

use crate::{Library, Manifest};

/// What a module is, and how it is set.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Its file and its manifest.
    pub library: Library,
    /// Its parameters, as it was told them.
    pub parameters: Vec<Parameter>,
}

impl Facts {
    /// All of it, with the values of the parameters.
    pub fn json(&self) -> Value {
        let mut json = self.library.manifest.json();
        json["file"] = self.library.path.display().to_string().into();
        for declared in json["parameters"].as_array_mut().into_iter().flatten() {
            let told = self.parameters.iter().find(|one| declared["name"] == one.name.as_str());
            declared["value"] = told.map_or(Value::Null, |one| value(&one.value));
        }
        json
    }
}

impl Manifest {
    /// What a module says of itself.
    pub fn json(&self) -> Value {
        let parameter = |spec: &crate::ParameterSpec| {
            json!({
                "name": spec.name,
                "takes": spec.takes.to_string(),
                "default": spec.default,
                "meaning": spec.meaning,
            })
        };
        json!({
            "name": self.name,
            "kind": self.kind.name(),
            "version": self.version,
            "generation": self.generation,
            "author": self.author,
            "description": self.description,
            "parameters": self.parameters.iter().map(parameter).collect::<Vec<_>>(),
        })
    }
}

fn value(value: &ParameterValue) -> Value {
    match value {
        ParameterValue::Text(text) => text.as_str().into(),
        ParameterValue::Integer(number) => (*number).into(),
        ParameterValue::Number(number) => (*number).into(),
        ParameterValue::Switch(on) => (*on).into(),
        ParameterValue::Duration(nanoseconds) => {
            reeve_config::duration::show(std::time::Duration::from_nanos(*nanoseconds)).into()
        }
        ParameterValue::List(texts) => texts.iter().map(|text| text.as_str()).collect(),
    }
}
