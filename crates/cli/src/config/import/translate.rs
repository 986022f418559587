//! From flags of Mesos to settings of Reeve.

use std::fmt::Write as _;

use reeve_config::{Error, Origin, Spec, Values, nearest, writing};

use super::Entry;

/// Flags that are left out whatever settings Reeve has, and why.
pub(in crate::config) const LEFT_OUT: &[(&str, &str)] = &[
    ("modules", "modules of Mesos can't be loaded; name those of Reeve with [modules.NAME]"),
    ("modules_dir", "modules of Mesos can't be loaded; name those of Reeve with [modules.NAME]"),
    ("launcher_dir", "programs of Mesos are of no use here; Reeve finds its own"),
    ("webui_dir", "the web interface is part of the program"),
    ("quorum", "the registry has no quorum"),
    ("log_dir", "the log goes to standard error; systemd keeps it in the journal"),
    ("logbufsecs", "the log goes to standard error, line by line"),
    ("containerizers", "isolation names what runs containers; docker is one of them"),
    ("docker", "Docker is asked by its socket, not by a program"),
    ("docker_socket", "set socket in [modules.docker]"),
    ("docker_config", "set config in [modules.docker]"),
    ("docker_kill_orphans", "containers that belong to no task are always removed"),
    ("docker_remove_delay", "a container is removed when its task has ended"),
    ("docker_stop_timeout", "a task's kill policy says how long it may take to end"),
    ("docker_mesos_image", "the agent does not run in a container of its own"),
    ("sandbox_directory", "set sandbox_directory in [modules.docker]"),
];

/// The file for a daemon: what is taken over with its source, then what is not and why.
pub(super) fn toml(daemon: &str, specs: &[Spec], entries: &[Entry]) -> String {
    let mut taken = String::new();
    let mut left = String::new();
    for spec in specs {
        let mut given = entries.iter().filter(|entry| spec_of(specs, entry) == Some(spec.name));
        let Some(last) = given.next_back() else { continue };
        match line(spec, last) {
            Ok(line) => {
                let _written = writeln!(taken, "# {}\n{line}", last.place.display());
            }
            Err(why) => leave(&mut left, last, &why),
        }
        for entry in given.filter(|entry| entry.value != last.value) {
            leave(&mut left, entry, &format!("{} wins", last.place.display()));
        }
    }
    for (index, entry) in entries.iter().enumerate() {
        // What is said twice is told once.
        let again = |later: &Entry| later.name == entry.name && later.value == entry.value;
        if spec_of(specs, entry).is_some() || entries[index + 1..].iter().any(again) {
            continue;
        }
        leave(&mut left, entry, &why_not(specs, entry));
    }
    let mut text = format!("# Settings of the {daemon}, taken over from Mesos.\n");
    if !taken.is_empty() {
        text.push('\n');
        text.push_str(&taken);
    }
    if !left.is_empty() {
        text.push_str("\n# Not taken over:\n");
        text.push_str(&left);
    }
    text
}

/// The setting that an entry is for.
fn spec_of<'a>(specs: &'a [Spec], entry: &Entry) -> Option<&'a str> {
    if LEFT_OUT.iter().any(|(name, _)| *name == entry.name) {
        return None;
    }
    specs.iter().find(|spec| spec.is_called(&entry.name)).map(|spec| spec.name)
}

/// The line for a setting, or why its value is of no use.
fn line(spec: &Spec, entry: &Entry) -> Result<String, String> {
    let text = entry.value.clone()?;
    // What a `file://` value stands for is read when the daemon starts.
    if !text.starts_with("file://") {
        let mut values = Values::default();
        values.set(spec.name, text.clone(), Origin::Program);
        (spec.check)(&values).map_err(|error| match error {
            Error::BadValue { why, wanted, .. } => format!("{why} (expected {wanted})"),
            other => other.to_string(),
        })?;
    }
    Ok(writing::setting(spec, &text))
}

fn why_not(specs: &[Spec], entry: &Entry) -> String {
    if let Err(why) = &entry.value {
        return why.clone();
    }
    if let Some((_, why)) = LEFT_OUT.iter().find(|(name, _)| *name == entry.name) {
        return (*why).to_owned();
    }
    match nearest(&entry.name, specs.iter().map(|spec| spec.name)) {
        Some(near) => format!("Reeve has no such setting; is {near} meant?"),
        None => "Reeve has no such setting".to_owned(),
    }
}

/// Says what is left out and why, as comments.
fn leave(left: &mut String, entry: &Entry, why: &str) {
    let _written = writeln!(left, "\n# {}: {}", entry.place.display(), why.replace('\n', " "));
    let text = match &entry.value {
        Ok(text) => format!("{} = {text}", entry.name),
        Err(_) => entry.name.clone(),
    };
    for line in text.lines() {
        let _written = writeln!(left, "#{line}");
    }
}
