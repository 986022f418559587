//! The authenticator: who sends a request.

use abi_stable::std_types::{RBox, ROption, RResult, RString, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::{Fault, Label};

/// What is known of a request before it is let in.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq, StableAbi)]
pub struct Request {
    /// What the credentials are for, such as `mesos-master-readwrite`.
    pub realm: RString,
    /// `GET`, `POST`, …
    pub method: RString,
    /// The path without the query.
    pub path: RString,
    /// The address that it came from, as `IP:PORT`.
    pub peer: RString,
    /// The header `Authorization`, if there is one.
    pub authorization: ROption<RString>,
}

/// Somebody who was let in.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq, StableAbi)]
pub struct Principal {
    /// The name; one with claims may have none.
    pub name: ROption<RString>,
    /// What else the credentials say, by name.
    pub claims: RVec<Label>,
}

/// What an authenticator thinks of a request.
#[repr(u8)]
#[derive(Clone, Debug, PartialEq, Eq, StableAbi)]
pub enum Verdict {
    /// It comes from this principal.
    Known(Principal),
    /// It cannot tell. With nobody else to ask, the answer is 401 with this challenge in the
    /// header `WWW-Authenticate`.
    Unknown {
        /// The challenge, such as `Basic realm="mesos-master-readwrite"`.
        challenge: RString,
    },
    /// It knows, and the sender is not let in: 403.
    Forbidden {
        /// Why, for the sender.
        reason: RString,
    },
}

/// An authenticator as it crosses; the SDK makes one of its plain trait `Authenticator`, which
/// says what the call means.
#[sabi_trait]
pub trait RawAuthenticator: Send + Sync {
    /// Tells who sends the request.
    #[sabi(last_prefix_field)]
    fn authenticate(&self, request: &Request) -> RResult<Verdict, Fault>;
}

/// An authenticator as it crosses.
pub type RawAuthenticatorBox = RawAuthenticator_TO<'static, RBox<()>>;
