//! What kinds of modules there are.

use std::fmt;
use std::time::Duration;

/// What kind of work a module does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Says who is offered what next.
    Allocator,
    /// Confines containers.
    Isolator,
    /// Has a say in what is launched.
    Hook,
    /// Says where the output of containers goes.
    ContainerLogger,
    /// Says how much is granted and not used.
    ResourceEstimator,
    /// Says which revocable work must go.
    QosController,
    /// Says who sends a request.
    Authenticator,
    /// Says who may do what.
    Authorizer,
    /// Knows secrets by their names.
    SecretResolver,
    /// Is there as long as the daemon.
    Anonymous,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 10] = [
        Kind::Allocator,
        Kind::Isolator,
        Kind::Hook,
        Kind::ContainerLogger,
        Kind::ResourceEstimator,
        Kind::QosController,
        Kind::Authenticator,
        Kind::Authorizer,
        Kind::SecretResolver,
        Kind::Anonymous,
    ];

    /// Its name in manifests and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allocator => "allocator",
            Self::Isolator => "isolator",
            Self::Hook => "hook",
            Self::ContainerLogger => "container_logger",
            Self::ResourceEstimator => "resource_estimator",
            Self::QosController => "qos_controller",
            Self::Authenticator => "authenticator",
            Self::Authorizer => "authorizer",
            Self::SecretResolver => "secret_resolver",
            Self::Anonymous => "anonymous",
        }
    }

    /// How long a call may take before it is reported.
    pub fn deadline(self) -> Duration {
        match self {
            Self::Allocator => Duration::from_secs(1),
            Self::Isolator => Duration::from_secs(30),
            // A request or a launch waits for these.
            _ => Duration::from_secs(5),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous module"),
            Self::QosController => f.write_str("QoS controller"),
            other => f.write_str(&other.name().replace('_', " ")),
        }
    }
}
