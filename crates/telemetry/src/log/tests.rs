use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;
    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

/// What is written while `speak` runs with that filter.
fn written(level: &str, speak: impl FnOnce()) -> String {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter(level).unwrap())
        .with_writer(lines.clone())
        .with_ansi(false)
        .event_format(Glog)
        .finish();
    tracing::subscriber::with_default(subscriber, speak);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn lines_have_the_shape_of_glog() {
    let line = written("info", || tracing::info!("Version: {}", "1.2.3"));
    let (stamp, message) = line.split_once("] ").unwrap();
    assert_eq!(message, "Version: 1.2.3\n");
    let words: Vec<&str> = stamp.split_whitespace().collect();
    let [date, time, thread, place] = words[..] else { panic!("{line}") };
    assert!(date.len() == 5 && date.starts_with('I'), "{line}");
    assert!(time.len() == 15 && time.as_bytes()[8] == b'.', "{line}");
    assert!(thread.parse::<u32>().is_ok(), "{line}");
    let (file, number) = place.split_once(':').unwrap();
    assert_eq!(file, "tests.rs");
    assert!(number.parse::<u32>().is_ok(), "{line}");
}

#[test]
fn levels_have_their_letters_and_fields_follow_the_message() {
    let error = written("info", || tracing::error!(agent = "S0", "Lost"));
    assert!(error.starts_with('E') && error.ends_with("] Lost agent=\"S0\"\n"), "{error}");
    assert!(written("info", || tracing::warn!("careful")).starts_with('W'));
}

#[test]
fn the_time_is_written_in_local_hours_and_microseconds() {
    let now: jiff::Zoned = "2015-07-05T21:09:46.693713999[UTC]".parse().unwrap();
    assert_eq!(glog::time(&now), "0705 21:09:46.693713");
}

#[test]
fn the_filter_holds_back_what_is_finer() {
    assert_eq!(written("WARNING", || tracing::info!("no")), "");
    assert_eq!(written("info,reeve_telemetry=error", || tracing::warn!("no")), "");
    assert!(written("info,reeve_telemetry=debug", || tracing::debug!("yes")).contains("yes"));
}

#[test]
fn a_level_that_is_none_is_refused_by_name() {
    let error = filter("reeve_master=loud").unwrap_err();
    assert!(error.to_string().contains("'reeve_master=loud'"), "{error}");
}

#[test]
fn what_is_logged_can_change_while_it_runs() {
    let lines = Lines::default();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter("WARNING").unwrap())
        .with_writer(lines.clone())
        .with_filter_reloading();
    let control = Control::of(builder.reload_handle());
    tracing::subscriber::with_default(builder.finish(), || {
        tracing::info!("before");
        control.set("INFO").unwrap();
        tracing::info!("between");
        assert!(control.set("reeve_master=loud").is_err());
        tracing::info!("still");
        control.set("ERROR").unwrap();
        tracing::info!("after");
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let told = ["before", "between", "still", "after"].map(|word| text.contains(word));
    assert_eq!(told, [false, true, true, false]);
}

/// Takes the last event as the journal would.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<journal::Entry>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Taken {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut entry = journal::Entry::default();
        event.record(&mut entry);
        *self.0.lock().unwrap() = entry;
    }
}

#[test]
fn entries_of_the_journal_have_the_ids_as_fields_and_in_their_text() {
    let taken = Taken::default();
    tracing::subscriber::with_default(Registry::default().with(taken.clone()), || {
        tracing::info!(task = "web.1", agent = %"S0", exit = 3, "the task {}", "ended");
    });
    let entry = taken.0.lock().unwrap();
    assert_eq!(entry.message, "the task ended");
    assert_eq!(entry.rest, " task=\"web.1\" agent=S0 exit=3");
    let fields: Vec<_> = entry.fields.iter().map(|(name, text)| (*name, text.as_str())).collect();
    assert_eq!(fields, [("TASK_ID", "web.1"), ("AGENT_ID", "S0"), ("exit", "3")]);
}
