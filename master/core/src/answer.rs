//! What the core says to a request that waits, and the words for it. HTTP statuses are the shell's.

use reeve_model::{AgentId, FrameworkId, Principal};

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The call is taken; events tell what comes of it (202).
    Accepted,
    /// What was asked is done (200): `UPDATE_FRAMEWORK`, `/teardown`.
    Done,
    /// The call is refused.
    Refused(Refusal),
}

/// Why a call is refused. The texts are those that clients of Mesos see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such framework (400).
    #[error("Framework cannot be found")]
    UnknownFramework,
    /// No such framework to tear down (400).
    #[error("No framework found with specified ID")]
    NothingToTearDown,
    /// Somebody calls for a framework that belongs to another principal (400).
    #[error("Authenticated principal '{0}' does not match principal '{1}' set in `FrameworkInfo`")]
    NotTheOwner(Principal, String),
    /// The framework has no scheduler at the moment (403).
    #[error("Framework is not subscribed")]
    NotSubscribed,
    /// The framework's driver calls, and the link to it broke (drivers only).
    #[error("Framework disconnected")]
    Disconnected,
    /// The framework's scheduler is a v0 driver (403).
    #[error("Framework is not connected via HTTP")]
    NotHttp,
    /// A call without a stream id (400).
    #[error("All non-subscribe calls should include the 'Mesos-Stream-Id' header")]
    StreamMissing,
    /// A call with the id of another stream (400). The shell, which knows what the header said,
    /// may quote it.
    #[error(
        "The stream ID included in this request didn't match the stream ID currently associated \
         with framework ID '{0}'"
    )]
    StreamStale(FrameworkId),
    /// The scheduler may not do that (403).
    #[error("{0}")]
    Forbidden(String),
    /// No agent of this id is known (404).
    #[error("Agent '{0}' not found")]
    UnknownAgent(AgentId),
    /// Something else about the agent is being written (503).
    #[error("Agent '{0}' is being registered, removed or marked at this moment; try again")]
    AgentBusy(AgentId),
    /// Something else about the agent is being written, which may make the call senseless (409).
    #[error("Agent '{0}' is changing at this moment; look at it and try again")]
    Conflict(AgentId),
    /// The master has not read its registry yet (503).
    #[error("The master does not lead yet")]
    NotLeading,
    /// More would be guaranteed than the cluster has (409).
    #[error("Quota guarantees overcommit the cluster (use 'force' to bypass this check): {0}")]
    Overcommits(String),
    /// The call says something that cannot be (400).
    #[error("{0}")]
    Invalid(String),
}
