//! Taking on a user's rights over files, on this thread alone.

use std::io;

use crate::users::User;

/// Becomes the user for whatever this thread does with files from now on. The kernel takes the
/// right to override permissions away with it (capabilities(7), on `setfsuid`).
pub(super) fn become_user(user: &User) -> io::Result<()> {
    let groups = &user.groups;
    // The C library would change every thread of the process; the bare call changes this one.
    // SAFETY: pointer and length describe the slice, which outlives the call.
    let result = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: integers only; both calls change this thread alone.
    unsafe {
        libc::setfsgid(user.gid);
        libc::setfsuid(user.uid);
    }
    // They report no failure but tell what was before: asking with an impossible id tells what is.
    // SAFETY: as above; the id -1 changes nothing.
    let now = unsafe { (libc::setfsgid(u32::MAX), libc::setfsuid(u32::MAX)) };
    let id = |now: libc::c_int| u32::from_ne_bytes(now.to_ne_bytes());
    if (id(now.0), id(now.1)) == (user.gid, user.uid) {
        Ok(())
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}
