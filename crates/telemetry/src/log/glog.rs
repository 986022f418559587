//! The shape that Mesos's log lines have: scripts and eyes are used to it.

use std::fmt;
use std::path::Path;

use jiff::Zoned;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// `Lmmdd hh:mm:ss.uuuuuu thread file:line] message field=value …`, in local time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Glog;

impl<S, N> FormatEvent<S, N> for Glog
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let path = Path::new(metadata.file().unwrap_or("unknown"));
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or("unknown");
        write!(
            line,
            "{}{} {:>5} {file}:{}] ",
            letter(*metadata.level()),
            time(&Zoned::now()),
            nix::unistd::gettid(),
            metadata.line().unwrap_or(0),
        )?;
        let mut text = Text::default();
        event.record(&mut text);
        writeln!(line, "{}{}", text.message, text.fields)
    }
}

/// glog has no level below `I`; what is finer counts as that.
fn letter(level: Level) -> char {
    match level {
        Level::ERROR => 'E',
        Level::WARN => 'W',
        _ => 'I',
    }
}

/// `0705 21:09:46.693713`.
pub(super) fn time(now: &Zoned) -> String {
    format!(
        "{:02}{:02} {:02}:{:02}:{:02}.{:06}",
        now.month(),
        now.day(),
        now.hour(),
        now.minute(),
        now.second(),
        now.subsec_nanosecond() / 1_000
    )
}

/// The message of an event, and its other fields behind it.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        use fmt::Write;
        // Writing to a String does not fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
