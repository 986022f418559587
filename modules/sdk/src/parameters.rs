//! What a module was configured with.

use std::time::Duration;

use reeve_module_api::v2::{Parameter, ParameterValue};

/// A module's parameters. Each has the type that the manifest declares; asking for another type,
/// or for a name that the manifest does not have, gives `None`, as does a parameter without a
/// default that nobody set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(Vec<Parameter>);

impl Parameters {
    /// From what the host hands over.
    pub fn new(all: impl IntoIterator<Item = Parameter>) -> Self {
        Self(all.into_iter().collect())
    }

    fn value(&self, name: &str) -> Option<&ParameterValue> {
        self.0.iter().find(|one| one.name == name).map(|one| &one.value)
    }

    /// A `text`, or one of several alternatives.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            ParameterValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An `integer`, or the bytes of a `size`.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            ParameterValue::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// A `number`.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.value(name)? {
            ParameterValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A `switch`; one that is not there is off.
    pub fn switch(&self, name: &str) -> bool {
        matches!(self.value(name), Some(ParameterValue::Switch(true)))
    }

    /// A `duration`.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        match self.value(name)? {
            ParameterValue::Duration(nanoseconds) => Some(Duration::from_nanos(*nanoseconds)),
            _ => None,
        }
    }

    /// A `list`; one that is not there is empty.
    pub fn list(&self, name: &str) -> Vec<&str> {
        match self.value(name) {
            Some(ParameterValue::List(texts)) => texts.iter().map(|text| text.as_str()).collect(),
            _ => Vec::new(),
        }
    }
}
