//! Fetching what a task asks for into its sandbox (Mesos docs: fetcher).
//!
//! Everything happens with the file system rights of the task's user, on a thread that takes them
//! on for good and ends with the fetch: what the user may not read is not fetched for it, and
//! what is fetched belongs to it. Nothing is written outside the sandbox, whatever a name or an
//! archive says ([`beneath`]).
//!
//! - `uri`: what is to be fetched, from where, and under which name.
//! - `http`, `tls`: the client.
//! - `archive`: what is extracted, and how.
//! - `identity`: becoming the user.

mod archive;
mod beneath;
mod http;
mod identity;
mod tls;
mod uri;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::users::User;
use beneath::Root;
pub use uri::Uri;
use uri::{Place, Source};

/// Why something could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URI cannot be understood, or asks for what is not there.
    #[error("'{uri}' cannot be fetched: {why}")]
    Uri {
        /// The URI.
        uri: String,
        /// What is wrong with it.
        why: String,
    },
    /// The transfer failed.
    #[error("Failed to {what} for '{uri}'")]
    Transfer {
        /// The URI.
        uri: String,
        /// What was being tried.
        what: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The user's rights could not be taken on.
    #[error("Failed to take on the rights of user {uid}")]
    Identity {
        /// The user.
        uid: u32,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// The sandbox cannot be opened.
    #[error("Failed to open the sandbox '{path}'")]
    Sandbox {
        /// The sandbox.
        path: PathBuf,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
}

/// How to fetch.
pub struct Fetch<'a> {
    /// Where to.
    pub sandbox: &'a Path,
    /// With whose rights; the agent's if none.
    pub user: Option<&'a User>,
    /// How long there may be no byte.
    pub stall: Duration,
    /// Whether nobody waits for it any more.
    pub abandoned: &'a (dyn Fn() -> bool + Sync),
}

impl std::fmt::Debug for Fetch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetch").field("sandbox", &self.sandbox).finish_non_exhaustive()
    }
}

impl Fetch<'_> {
    /// Fetches all, in order, up to the first failure. Blocks.
    pub fn all(&self, uris: &[Uri]) -> Result<(), FetchError> {
        let Some(user) = self.user else { return self.each(uris) };
        let failed = |source| FetchError::Identity { uid: user.uid, source };
        std::thread::scope(|scope| {
            // A thread of its own, since there is no way back.
            let thread = std::thread::Builder::new().name("fetch".to_owned());
            let run = move || {
                identity::become_user(user).map_err(failed)?;
                self.each(uris)
            };
            let thread = thread.spawn_scoped(scope, run).map_err(failed)?;
            thread.join().unwrap_or_else(|_| Err(failed(io::Error::other("the thread died"))))
        })
    }

    fn each(&self, uris: &[Uri]) -> Result<(), FetchError> {
        let root = Root::open(self.sandbox)
            .map_err(|source| FetchError::Sandbox { path: self.sandbox.to_owned(), source })?;
        uris.iter().try_for_each(|uri| self.one(&root, uri))
    }

    fn one(&self, root: &Root, uri: &Uri) -> Result<(), FetchError> {
        let named = |why: String| FetchError::Uri { uri: uri.value.clone(), why };
        let failed = |what: &str| {
            let (uri, what) = (uri.value.clone(), what.to_owned());
            move |source| FetchError::Transfer { uri, what, source }
        };
        let Source { place, name } = uri.source().map_err(named)?;
        let mode = if uri.executable { 0o755 } else { 0o644 };
        let mut target = root.create(&name, mode).map_err(failed("create the file"))?;
        match place {
            Place::Local(path) => {
                let mut source = open_plain(&path).map_err(failed("open the source"))?;
                self.copy(&mut source, &mut target).map_err(failed("copy"))?;
            }
            Place::Http(url) => {
                let mut body =
                    http::get(url, self.stall, self.abandoned).map_err(failed("download"))?;
                self.copy(&mut body, &mut target).map_err(failed("download"))?;
            }
        }
        drop(target);
        if uri.extract && !uri.executable {
            archive::extract(root, &name, self.abandoned).map_err(failed("extract"))?;
        }
        Ok(())
    }

    fn copy(&self, from: &mut dyn Read, to: &mut File) -> io::Result<()> {
        copy(from, to, self.abandoned)
    }
}

/// Opens a file to read; anything else than a plain file might never end.
fn open_plain(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Without blocking: opening a pipe that nobody writes to would wait for ever.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other(format!("'{}' is not a plain file", path.display())))
    }
}

/// Copies until the end, unless nobody waits for it any more.
fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    abandoned: &(dyn Fn() -> bool + Sync),
) -> io::Result<()> {
    let mut buffer = vec![0_u8; 64 << 10];
    loop {
        if abandoned() {
            return Err(io::Error::other("the container is being destroyed"));
        }
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
