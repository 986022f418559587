//! Takes one stream of a container on standard input, until it ends, and keeps it in files that
//! are rotated: `reeve-logrotate FILE BYTES KEPT`. One runs beside each stream of each container.

use std::io::{self, Write};
use std::process::ExitCode;

use reeve_container_logger_logrotate::rotate::Rotated;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, bytes, kept] = words.as_slice() else {
        say(&"it takes a FILE, how many BYTES it may have, and how many older files are KEPT");
        return ExitCode::FAILURE;
    };
    let (Ok(bytes), Ok(kept)) = (bytes.parse(), kept.parse()) else {
        say(&format_args!("'{bytes}' and '{kept}' must be whole numbers"));
        return ExitCode::FAILURE;
    };
    let lost = |error: &io::Error| say(&format_args!("output is lost: '{file}': {error}"));
    match Rotated::new(file, bytes, kept).take(io::stdin().lock(), lost) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format_args!("the output of the container cannot be read: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// There is nobody to tell should this fail.
fn say(what: &dyn std::fmt::Display) {
    drop(writeln!(io::stderr(), "reeve-logrotate: {what}"));
}
