//! Whether a module does what its kind must: each call once at the least, against a host that
//! follows a script (`reeve module check`).
//!
//! A module may crash here as anywhere; whoever cares lets a child process do it.

mod allocator;
mod asked;
mod isolator;

use crate::{Kind, Library, LoadError, Works};

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
    let mut report = Report::default();
    let out = &mut report;
    match library.manifest.kind {
        Kind::Allocator => allocator::check(start(library, given, out)?, out),
        Kind::Isolator => isolator::check(&start(library, given, out)?, out),
        Kind::Hook => asked::hook(&start(library, given, out)?, out),
        Kind::ContainerLogger => asked::container_logger(&start(library, given, out)?, out),
        Kind::ResourceEstimator => asked::resource_estimator(&start(library, given, out)?, out),
        Kind::QosController => asked::qos_controller(&start(library, given, out)?, out),
        Kind::Authenticator => asked::authenticator(&start(library, given, out)?, out),
        Kind::Authorizer => asked::authorizer(&start(library, given, out)?, out),
        Kind::SecretResolver => asked::secret_resolver(&start(library, given, out)?, out),
        Kind::Anonymous => asked::anonymous(&start(library, given, out)?, out),
    }
    Ok(report.findings)
}

fn start<T: Works>(
    library: &Library,
    given: Option<&reeve_config::Module>,
    report: &mut Report,
) -> Result<T, LoadError> {
    let module = library.create(given)?;
    report.says("loads and starts", Ok(()));
    Ok(module.works)
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
