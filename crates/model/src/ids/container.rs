//! Containers nest, so their ids do.

use std::fmt;
use std::sync::Arc;

use reeve_wire::v1;

/// A container, and the one it runs inside of, if any.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId {
    /// Its own name, unique below its parent.
    pub value: Arc<str>,
    /// The container around it.
    pub parent: Option<Arc<ContainerId>>,
}

/// Deepest nesting taken from outside; Mesos itself nests two deep.
const DEEPEST: usize = 32;

impl ContainerId {
    /// A container of its own.
    pub fn new(value: impl Into<Arc<str>>) -> Self {
        Self { value: value.into(), parent: None }
    }

    /// A container inside this one.
    #[must_use]
    pub fn child(&self, value: impl Into<Arc<str>>) -> Self {
        Self { value: value.into(), parent: Some(Arc::new(self.clone())) }
    }

    /// The outermost container.
    pub fn root(&self) -> &Self {
        let mut at = self;
        while let Some(parent) = &at.parent {
            at = parent;
        }
        at
    }

    /// As the wire carries it.
    pub fn to_wire(&self) -> v1::ContainerId {
        let parent = self.parent.as_ref().map(|parent| Box::new(parent.to_wire()));
        v1::ContainerId { value: self.value.to_string(), parent }
    }
}

/// Reads a container id; what nests deeper than 32 loses its outermost names.
impl From<&v1::ContainerId> for ContainerId {
    fn from(wire: &v1::ContainerId) -> Self {
        let mut chain = vec![wire];
        while let Some(parent) = chain.last().and_then(|at| at.parent.as_deref()) {
            if chain.len() == DEEPEST {
                break;
            }
            chain.push(parent);
        }
        let mut parent = None;
        for wire in chain.iter().skip(1).rev() {
            parent = Some(Arc::new(Self { value: wire.value.as_str().into(), parent }));
        }
        Self { value: wire.value.as_str().into(), parent }
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = &self.parent {
            write!(f, "{parent}.")?;
        }
        f.write_str(&self.value)
    }
}

impl fmt::Debug for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
