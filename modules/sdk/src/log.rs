//! From `tracing`, as authors use it, to the host's log. A module has its own copy of `tracing`,
//! which knows no subscriber until this one is put in.

use std::fmt::Write;
use std::sync::OnceLock;

use reeve_module_api::v2::{HostLogBox, Level};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static HOST: OnceLock<HostLogBox> = OnceLock::new();

/// Sends what this library says, and where it panics, to the host. The first host wins: a library
/// is loaded once, whatever number of modules are made of it.
pub(crate) fn connect(host: HostLogBox) {
    if HOST.set(host).is_err() {
        return;
    }
    // Linked into a program that has a subscriber already, the module logs there.
    drop(tracing::subscriber::set_global_default(Bridge));
    std::panic::set_hook(Box::new(|panic| say(Level::Error, &panic.to_string())));
}

fn say(level: Level, message: &str) {
    if let Some(host) = HOST.get() {
        host.write(level, message.into());
    }
}

struct Bridge;

impl Subscriber for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO => Level::Info,
            _ => Level::Debug,
        };
        say(level, &(text.message + &text.fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
