//! `/version` and the keys about the build that `/state` repeats.

use serde::Serialize;

/// The version that clients are told: the Mesos whose protocols we speak. Clients compare it
/// (Marathon refuses masters older than it likes, agents refuse masters older than 1.0), so that
/// Reeve's own number would mislead them; it is told as `reeve_version` beside it.
pub const MESOS_VERSION: &str = "1.11.0";

/// What `/version` says. Builds are reproducible, so they tell the date of their sources
/// (`SOURCE_DATE_EPOCH`) and nobody's name.
#[derive(Clone, Debug, Serialize)]
pub struct Version {
    /// What to speak.
    pub version: &'static str,
    /// Reeve's own version.
    pub reeve_version: &'static str,
    /// When the sources were dated, for people; UTC.
    pub build_date: String,
    /// The same in seconds since 1970; 0 if nobody said.
    pub build_time: f64,
    /// By whom: nobody's name.
    pub build_user: &'static str,
}

/// This build.
pub fn version() -> Version {
    let seconds: u32 =
        option_env!("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok()).unwrap_or(0);
    Version {
        version: MESOS_VERSION,
        reeve_version: env!("CARGO_PKG_VERSION"),
        build_date: date(u64::from(seconds)),
        build_time: f64::from(seconds),
        build_user: "",
    }
}

/// `2020-11-13 12:00:00` in UTC.
fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days are counted in eras of 400 years that begin on the 1st of March: the leap day is
    // the last day of such a year, and months follow a line.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (era * 400 + year, month + 3),
        _ => (era * 400 + year + 1, month - 9),
    };
    let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{date:02} {hours:02}:{minutes:02}:{seconds:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00:00");
        assert_eq!(date(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(date(1_605_225_599), "2020-11-12 23:59:59");
        assert_eq!(date(4_102_444_800), "2100-01-01 00:00:00");
    }
}
