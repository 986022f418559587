//! The regular expressions of offer constraints, compiled once (FI-4).

use std::collections::BTreeMap;

use reeve_model::{Matcher, OfferConstraints};
use regex::{Regex, RegexBuilder};

/// Compiled expressions are refused beyond this size; Mesos limits RE2 by its own measure
/// (`--offer_constraints_re2_max_mem`).
const SIZE_LIMIT: usize = 1 << 20;

/// The compiled expressions of one framework. What does not compile matches nothing: the master
/// has refused it before.
#[derive(Debug, Default)]
pub(super) struct Expressions(BTreeMap<String, Regex>);

impl Expressions {
    pub(super) fn of(constraints: Option<&OfferConstraints>) -> Self {
        let texts = constraints.into_iter().flat_map(OfferConstraints::expressions);
        let compile = |text: &str| {
            // RE2's FullMatch: the expression covers the whole text.
            let whole = format!("^(?:{text})$");
            let regex = RegexBuilder::new(&whole).size_limit(SIZE_LIMIT).build().ok()?;
            Some((text.to_owned(), regex))
        };
        Self(texts.filter_map(compile).collect())
    }
}

impl Matcher for Expressions {
    fn matches(&self, expression: &str, text: &str) -> bool {
        self.0.get(expression).is_some_and(|regex| regex.is_match(text))
    }
}
