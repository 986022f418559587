//! Durations as Mesos writes them: `15secs`, `1.5hrs`, `2weeks`, `100ms`.

use std::time::Duration;

/// The units, each a whole multiple of the one before it.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("secs", 1_000_000_000),
    ("mins", 60_000_000_000),
    ("hrs", 3_600_000_000_000),
    ("days", 86_400_000_000_000),
    ("weeks", 604_800_000_000_000),
];

/// Reads a duration: a number that may have a fraction, then a unit, with nothing between.
///
/// # Errors
///
/// A text that says what is wrong with the input, without naming the setting.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    if number.is_empty() {
        return Err("a duration starts with a number that is not negative".to_owned());
    }
    let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let what = if unit.is_empty() { "has no unit".to_owned() } else { unknown_unit(unit) };
        return Err(format!("{what}; the units are {}", unit_names()));
    };
    let total = scale(number, *nanos).ok_or_else(|| format!("{number} is not a number"))?;
    let total = u64::try_from(total).map_err(|_| "is longer than 584 years".to_owned())?;
    Ok(Duration::from_nanos(total))
}

fn unknown_unit(unit: &str) -> String {
    format!("{unit:?} is not a unit of time")
}

fn unit_names() -> String {
    let names: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// `number · unit`, exactly, rounded down to whole nanoseconds.
fn scale(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u128>().ok() };
    // Digits past the eighteenth are below a nanosecond of a week.
    let fraction = fraction.get(..18).unwrap_or(fraction);
    let part = digits(fraction)?.checked_mul(unit)? / 10u128.pow(fraction.len() as u32);
    digits(whole)?.checked_mul(unit)?.checked_add(part)
}

/// Writes a duration as Mesos does: in the largest unit that is not longer than it, or one
/// unit smaller where that avoids a fraction (`10days`, not `1.42857142857143weeks`).
pub fn show(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let bucket = UNITS.iter().rposition(|(_, unit)| nanos >= *unit).unwrap_or(0);
    let index = match UNITS.get(bucket) {
        Some((_, unit)) if !nanos.is_multiple_of(*unit) => bucket.saturating_sub(1),
        _ => bucket,
    };
    let (name, unit) = UNITS.get(index).copied().unwrap_or(("ns", 1));
    if nanos.is_multiple_of(unit) {
        return format!("{}{name}", nanos / unit);
    }
    let number = format!("{:.15}", nanos as f64 / unit as f64);
    // Fifteen significant digits, as a C++ stream of that precision prints them.
    let point = number.find('.').unwrap_or(0);
    let number = number.get(..(16.max(point))).unwrap_or(&number);
    format!("{}{name}", number.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests;
