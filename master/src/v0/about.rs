//! What a master says of itself: `/health`, `/version`, `/flags`, `/redirect`, `/`.

use reeve_transport::{Request, Response};

use super::json::Writer;
use super::state;
use crate::app::App;
use crate::identity::{MESOS_VERSION, REEVE_VERSION};

/// `GET /health`: whoever answers is healthy.
pub fn health(_: &App, _: &Request) -> Result<Response, Response> {
    Ok(Response::ok())
}

/// `GET /version`.
pub fn version(_: &App, _: &Request) -> Result<Response, Response> {
    Ok(Writer::response(build))
}

/// The fields that say what was built. Builds are reproducible, so that they tell the date of
/// their sources (`SOURCE_DATE_EPOCH`) and nobody's name.
pub fn build(w: &mut Writer) {
    let seconds = build_time();
    w.field("version", MESOS_VERSION);
    w.field("reeve_version", REEVE_VERSION);
    w.field("build_date", date(seconds));
    w.field("build_time", seconds as f64);
    w.field("build_user", "");
}

/// When the sources were dated, in seconds since 1970; 0 if nobody said.
pub fn build_time() -> u64 {
    option_env!("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// `2020-11-13 12:00:00` in UTC.
pub fn date(seconds: u64) -> String {
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

/// `GET /flags`.
pub fn flags(app: &App, _: &Request) -> Result<Response, Response> {
    Ok(Writer::response(|w| state::flags(w, app)))
}

/// `GET /redirect`: where the leader is (V0-15).
pub fn redirect(app: &App, _: &Request) -> Result<Response, Response> {
    Ok(Response::redirect(&format!("//{}", app.identity.authority())))
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
