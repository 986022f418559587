//! What sets one piece of disk apart from another.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use reeve_wire::v1;
use reeve_wire::v1::resource::disk_info;

use crate::error::WireError;
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
            DiskKind::Path => false,
        }
    }
}

impl Disk {
    /// Reads the wire; a description that says nothing, which some clients send, is none.
    ///
    /// # Errors
    /// If the kind of disk is unknown.
    pub fn from_wire(wire: &v1::resource::DiskInfo) -> Result<Option<Self>, WireError> {
        if wire.persistence.is_none() && wire.volume.is_none() && wire.source.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            persistence: wire.persistence.as_ref().map(|one| Persistence {
                id: one.id.as_str().into(),
                principal: one.principal.as_deref().map(Principal::new),
            }),
            volume: wire.volume.as_ref().map(|volume| Bytes::from(volume.encode_to_vec())),
            source: wire.source.as_ref().map(DiskSource::from_wire).transpose()?,
        }))
    }

    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::resource::DiskInfo {
        v1::resource::DiskInfo {
            persistence: self.persistence.as_ref().map(|one| disk_info::Persistence {
                id: one.id.to_string(),
                principal: one.principal.as_ref().map(Principal::to_string),
            }),
            // The bytes were made by encoding a volume, so they decode.
            volume: self.volume.clone().and_then(|volume| v1::Volume::decode(volume).ok()),
            source: self.source.as_ref().map(DiskSource::to_wire),
        }
    }
}

impl DiskSource {
    fn from_wire(wire: &disk_info::Source) -> Result<Self, WireError> {
        use disk_info::source::Type;
        let text = |text: &Option<String>| text.as_deref().map(Arc::<str>::from);
        let (kind, root) = match Type::try_from(wire.r#type) {
            Ok(Type::Path) => (DiskKind::Path, wire.path.as_ref().map(|path| text(&path.root))),
            Ok(Type::Mount) => (DiskKind::Mount, wire.mount.as_ref().map(|path| text(&path.root))),
            Ok(Type::Block) => (DiskKind::Block, None),
            Ok(Type::Raw) => (DiskKind::Raw, None),
            Ok(Type::Unknown) | Err(_) => {
                return Err(WireError::new(
                    "disk.source.type",
                    "must be PATH, MOUNT, BLOCK or RAW",
                ));
            }
        };
        Ok(Self {
            kind,
            root,
            vendor: text(&wire.vendor),
            id: text(&wire.id),
            metadata: wire.metadata.as_ref().map(Labels::from).unwrap_or_default(),
            profile: text(&wire.profile),
        })
    }

    fn to_wire(&self) -> disk_info::Source {
        use disk_info::source::{Mount, Path, Type};
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        let root = self.root.as_ref().map(text);
        let (kind, path, mount) = match self.kind {
            DiskKind::Path => (Type::Path, root.map(|root| Path { root }), None),
            DiskKind::Mount => (Type::Mount, None, root.map(|root| Mount { root })),
            DiskKind::Block => (Type::Block, None, None),
            DiskKind::Raw => (Type::Raw, None, None),
        };
        disk_info::Source {
            r#type: kind.into(),
            path,
            mount,
            vendor: text(&self.vendor),
            id: text(&self.id),
            metadata: self.metadata.to_wire(),
            profile: text(&self.profile),
        }
    }
}
