//! The facts about living containers in the runtime directory (RC-2).
//!
//! `containers/<id>/pid` holds the first process's number, its start time and the id of the
//! host's start; `containers/<id>/status` the wait status, once there is one. They need not
//! survive a crash of the host, since no container does.

use std::io;
use std::path::{Path, PathBuf};

use super::spec::Launched;
use crate::process::boot_id;

fn directory(runtime_dir: &Path, id: &str) -> PathBuf {
    runtime_dir.join("containers").join(id)
}

/// Where the first process leaves the wait status.
pub(crate) fn status(runtime_dir: &Path, id: &str) -> PathBuf {
    directory(runtime_dir, id).join("status")
}

pub(crate) fn create(runtime_dir: &Path, id: &str) -> io::Result<()> {
    std::fs::create_dir_all(directory(runtime_dir, id))
}

pub(crate) fn remove(runtime_dir: &Path, id: &str) {
    match std::fs::remove_dir_all(directory(runtime_dir, id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("the runtime directory of container '{id}' stays: {error}");
        }
        _ => {}
    }
}

/// Writes who the first process is, and its bare number to `other` as well.
pub(crate) fn write_pid(
    runtime_dir: &Path,
    id: &str,
    launched: Launched,
    other: Option<&Path>,
) -> io::Result<()> {
    let Launched { pid, start_time } = launched;
    let text = format!("{pid} {start_time} {}\n", boot_id());
    std::fs::write(directory(runtime_dir, id).join("pid"), text)?;
    match other {
        None => Ok(()),
        Some(path) => {
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            std::fs::write(path, pid.to_string())
        }
    }
}

/// Who the first process is, if it belongs to this start of the host.
pub(crate) fn read_pid(runtime_dir: &Path, id: &str) -> Option<Launched> {
    let text = std::fs::read_to_string(directory(runtime_dir, id).join("pid")).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let launched =
        Launched { pid: fields.next()?.parse().ok()?, start_time: fields.next()?.parse().ok()? };
    (fields.next()? == boot_id()).then_some(launched)
}

/// The wait status, if there is one.
pub(crate) fn read_status(runtime_dir: &Path, id: &str) -> Option<i32> {
    std::fs::read_to_string(status(runtime_dir, id)).ok()?.trim().parse().ok()
}

/// The ids of all containers that there is a directory for.
pub(crate) fn all(runtime_dir: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(runtime_dir.join("containers")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut ids = Vec::new();
    for entry in entries {
        ids.extend(entry?.file_name().into_string());
    }
    ids.sort();
    Ok(ids)
}
