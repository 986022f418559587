//! What a real master and a real agent said to each other, as files in `recorded/`.
//!
//! A file is one exchange. A line `FROM TO NAME` begins a message, lines that are indented hold its
//! bytes in base64, and lines that begin with `#` are for people.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::libprocess::Message;

/// Characters of base64 in a line.
const WIDTH: usize = 96;

fn room() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/recorded")
}

/// The names of all exchanges.
pub fn names() -> Vec<String> {
    let files = std::fs::read_dir(room()).expect("recorded exchanges");
    let paths = files.flatten().map(|file| file.path());
    let texts = paths.filter(|path| path.extension().is_some_and(|end| end == "txt"));
    let mut names: Vec<_> =
        texts.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

/// An exchange by its name.
pub fn read(name: &str) -> Vec<Message> {
    let path = room().join(name).with_extension("txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    let mut messages: Vec<(Message, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        match (line.strip_prefix("  "), messages.last_mut()) {
            (Some(bytes), Some((_, body))) => body.push_str(bytes),
            _ => {
                let words: Vec<&str> = line.split(' ').collect();
                let [from, to, name] = words[..] else { panic!("{path:?}: {line}") };
                let own = str::to_owned;
                let (from, to, name) = (own(from), own(to), own(name));
                messages.push((Message { from, to, name, body: Vec::new() }, String::new()));
            }
        }
    }
    let whole = |(message, text): (Message, String)| {
        let body = STANDARD.decode(text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        Message { body, ..message }
    };
    messages.into_iter().map(whole).collect()
}

/// Writes an exchange; `title` says what it is.
pub fn write(name: &str, title: &str, messages: &[Message]) {
    let mut text = format!("# {title}\n");
    for Message { from, to, name, body } in messages {
        writeln!(text, "\n{from} {to} {name}").expect("a string takes all");
        let body = STANDARD.encode(body).into_bytes();
        for line in body.chunks(WIDTH) {
            writeln!(text, "  {}", String::from_utf8_lossy(line)).expect("a string takes all");
        }
    }
    let path = room().join(name).with_extension("txt");
    std::fs::create_dir_all(room()).and_then(|()| std::fs::write(path, text)).expect("written");
}
