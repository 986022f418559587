//! User names to the numbers that the kernel knows.
//!
//! Names are looked up in the agent and not in the container, so that a task that brings its own
//! files cannot change who it is.

use std::ffi::CString;

/// A user of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// All groups, the primary one included.
    pub groups: Vec<u32>,
}

/// A name that cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The host has no such user.
    #[error(
        "User '{0}' does not exist on this agent; create it, or start the agent with --no-switch_user"
    )]
    Unknown(String),
    /// The look-up failed.
    #[error("The look-up of user '{0}' failed")]
    Lookup(String, #[source] nix::errno::Errno),
}

impl User {
    /// Looks a user up by name.
    pub fn find(name: &str) -> Result<Self, UserError> {
        let failed = |source| UserError::Lookup(name.to_owned(), source);
        let unknown = || UserError::Unknown(name.to_owned());
        let user = nix::unistd::User::from_name(name).map_err(failed)?.ok_or_else(unknown)?;
        let text = CString::new(name).map_err(|_| unknown())?;
        let groups = nix::unistd::getgrouplist(&text, user.gid).map_err(failed)?;
        Ok(Self {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
        })
    }

    /// Whether it is the user that this process runs as.
    pub fn is_current(&self) -> bool {
        self.uid == nix::unistd::geteuid().as_raw()
    }
}
