//! Lines for the journal of systemd: each field of a line is a field of the journal's entry, so that
//! `journalctl TASK_ID=web.1` finds what was said of a task.

use std::fmt;

use log::Record;
use log::kv::{Error, Key, Source, Value, VisitSource};
use systemd_journal_logger::{JournalLog, connected_to_journal};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// What fields that name a thing are called in the journal. Others keep their names, in capitals.
const IDS: [(&str, &str); 7] = [
    ("agent", "AGENT_ID"),
    ("container", "CONTAINER_ID"),
    ("executor", "EXECUTOR_ID"),
    ("framework", "FRAMEWORK_ID"),
    ("offer", "OFFER_ID"),
    ("operation", "OPERATION_ID"),
    ("task", "TASK_ID"),
];

/// The journal.
pub struct Journal(JournalLog);

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journal")
    }
}

impl Journal {
    /// The journal, if standard error leads there and it can be reached.
    pub fn connect() -> Option<Journal> {
        connected_to_journal().then(JournalLog::new)?.ok().map(Journal)
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut entry = Entry::default();
        event.record(&mut entry);
        let metadata = event.metadata();
        // There is no better place to tell that the journal takes nothing.
        let _ = self.0.journal_send(
            &Record::builder()
                .args(format_args!("{}{}", entry.message, entry.rest))
                .level(level(*metadata.level()))
                .target(metadata.target())
                .module_path(metadata.module_path())
                .file(metadata.file())
                .line(metadata.line())
                .key_values(&entry)
                .build(),
        );
    }
}

fn level(level: Level) -> log::Level {
    match level {
        Level::ERROR => log::Level::Error,
        Level::WARN => log::Level::Warn,
        Level::INFO => log::Level::Info,
        Level::DEBUG => log::Level::Debug,
        Level::TRACE => log::Level::Trace,
    }
}

/// An event on its way to the journal.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) message: String,
    /// The other fields as text behind the message.
    pub(super) rest: String,
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Entry {
    fn add(&mut self, field: &Field, value: String, text: fmt::Arguments<'_>) {
        use fmt::Write;
        // Writing to a String does not fail.
        let _ = write!(self.rest, " {}={text}", field.name());
        let known = IDS.iter().find(|(name, _)| *name == field.name());
        self.fields.push((known.map_or(field.name(), |(_, id)| id), value));
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            _ => self.add(field, value.to_owned(), format_args!("{value:?}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "message" => self.message = text,
            _ => self.add(field, text.clone(), format_args!("{text}")),
        }
    }
}

impl Source for Entry {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn VisitSource<'kvs>) -> Result<(), Error> {
        for (name, value) in &self.fields {
            visitor.visit_pair(Key::from_str(name), Value::from(value.as_str()))?;
        }
        Ok(())
    }
}
