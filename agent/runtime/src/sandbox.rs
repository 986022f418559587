//! Sandboxes: the directory a container runs in (RC-1 layout; mode 0750 as in Mesos).

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::users::User;

/// Mode of a sandbox: its user and group, and nobody else.
const MODE: u32 = 0o750;

/// Mode of the files that take the output.
const OUTPUT_MODE: u32 = 0o644;

/// A sandbox could not be made.
#[derive(Debug, thiserror::Error)]
#[error("Failed to {what} '{path}'")]
pub struct SandboxError {
    /// What was being tried.
    pub what: &'static str,
    /// On which path.
    pub path: PathBuf,
    /// What the kernel says.
    #[source]
    pub source: io::Error,
}

/// The files that take a container's standard output and error.
#[derive(Debug)]
pub struct Outputs {
    /// `stdout` in the sandbox.
    pub stdout: File,
    /// `stderr` in the sandbox.
    pub stderr: File,
}

/// Makes the sandbox at `path`, whose parents are made as needed, and its `stdout` and `stderr`.
/// All belong to `user` if one is given. The link `latest` beside it leads to it from now on (RC-1).
pub fn create(path: &Path, user: Option<&User>) -> Result<Outputs, SandboxError> {
    let failed = |what| move |source| SandboxError { what, path: path.to_owned(), source };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed("create the parents of sandbox"))?;
    }
    match DirBuilder::new().mode(MODE).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(failed("create sandbox"))?,
    }
    if let Some(user) = user {
        std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid))
            .map_err(failed("change the owner of sandbox"))?;
    }
    link_latest(path).map_err(failed("link 'latest' to sandbox"))?;
    Ok(Outputs { stdout: output(path, "stdout", user)?, stderr: output(path, "stderr", user)? })
}

/// Replaces the link at a stroke: who follows it meanwhile finds the old sandbox or the new one.
fn link_latest(path: &Path) -> io::Result<()> {
    let Some(name) = path.file_name() else { return Ok(()) };
    let mut new = std::ffi::OsString::from(".latest-");
    new.push(name);
    let new = path.with_file_name(new);
    match std::os::unix::fs::symlink(name, &new) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::rename(&new, path.with_file_name("latest")),
    }
}

fn output(sandbox: &Path, name: &str, user: Option<&User>) -> Result<File, SandboxError> {
    let path = sandbox.join(name);
    let open = || {
        // Not through a link: what is there already may be a task's.
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(OUTPUT_MODE)
            .custom_flags(libc::O_NOFOLLOW)
            .open(&path)?;
        if let Some(user) = user {
            fchown(&file, Some(user.uid), Some(user.gid))?;
        }
        Ok(file)
    };
    open().map_err(|source| SandboxError { what: "open", path: path.clone(), source })
}

/// What share of the file system under `path` is in use, from 0 to 1, as `df` counts it: space
/// that only root may use is not counted as free (Mesos docs: garbage collection).
pub fn disk_usage(path: &Path) -> io::Result<f64> {
    let stat = nix::sys::statvfs::statvfs(path)?;
    let used = stat.blocks().saturating_sub(stat.blocks_free());
    let room = used.saturating_add(stat.blocks_available());
    if room == 0 { Ok(0.0) } else { Ok(used as f64 / room as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_run_is_found_under_its_own_name_and_as_the_latest() {
        let room = tempfile::tempdir().unwrap();
        let runs = room.path().join("executors/e/runs");
        for run in ["first", "second", "second"] {
            create(&runs.join(run), None).unwrap();
            std::fs::write(runs.join("latest/stdout"), run).unwrap();
            assert_eq!(std::fs::read_to_string(runs.join(run).join("stdout")).unwrap(), run);
        }
        let mut left: Vec<_> =
            runs.read_dir().unwrap().flatten().map(|one| one.file_name()).collect();
        left.sort();
        assert_eq!(left, ["first", "latest", "second"]);
    }
}
