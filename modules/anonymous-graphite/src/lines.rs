//! From metrics to Graphite's lines: `name value seconds`.

use std::fmt::Write;

use reeve_module_sdk::anonymous::{Figure, Value};

/// All metrics of one moment.
pub(crate) fn write(prefix: &str, metrics: &[Figure], seconds: u64) -> String {
    let mut text = String::with_capacity(metrics.len() * 64);
    for Figure { name, value } in metrics {
        if !prefix.is_empty() {
            text.push_str(prefix);
            text.push('.');
        }
        text.extend(name.chars().map(letter));
        // Writing to a string cannot fail.
        let _ = match value {
            Value::Count(count) => writeln!(text, " {count} {seconds}"),
            Value::Number(number) => writeln!(text, " {number} {seconds}"),
        };
    }
    text
}

/// Slashes become the dots that make Graphite's tree; a dot of a name must not make a branch of
/// it, and blanks and stars mean something to Graphite.
fn letter(letter: char) -> char {
    match letter {
        '/' => '.',
        letter if letter.is_ascii_alphanumeric() || "-_%:".contains(letter) => letter,
        _ => '_',
    }
}
