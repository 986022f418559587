//! `google.protobuf.Duration` as text: seconds with an optional fraction and the letter `s`.

const NANOS: i64 = 1_000_000_000;

/// The text of a duration of whole seconds and nanoseconds of the same sign.
pub(super) fn write(seconds: i64, nanos: i32) -> String {
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let (seconds, nanos) = (seconds.unsigned_abs(), nanos.unsigned_abs());
    if nanos == 0 {
        return format!("{sign}{seconds}s");
    }
    let digits = format!("{nanos:09}");
    let digits = digits.trim_end_matches("000");
    format!("{sign}{seconds}.{digits}s")
}

/// Seconds and nanoseconds of a text such as `600s` or `-1.5s`.
pub(super) fn read(text: &str) -> Option<(i64, i32)> {
    let number = text.strip_suffix('s')?;
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    let nanos = i32::try_from(sign * (nanos % NANOS)).ok()?;
    Some((sign * seconds, nanos))
}
