//! What a store asks of a file system, one thing each: the places where a crash leaves something
//! half done. Tests put a medium of their own in its place and stop it anywhere.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A file system, as far as a store changes it.
pub trait Medium: std::fmt::Debug + Send {
    /// Makes one directory.
    fn make_directory(&self, path: &Path) -> io::Result<()>;
    /// Writes these bytes to a file, in place of those it had; it is made if there is none.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Adds bytes to the end of a file, which is made if there is none.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Cuts a file to a length in bytes.
    fn cut(&self, path: &Path, length: u64) -> io::Result<()>;
    /// Makes the bytes of a file, or the entries of a directory, survive a crash of the host.
    fn flush(&self, path: &Path) -> io::Result<()>;
    /// Gives a file another name, in place of what has that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a symbolic link at `path`.
    fn link(&self, path: &Path, target: &Path) -> io::Result<()>;
    /// Removes a file or a link.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The file system of this host.
#[derive(Clone, Copy, Debug)]
pub struct FileSystem;

impl Medium for FileSystem {
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        open(OpenOptions::new().truncate(true), path)?.write_all(bytes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        open(OpenOptions::new().append(true), path)?.write_all(bytes)
    }

    fn cut(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(length)?;
        file.sync_all()
    }

    fn flush(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn link(&self, path: &Path, target: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }
}

/// Descriptions of tasks may hold secrets, so nobody else reads them.
fn open(how: &mut OpenOptions, path: &Path) -> io::Result<File> {
    how.write(true).create(true).mode(0o600).open(path)
}
