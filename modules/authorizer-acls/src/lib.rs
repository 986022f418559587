//! The `acls` authorizer: Apache Mesos's lists of access rules (SEC-3).
//!
//! - `actions`: what can be done, and what it is done to.
//! - `rules`: one rule, and whether it speaks of a question.
//! - `read`: from JSON to rules.

#![forbid(unsafe_code)]

mod actions;
mod read;
mod rules;

use std::collections::BTreeMap;

use reeve_module_sdk::authenticator::Principal;
use reeve_module_sdk::authorizer::{Authorizer, Object};
use reeve_module_sdk::{Failed, Module, Parameters};

use actions::Action;
use rules::Rule;

/// The authorizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acls {
    /// What holds where no rule speaks.
    permissive: bool,
    rules: BTreeMap<&'static str, (&'static Action, Vec<Rule>)>,
}

impl Acls {
    /// Reads rules: JSON in Mesos's form.
    ///
    /// # Errors
    ///
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        read::acls(text)
    }

    /// Whether the principal may do this to that. The first rule that speaks of both decides.
    fn permits(&self, principal: Option<&str>, action: &str, object: &Object) -> bool {
        let Some((action, rules)) = self.rules.get(action) else { return self.permissive };
        let fact = object.get(action.fact);
        let mut answers = rules.iter().filter_map(|rule| rule.answer(principal, fact));
        answers.next().unwrap_or(self.permissive)
    }
}

impl Module for Acls {
    fn create(parameters: &Parameters) -> Result<Self, Failed> {
        let given = parameters.text("acls").ok_or_else(|| {
            Failed::new("no rules are given: set `acls`, or [modules.acls] acls = \"…\"")
        })?;
        let path = given.strip_prefix("file://").or(given.starts_with('/').then_some(given));
        let Some(path) = path else {
            return Self::parse(given).map_err(|why| Failed::new(format!("acls: {why}")));
        };
        let failed = |why: String| Failed::new(format!("acls {path}: {why}"));
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        Self::parse(&text).map_err(failed)
    }
}

reeve_module_sdk::module! {
    authorizer: Acls,
    name: "acls",
    author: "The Reeve authors",
    description: "Mesos's lists of access rules",
    parameters: [
        ("acls", "text", "The rules: JSON in Mesos's form, or the path of a file with it."),
    ],
}

impl Authorizer for Acls {
    fn permits(
        &self,
        principal: Option<&Principal>,
        action: &str,
        objects: &[Object],
    ) -> Result<Vec<bool>, Failed> {
        let name = principal.and_then(|one| one.name.as_ref().into_option());
        let name = name.map(|name| name.as_str());
        Ok(objects.iter().map(|object| self.permits(name, action, object)).collect())
    }
}

#[cfg(test)]
mod tests;
