//! The house rules that a machine can see: sizes of files, and names that say nothing.

// The steps of a test fail by panicking, also where they are functions of their own.
#![allow(clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file longer than this is split by noun.
const MOST_LINES: usize = 600;

fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new("git")
        .args(["ls-files", "*.rs"])
        .current_dir(&root)
        .output()
        .expect("git lists the files");
    let names = String::from_utf8(output.stdout).expect("names are text");
    names.lines().map(|name| root.join(name)).filter(|path| path.exists()).collect()
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = sources()
        .iter()
        .map(|path| (path, std::fs::read_to_string(path).expect("a source is text")))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(path, lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "split by noun:\n{}", long.join("\n"));
}

#[test]
fn names_say_something() {
    for path in sources() {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let empty = ["utils", "util", "common", "misc", "helpers", "helper", "manager"];
        assert!(!empty.contains(&stem), "{} says nothing of what it holds", path.display());
    }
}
