//! Files below one directory, and never outside it.
//!
//! Every look-up is the kernel's own with `RESOLVE_BENEATH` (openat2(2)), so that neither `..` nor
//! an absolute name nor a symbolic link, whoever made it and when, leads outside. What exists
//! under a name is replaced and not written through.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// No archive needs directories deeper than this.
const MAX_DEPTH: usize = 128;

/// A directory below which all happens.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(File::open(path)?.into()))
    }

    /// Makes a new file, and its directories; what was there under that name is gone.
    pub(super) fn create(&self, path: &Path, mode: u32) -> io::Result<File> {
        let (parent, name) = self.place(path)?;
        unlink(&parent, &name)?;
        let flags = libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY | libc::O_CLOEXEC;
        // SAFETY: the name is NUL-terminated and outlives the call.
        let fd = unsafe {
            libc::openat(parent.as_raw_fd(), name.as_ptr(), flags | libc::O_NOFOLLOW, mode)
        };
        owned(fd.into()).map(File::from)
    }

    /// Opens a plain file to read.
    pub(super) fn read(&self, path: &Path) -> io::Result<File> {
        let path = inside(path)?;
        resolve(&self.0, &path, libc::O_RDONLY).map(File::from)
    }

    /// Makes a directory, and those above it.
    pub(super) fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.directory(&inside(path)?).map(drop)
    }

    /// Makes a symbolic link. Its text may be anything: nothing here follows it outside.
    pub(super) fn symlink(&self, path: &Path, target: &Path) -> io::Result<()> {
        let (parent, name) = self.place(path)?;
        let target = CString::new(target.as_os_str().as_bytes())?;
        unlink(&parent, &name)?;
        // SAFETY: both texts are NUL-terminated and outlive the call.
        done(unsafe { libc::symlinkat(target.as_ptr(), parent.as_raw_fd(), name.as_ptr()) })
    }

    /// Makes another name for a file that is inside too.
    pub(super) fn hard_link(&self, path: &Path, existing: &Path) -> io::Result<()> {
        let (from, from_name) = self.place(existing)?;
        let (to, to_name) = self.place(path)?;
        unlink(&to, &to_name)?;
        // SAFETY: both names are NUL-terminated and outlive the call; no flag: a link is not
        // followed.
        done(unsafe {
            libc::linkat(from.as_raw_fd(), from_name.as_ptr(), to.as_raw_fd(), to_name.as_ptr(), 0)
        })
    }

    /// The directory that a path is in, made if need be, and the name in it.
    fn place(&self, path: &Path) -> io::Result<(OwnedFd, CString)> {
        let path = inside(path)?;
        let name = path.file_name().ok_or_else(|| outside(&path))?;
        let parent = self.directory(path.parent().unwrap_or(Path::new("")))?;
        Ok((parent, CString::new(name.as_bytes())?))
    }

    fn directory(&self, path: &Path) -> io::Result<OwnedFd> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let whole = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        match resolve(&self.0, whole, flags) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        let parent = self.directory(path.parent().unwrap_or(Path::new("")))?;
        let name = CString::new(path.file_name().unwrap_or(OsStr::new(".")).as_bytes())?;
        // SAFETY: the name is NUL-terminated and outlives the call.
        done(unsafe { libc::mkdirat(parent.as_raw_fd(), name.as_ptr(), 0o755) })?;
        resolve(&self.0, whole, flags)
    }
}

/// A path as names only: `.` and a leading `/` are dropped as `tar` does; `..` is refused.
fn inside(path: &Path) -> io::Result<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => return Err(outside(path)),
        }
    }
    if clean.components().count() > MAX_DEPTH {
        return Err(io::Error::other(format!("'{}' is too deep", path.display())));
    }
    Ok(clean)
}

fn outside(path: &Path) -> io::Error {
    let text = format!("'{}' leads outside of the sandbox", path.display());
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

fn resolve(root: &OwnedFd, path: &Path, flags: libc::c_int) -> io::Result<OwnedFd> {
    let text = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: all zeros is a valid open_how, a structure of integers.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = u64::try_from(flags | libc::O_CLOEXEC | libc::O_NONBLOCK).unwrap_or_default();
    how.resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS;
    // SAFETY: the text is NUL-terminated, `how` is initialised and its size is given; both outlive
    // the call.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            root.as_raw_fd(),
            text.as_ptr(),
            &raw const how,
            size_of::<libc::open_how>(),
        )
    };
    match owned(fd) {
        Err(error) if error.raw_os_error() == Some(libc::EXDEV) => Err(outside(path)),
        other => other,
    }
}

fn unlink(parent: &OwnedFd, name: &CString) -> io::Result<()> {
    // SAFETY: the name is NUL-terminated and outlives the call.
    match done(unsafe { libc::unlinkat(parent.as_raw_fd(), name.as_ptr(), 0) }) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn owned(fd: libc::c_long) -> io::Result<OwnedFd> {
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave us this descriptor, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn done(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
