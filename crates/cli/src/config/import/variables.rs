//! The shell variables of `/etc/default/mesos*`. They are read, never run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, said};

/// Variables that the packages' start script turns into flags: the master's, then the agent's.
const OF_SCRIPT: &[(&str, &str, &str)] = &[
    ("ZK", "zk", ""),
    ("MASTER", "", "master"),
    ("IP", "ip", "ip"),
    ("PORT", "port", "port"),
    ("CLUSTER", "cluster", ""),
    ("LOGS", "log_dir", "log_dir"),
    ("ISOLATION", "", "isolation"),
];

/// Reads the assignments of a file.
pub(super) fn read(path: &Path) -> io::Result<Vec<Entry>> {
    let text = fs::read_to_string(path)?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(|line| assignment(line, path)).collect())
}

/// The flag that a variable stands for, and whether flags proper win over it; none if it is
/// not for this daemon.
pub(super) fn flag(entry: &Entry, daemon: &str) -> Option<(bool, Entry)> {
    let named = |name: &str| Entry { name: name.to_owned(), ..entry.clone() };
    if let Some((_, master, agent)) = OF_SCRIPT.iter().find(|(name, ..)| *name == entry.name) {
        let flag = if daemon == "master" { master } else { agent };
        let set = entry.value.as_deref() != Ok("");
        return (!flag.is_empty() && set).then(|| (false, named(flag)));
    }
    if let Some(flag) = entry.name.strip_prefix("MESOS_") {
        return Some((true, named(&flag.to_lowercase())));
    }
    let libprocess = ["IP", "PORT", "ADVERTISE_IP", "ADVERTISE_PORT"];
    match entry.name.strip_prefix("LIBPROCESS_") {
        Some(flag) if libprocess.contains(&flag) => Some((true, named(&flag.to_lowercase()))),
        _ => Some((true, foreign(entry))),
    }
}

/// A variable that is no flag.
fn foreign(entry: &Entry) -> Entry {
    let why = match (entry.name.as_str(), &entry.value) {
        ("ULIMIT", _) => "the unit file says it: LimitNOFILE=".to_owned(),
        (_, Err(why)) => why.clone(),
        _ => "it is no flag of Mesos; a unit file can set it: Environment=".to_owned(),
    };
    Entry { value: Err(why), ..entry.clone() }
}

fn assignment(line: &str, path: &Path) -> Entry {
    let assigned = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let place = path.to_owned();
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match assigned.split_once('=').filter(|(name, _)| is_name(name)) {
        Some((name, text)) => Entry { name: name.to_owned(), value: value(text, path), place },
        None => {
            let why = "it is a command of the shell, not a value".to_owned();
            Entry { name: line.to_owned(), value: Err(why), place }
        }
    }
}

/// The value of an assignment: plain, in quotes, or `cat FILE` as the packages have it.
fn value(text: &str, path: &Path) -> Result<String, String> {
    let computed = || "the shell computes it; write its value".to_owned();
    if let Some(file) = printed(text) {
        let file = beside(path, Path::new(file));
        return fs::read_to_string(&file)
            .map(|text| said(&file, text.trim().to_owned()))
            .map_err(|error| format!("{} can't be read: {error}", file.display()));
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        let (inner, rest) = quoted.split_once('\'').ok_or_else(computed)?;
        return if ended(rest) { Ok(inner.to_owned()) } else { Err(computed()) };
    }
    let (inner, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or_else(computed)?,
        None => text.split_at(text.find(char::is_whitespace).unwrap_or(text.len())),
    };
    if inner.contains(['$', '`', '\\', '\'', '"']) || !ended(rest) {
        return Err(computed());
    }
    Ok(inner.to_owned())
}

/// Whether nothing but a comment follows.
fn ended(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with('#')
}

/// The file of `` `cat FILE` `` or `$(cat FILE)`, in quotes or not.
fn printed(text: &str) -> Option<&str> {
    let text = text.trim().trim_matches('"');
    let command = match text.strip_prefix('`') {
        Some(rest) => rest.strip_suffix('`')?,
        None => text.strip_prefix("$(")?.strip_suffix(')')?,
    };
    let file = command.trim().strip_prefix("cat ")?.trim();
    (!file.contains(|c: char| c.is_whitespace() || "$`;|&<>'\"*".contains(c))).then_some(file)
}

/// A file below `/etc`, in the tree that `path` (`…/default/mesos*`) belongs to: a copy of a
/// machine's `/etc` is imported as if it were in place.
fn beside(path: &Path, file: &Path) -> PathBuf {
    let root = path.parent().filter(|folder| folder.ends_with("default")).and_then(Path::parent);
    match (root, file.strip_prefix("/etc")) {
        (Some(root), Ok(inner)) => root.join(inner),
        _ => file.to_owned(),
    }
}
