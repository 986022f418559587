//! A claim on a directory: two agents in one would undo each other's work, and kill each other's
//! containers as nobody's. The kernel lets go of it when the process ends, however it does.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::daemon::StartError;

/// How often a lock is tried for: what a killed agent was just about to start may hold its files
/// for a moment longer.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Held while it lives.
#[derive(Debug)]
pub(crate) struct Claim {
    _file: File,
}

impl Claim {
    /// Claims the directory of a setting by a lock on a file in it.
    pub(crate) async fn on(
        name: &'static str,
        directory: &Path,
        lock: PathBuf,
    ) -> Result<Self, StartError> {
        let mut file = open(&lock).map_err(failed("create", &lock))?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => {
                    sign(&mut file).map_err(failed("write", &lock))?;
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(failed("lock", &lock)(error)),
            }
        }
        Err(StartError::Taken { name, path: directory.to_owned(), holder: holder(&mut file) })
    }
}

fn open(lock: &Path) -> std::io::Result<File> {
    std::fs::create_dir_all(lock.parent().unwrap_or(Path::new(".")))?;
    File::options().read(true).write(true).create(true).truncate(false).open(lock)
}

/// Leaves the number of this process, for whoever is refused.
fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    write!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match read.ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(process) => format!("another agent (process {process})"),
        None => "another agent".to_owned(),
    }
}

fn failed(what: &'static str, path: &Path) -> impl Fn(std::io::Error) -> StartError {
    let path = path.to_owned();
    move |source| StartError::Directory { what, path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_directory_has_one_agent_at_a_time() {
        let room = tempfile::tempdir().unwrap();
        let lock = room.path().join("meta/lock");
        let first = Claim::on("work_dir", room.path(), lock.clone()).await.unwrap();
        let refused = Claim::on("work_dir", room.path(), lock.clone()).await.unwrap_err();
        let own = format!("another agent (process {})", std::process::id());
        assert!(refused.to_string().contains(&own), "{refused}");
        drop(first);
        Claim::on("work_dir", room.path(), lock).await.unwrap();
    }
}
