//! What sets one piece of disk apart from another.

use std::sync::Arc;

use bytes::Bytes;

use crate::ids::Principal;
use crate::labels::Labels;

/// Where a piece of disk lies and what is kept on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Disk {
    /// The volume that outlives tasks, if it is one.
    pub persistence: Option<Persistence>,
    /// Where the volume appears in the container, as the wire's `Volume`, untouched.
    pub volume: Option<Bytes>,
    /// Which disk of the agent; the work directory's own if none.
    pub source: Option<DiskSource>,
}

/// A volume that outlives tasks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Persistence {
    /// Its name, unique within a role on an agent.
    pub id: Arc<str>,
    /// Who created it.
    pub principal: Option<Principal>,
}

/// What kind of disk it is; numbers as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskKind {
    /// A kind newer than this code.
    Unknown = 0,
    /// A directory that can be shared out.
    Path = 1,
    /// A mounted file system, used as a whole.
    Mount = 2,
    /// A block device.
    Block = 3,
    /// Storage that is not yet anything.
    Raw = 4,
}

/// Which disk of the agent a piece lies on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiskSource {
    /// What kind of disk.
    pub kind: DiskKind,
    /// Directory of a path or mount disk; may be relative to the agent's work directory. The outer
    /// level says whether the wire carried the part for the kind at all.
    pub root: Option<Option<Arc<str>>>,
    /// The storage plugin's vendor.
    pub vendor: Option<Arc<str>>,
    /// The storage plugin's name for the volume.
    pub id: Option<Arc<str>>,
    /// The storage plugin's notes.
    pub metadata: Labels,
    /// The storage profile it was made with.
    pub profile: Option<Arc<str>>,
}

impl DiskSource {
    /// Whether a resource on it can be used only as a whole.
    pub fn is_indivisible(&self) -> bool {
        match self.kind {
            DiskKind::Mount | DiskKind::Block => true,
            DiskKind::Raw => self.id.is_some(),
            DiskKind::Path | DiskKind::Unknown => false,
        }
    }
}
