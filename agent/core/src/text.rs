//! How durations and wait statuses read, as Mesos writes them.

use std::time::Duration;

/// Units of Mesos's durations, the largest first.
const UNITS: [(u128, &str); 8] = [
    (7 * 24 * 3600 * 1_000_000_000, "weeks"),
    (24 * 3600 * 1_000_000_000, "days"),
    (3600 * 1_000_000_000, "hrs"),
    (60 * 1_000_000_000, "mins"),
    (1_000_000_000, "secs"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

/// `1mins`, `2secs`, `1.5hrs`: the largest unit of which there is at least one.
pub(crate) fn duration(span: Duration) -> String {
    let nanos = span.as_nanos();
    let unit = UNITS.iter().find(|(size, _)| nanos >= *size);
    let Some((size, name)) = unit else { return "0ns".to_owned() };
    if nanos.is_multiple_of(*size) {
        return format!("{}{name}", nanos / size);
    }
    // Three decimals are as much as anybody sets.
    let thousandths = nanos * 1000 / size;
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// What a wait status says (the layout is Linux's: low seven bits the signal, then the exit code).
pub(crate) fn wait_status(status: i32) -> String {
    let signal = status & 0x7f;
    if signal == 0 {
        format!("exited with status {}", status >> 8 & 0xff)
    } else {
        format!("terminated by signal {signal}")
    }
}
