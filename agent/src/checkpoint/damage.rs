//! Damaged checkpoints: what is lost with one, and how it is put away so that the next start finds
//! a whole tree. People get to see it: nothing is thrown away.

use std::fmt;
use std::path::{Path, PathBuf};

use reeve_agent_runtime::checkpoint::{CheckpointError, Store};

use super::layout::Layout;

/// One thing in the tree that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it lies.
    pub path: PathBuf,
    /// What is wrong with it: the rest of a sentence that begins with the path.
    pub what: String,
    /// What goes with it.
    pub lost: Lost,
    /// What becomes of it.
    pub remedy: Remedy,
}

/// What becomes of something damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It is moved away.
    Move,
    /// A copy is put away, and these records take its place: those of a list or a log that are
    /// whole.
    Keep(Vec<Vec<u8>>),
    /// It stays: a directory that can't be listed may be whole all the same.
    Leave,
}

/// What a damage costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nothing: the writer died before anybody was told that it is safe.
    Nothing,
    /// This, in words.
    This(String),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' {}; ", self.path.display(), self.what)?;
        match &self.lost {
            Lost::Nothing => write!(f, "nothing is lost with that"),
            Lost::This(lost) => write!(f, "lost with that: {lost}"),
        }
    }
}

impl Damage {
    /// Puts it away, below `damaged` in the tree, and says where it is now.
    ///
    /// # Errors
    ///
    /// If the file system does not let it be moved.
    pub fn put_away(&self, layout: &Layout, store: &Store) -> Result<PathBuf, CheckpointError> {
        let to = place(layout, &self.path);
        match &self.remedy {
            Remedy::Leave => return Ok(self.path.clone()),
            Remedy::Move => store.set_aside(&self.path, &to)?,
            // Its name always leads to something: to what it was, or to what is whole of it.
            Remedy::Keep(records) => {
                let copied = std::fs::read(&self.path).map_err(|source| {
                    let what = "read again";
                    CheckpointError::Io { what, path: self.path.clone(), source }
                })?;
                store.write(&to, &copied)?;
                store.write_records(&self.path, records)?;
            }
        }
        Ok(to)
    }
}

/// A free name for what was at `path`.
fn place(layout: &Layout, path: &Path) -> PathBuf {
    let name = path.strip_prefix(layout.meta()).unwrap_or(path);
    let name = name.to_string_lossy().replace('/', "!");
    // A name that is too long for the file system keeps what tells most: its end.
    let start = name.char_indices().rev().map(|(at, _)| at).find(|at| name.len() - at >= 200);
    let name = &name[start.unwrap_or(0)..];
    let room = layout.damaged();
    let free = |to: &PathBuf| to.symlink_metadata().is_err();
    let numbered = (1_u32..).map(|number| room.join(format!("{name}.{number}")));
    std::iter::once(room.join(name)).chain(numbered).find(free).unwrap_or(room)
}
