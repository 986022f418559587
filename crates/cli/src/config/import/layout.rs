//! Where Mesos's packages keep what the daemons are told: a file per flag in `mesos-master/` and
//! `mesos-slave/`, the address of ZooKeeper in `mesos/zk`, shell variables in `default/mesos*`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, said, variables};

/// Names that packages give to what the master and the agent are told.
const MASTER: &[&str] = &["mesos-master"];
const AGENT: &[&str] = &["mesos-agent", "mesos-slave"];

/// What was found; a later layer wins.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// `mesos/zk`.
    shared: Vec<Entry>,
    /// `default/mesos`.
    defaults: Vec<Entry>,
    master: Own,
    agent: Own,
}

/// What one daemon is told.
#[derive(Debug, Default)]
struct Own {
    /// Whether anything of its own was there.
    there: bool,
    /// `default/mesos-master`.
    defaults: Vec<Entry>,
    /// `mesos-master/`.
    flags: Vec<Entry>,
}

impl Found {
    /// Takes a file or directory for what its name says, or what is in it.
    pub(super) fn take(&mut self, path: &Path) -> io::Result<()> {
        if self.take_named(path)? {
            return Ok(());
        }
        let names = [&["mesos"], MASTER, AGENT].concat();
        let mut any = false;
        for folder in [path.to_owned(), path.join("default")] {
            for name in &names {
                let inner = folder.join(name);
                any |= inner.exists() && self.take_named(&inner)?;
            }
        }
        let missing = "there is no mesos, mesos-master, mesos-slave or default/mesos in it";
        if any { Ok(()) } else { Err(io::Error::new(io::ErrorKind::NotFound, missing)) }
    }

    fn take_named(&mut self, path: &Path) -> io::Result<bool> {
        let folder = fs::metadata(path)?.is_dir();
        // `.` and the like have a name too.
        let whole = fs::canonicalize(path)?;
        let name = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match (name, folder) {
            ("zk", false) => self.shared.extend(zookeeper(path)),
            ("mesos", true) => self.shared.extend(shared(path)?),
            ("mesos", false) => self.defaults.extend(variables::read(path)?),
            (name, folder) => {
                let own = match name {
                    name if MASTER.contains(&name) => &mut self.master,
                    name if AGENT.contains(&name) => &mut self.agent,
                    _ => return Ok(false),
                };
                own.there = true;
                match folder {
                    true => own.flags.extend(flags(path)?),
                    false => own.defaults.extend(variables::read(path)?),
                }
            }
        }
        Ok(true)
    }

    /// What a daemon is told, later entries over earlier ones; nothing if only the other one has
    /// anything of its own.
    pub(super) fn of(&self, daemon: &str) -> Option<Vec<Entry>> {
        let (own, other) = match daemon {
            "master" => (&self.master, &self.agent),
            _ => (&self.agent, &self.master),
        };
        if other.there && !own.there {
            return None;
        }
        let shared = self.shared.iter().map(|entry| match (entry.name.as_str(), daemon) {
            // One file, two flags.
            ("zk", "agent") => Entry { name: "master".to_owned(), ..entry.clone() },
            _ => entry.clone(),
        });
        let variables = self.defaults.iter().chain(&own.defaults);
        let (weak, strong): (Vec<_>, Vec<_>) =
            variables.filter_map(|entry| variables::flag(entry, daemon)).partition(|found| found.0);
        let variables = weak.into_iter().chain(strong).map(|(_, entry)| entry);
        Some(shared.chain(variables).chain(own.flags.iter().cloned()).collect())
    }
}

/// `/etc/mesos`: only `zk` is read there.
fn shared(folder: &Path) -> io::Result<Vec<Entry>> {
    let entry = |path: PathBuf| match name(&path).as_str() {
        "zk" => zookeeper(&path),
        _ => Some(refused(path, "Mesos's packages read nothing but zk here")),
    };
    Ok(sorted(folder)?.into_iter().filter_map(entry).collect())
}

fn zookeeper(path: &Path) -> Option<Entry> {
    let value = content(path).map(|text| said(path, text));
    let set = value.as_deref() != Ok("");
    set.then(|| Entry { name: "zk".to_owned(), value, place: path.to_owned() })
}

/// A directory with a file for each flag.
fn flags(folder: &Path) -> io::Result<Vec<Entry>> {
    sorted(folder)?.into_iter().map(flag).collect()
}

fn flag(place: PathBuf) -> io::Result<Entry> {
    let name = name(&place);
    if stray(&name) {
        return Ok(refused(place, "an editor or a package manager left it behind"));
    }
    if place.is_dir() {
        return match name.as_str() {
            "attributes" | "resources" => pairs(&name, place),
            _ => Ok(refused(place, "it is a directory")),
        };
    }
    let (name, value) = match name.strip_prefix('?') {
        None => (name.clone(), content(&place)),
        Some(switch) => match switch.strip_prefix("no-") {
            Some(off) => (off.to_owned(), Ok("false".to_owned())),
            None => (switch.to_owned(), Ok("true".to_owned())),
        },
    };
    Ok(Entry { name, value, place })
}

/// `attributes/` and `resources/`: a file for each name.
fn pairs(name_of_flag: &str, place: PathBuf) -> io::Result<Entry> {
    let mut pairs = Vec::new();
    for path in sorted(&place)?.into_iter().filter(|path| !stray(&name(path))) {
        match content(&path) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => pairs.push(format!("{}:{text}", name(&path))),
            Err(why) => {
                let why = format!("{}: {why}", path.display());
                return Ok(Entry { name: name_of_flag.to_owned(), value: Err(why), place });
            }
        }
    }
    Ok(Entry { name: name_of_flag.to_owned(), value: Ok(pairs.join(";")), place })
}

fn content(path: &Path) -> Result<String, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(format!("it can't be read: {error}")),
    }
}

/// What editors and package managers leave beside what they change.
fn stray(name: &str) -> bool {
    let endings = ["~", ".rpmnew", ".rpmsave", ".rpmorig", ".bak", ".swp", ".orig"];
    name.starts_with('.')
        || name.contains(".dpkg-")
        || name.contains(".ucf-")
        || endings.iter().any(|ending| name.ends_with(ending))
}

fn refused(place: PathBuf, why: &str) -> Entry {
    Entry { name: name(&place), value: Err(why.to_owned()), place }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
