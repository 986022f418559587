//! Whether a module does what its kind must: each call once at the least, against a host that
//! follows a script (`reeve module check`).
//!
//! A module may crash here as anywhere; whoever cares lets a child process do it.

mod allocator;
mod isolator;

use crate::{Created, Library, LoadError, Module};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What a module must do.
    pub rule: String,
    /// What it did instead, if it did not.
    pub broken: Option<String>,
}

/// Loads a module and holds it against the rules of its kind.
///
/// # Errors
///
/// If it cannot be loaded.
pub fn check(
    library: &Library,
    given: Option<&reeve_config::Module>,
) -> Result<Vec<Finding>, LoadError> {
    let Module { works, .. } = library.create(given)?;
    let mut report = Report::default();
    report.says("loads and starts", Ok(()));
    match works {
        Created::Allocator(works) => allocator::check(works, &mut report),
        Created::Isolator(works) => isolator::check(&works, &mut report),
    }
    Ok(report.findings)
}

#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn says(&mut self, rule: &str, outcome: Result<(), String>) {
        self.findings.push(Finding { rule: rule.to_owned(), broken: outcome.err() });
    }
}
