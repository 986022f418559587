//! Names of things: cheap to clone, ordered, one type each. Rules for their text live in `rules`.

mod container;
mod pid;
mod role;
mod rules;
#[cfg(test)]
mod tests;
mod uuid;

use std::fmt;
use std::sync::Arc;

pub use container::ContainerId;
pub use pid::{Pid, PidError};
pub use role::Role;
pub use rules::IdError;
pub use uuid::{Uuid, UuidError};

/// Defines an id: a newtype over shared text, with the rule its `parse` applies.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $wire:ty, $rule:path) => {
        id!($(#[$doc])* $name, $rule);

        impl From<$wire> for $name {
            fn from(wire: $wire) -> Self {
                Self::new(wire.value)
            }
        }

        impl From<&$wire> for $name {
            fn from(wire: &$wire) -> Self {
                Self::new(wire.value.as_str())
            }
        }

        impl $name {
            /// This id as the wire carries it.
            pub fn to_wire(&self) -> $wire {
                <$wire>::from(self)
            }
        }

        impl From<&$name> for $wire {
            fn from(id: &$name) -> Self {
                Self { value: id.as_str().to_owned() }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident, $rule:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes text that is already known to be fit, or whose rules are checked elsewhere.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// Takes text from outside.
            ///
            /// # Errors
            /// The rule the text breaks.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                $rule(text)?;
                Ok(Self(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }
    };
}
pub(crate) use id;

use reeve_wire::v1;

id!(
    /// An agent, as the master that admitted it named it: `<master id>-S<number>`.
    AgentId, v1::AgentId, rules::path_safe
);
id!(
    /// A framework: `<master id>-<four digits>` unless the framework brought its own.
    FrameworkId, v1::FrameworkId, rules::path_safe
);
id!(
    /// An offer: `<master id>-O<number>`.
    OfferId, v1::OfferId, rules::path_safe
);
id!(
    /// A task, named by its framework (Mesos docs: ids become directory names).
    TaskId, v1::TaskId, rules::path_safe
);
id!(
    /// An executor, named by its framework.
    ExecutorId, v1::ExecutorId, rules::path_safe
);

/// The executor of a command task has its task's name.
impl From<&TaskId> for ExecutorId {
    fn from(task: &TaskId) -> Self {
        Self(task.0.clone())
    }
}

id!(
    /// An offer operation whose framework wants to hear of its outcome.
    OperationId, v1::OperationId, rules::path_safe
);
id!(
    /// A provider of resources beside the agent itself (storage through CSI).
    ResourceProviderId, v1::ResourceProviderId, rules::path_safe
);
id!(
    /// Whom a caller has proved to be; free text.
    Principal, rules::present
);
