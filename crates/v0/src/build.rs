//! `/version` and the keys about the build that `/state` repeats.

use serde::Serialize;

/// The version of Apache Mesos whose protocols are spoken. Clients parse `version` to learn what
/// they may say, so this is what they are told; Reeve's own version stands beside it.
pub const MESOS_VERSION: &str = "1.11.0";

/// What `/version` says.
#[derive(Clone, Debug, Serialize)]
pub struct Version {
    /// What to speak.
    pub version: &'static str,
    /// When it was built, for people; the release for reproducible builds.
    pub build_date: &'static str,
    /// The same in seconds since 1970.
    pub build_time: f64,
    /// By whom.
    pub build_user: &'static str,
    /// Reeve's own version.
    pub reeve_version: &'static str,
}

/// This build.
pub fn version() -> Version {
    Version {
        version: MESOS_VERSION,
        build_date: "",
        build_time: 0.0,
        build_user: "reeve",
        reeve_version: env!("CARGO_PKG_VERSION"),
    }
}
