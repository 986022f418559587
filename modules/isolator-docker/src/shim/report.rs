//! What the shim tells the executor of the container, beside its output and its end: lines on the
//! descriptor that `REEVE_REPORT` names, as the modules' interface has it for wrappers.

use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::net::IpAddr;

/// Where reports go; nowhere if nobody asked for them.
pub(super) struct Report(Option<File>);

impl Report {
    pub(super) fn open() -> Self {
        let number = std::env::var("REEVE_REPORT").ok().and_then(|text| text.parse::<u32>().ok());
        let open = |number| File::options().write(true).open(format!("/proc/self/fd/{number}"));
        Self(number.and_then(|number| open(number).ok()))
    }

    /// It runs, under an address of its own if it has one.
    pub(super) fn running(&mut self, address: Option<IpAddr>) {
        let address = address.map(|address| format!(" {address}")).unwrap_or_default();
        self.line(&format!("running{address}"));
    }

    /// It ended because it broke a limit.
    pub(super) fn limit(&mut self, resource: &str, message: &str) {
        self.line(&format!("limit {resource} {message}"));
    }

    /// It could not be started.
    pub(super) fn failed(&mut self, why: &dyn Display) {
        self.line(&format!("failed {why}"));
    }

    /// Whoever asked for reports may be gone.
    fn line(&mut self, text: &str) {
        if let Some(file) = &mut self.0 {
            let line = text.replace('\n', " ") + "\n";
            drop(file.write_all(line.as_bytes()));
        }
    }
}
