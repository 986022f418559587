//! Deleting what a container left, and nothing else.
//!
//! A mount below the path is not crossed (MESOS-8830: deleting a sandbox emptied the persistent
//! volume mounted in it), nor is a symbolic link followed.

use std::io;
use std::path::{Path, PathBuf};

/// A path could not be deleted, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum GcError {
    /// The file system failed.
    #[error("Failed to delete '{path}'")]
    Io {
        /// The path.
        path: PathBuf,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// Something is mounted there; all around it is gone.
    #[error(
        "'{path}' was not deleted whole, since something is mounted at '{mount}'; unmount it first"
    )]
    Mounted {
        /// The path.
        path: PathBuf,
        /// The first mount in it.
        mount: PathBuf,
    },
}

/// Deletes `path` and all below it, save for what is mounted there. That there is no such path is
/// not an error. Blocks for as long as the file system takes.
pub fn remove(path: &Path) -> Result<(), GcError> {
    let failed = |source| GcError::Io { path: path.to_owned(), source };
    let kind = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed)?.file_type(),
    };
    if !kind.is_dir() {
        return std::fs::remove_file(path).map_err(failed);
    }
    // The kernel lists mounts by their real path.
    let real = path.canonicalize().map_err(failed)?;
    let mounts = mounts_within(&real).map_err(failed)?;
    let Some(mount) = mounts.first() else {
        // The standard library walks by descriptor: a link put in place meanwhile is not followed.
        return std::fs::remove_dir_all(&real).map_err(failed);
    };
    remove_around(&real, &mounts).map_err(failed)?;
    Err(GcError::Mounted { path: path.to_owned(), mount: mount.clone() })
}

/// Deletes what is in `path` but not what is mounted, nor the directories that lead there.
fn remove_around(path: &Path, mounts: &[PathBuf]) -> io::Result<()> {
    if mounts.iter().any(|mount| mount == path) {
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let below = entry.path();
        if !entry.file_type()?.is_dir() {
            // A file can be mounted on, too.
            if !mounts.contains(&below) {
                std::fs::remove_file(&below)?;
            }
        } else if mounts.iter().any(|mount| mount.starts_with(&below)) {
            remove_around(&below, mounts)?;
        } else {
            std::fs::remove_dir_all(&below)?;
        }
    }
    Ok(())
}

/// The mounts at or below a path.
fn mounts_within(path: &Path) -> io::Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string("/proc/self/mountinfo")?;
    // The mount point is the fifth field (proc(5)).
    let mounts = text.lines().filter_map(|line| line.split(' ').nth(4)).map(unescape);
    Ok(mounts.filter(|mount| mount.starts_with(path)).collect())
}

/// The kernel writes blanks and backslashes as three octal digits.
fn unescape(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let octal = text.get(at + 1..at + 4).filter(|_| bytes[at] == b'\\');
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 4;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    std::ffi::OsString::from_vec(plain).into()
}

#[cfg(test)]
mod tests;
