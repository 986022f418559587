//! Reading what may be damaged: whatever lies at a path, the answer is its bytes or what is wrong.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use bytes::Bytes;

use super::records::{self, Flaw, Records};

/// Why a file cannot be used. It reads as the rest of a sentence that begins with the file.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Something else has its name.
    #[error("is no file")]
    NoFile,
    /// The kernel does not give it.
    #[error("can't be read: {0}")]
    Unreadable(#[source] io::Error),
    /// Its bytes are not what they should be.
    #[error("{0}")]
    Flawed(Flaw),
}

/// Reads a file; `None` if there is none.
pub fn whole(path: &Path) -> Result<Option<Bytes>, Unusable> {
    // A pipe of that name would keep us waiting for ever.
    let mut how = OpenOptions::new();
    let mut file = match how.read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_there(path) => {
            return Ok(None);
        }
        Err(error) => return Err(Unusable::Unreadable(error)),
    };
    if !file.metadata().map_err(Unusable::Unreadable)?.is_file() {
        return Err(Unusable::NoFile);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(Unusable::Unreadable)?;
    Ok(Some(bytes.into()))
}

/// A link that leads nowhere is there as well.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Reads a file that holds one record; `None` if there is no file.
pub fn record(path: &Path) -> Result<Option<Bytes>, Unusable> {
    whole(path)?.map(|bytes| records::single(&bytes).map_err(Unusable::Flawed)).transpose()
}

/// Reads a list or a log; there is nothing in one that does not exist.
pub fn all(path: &Path) -> Result<Records, Unusable> {
    Ok(whole(path)?.map(|bytes| records::cut(&bytes)).unwrap_or_default())
}
