//! A process held by descriptor: it cannot become another one while we look away.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A process, alive or dead, that stays the same one.
#[derive(Debug)]
pub(crate) struct PidFd(OwnedFd);

impl AsRawFd for PidFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// A process's end, to be waited for.
#[derive(Debug)]
pub(crate) struct Ending(AsyncFd<Arc<PidFd>>);

impl Ending {
    /// Begins to watch; must be called within the async runtime.
    pub(crate) fn of(process: Arc<PidFd>) -> io::Result<Self> {
        // SAFETY: the descriptor is owned by the process held, never replaced, and the shared
        // pointer keeps it open for as long as it is registered.
        let registered = unsafe { AsyncFd::register_with_interest(process, Interest::READABLE) };
        registered.map(Self).map_err(|error| io::Error::other(error.to_string()))
    }

    /// Returns once the process has ended.
    pub(crate) async fn wait(&self) {
        // The runtime going away is the only failure, and nobody is left to tell then.
        drop(self.0.readable().await);
    }
}

/// What a child that ended left to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It ended with this wait status.
    Ended(i32),
    /// It runs.
    Running,
    /// It is not a child of this process.
    NotOurs,
}

impl PidFd {
    /// Takes hold of the process that has this number now.
    pub(crate) fn open(pid: u32) -> io::Result<Self> {
        // SAFETY: integers only.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just gave us this descriptor, and nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Sends a signal. That the process has ended is not an error.
    pub(crate) fn signal(&self, signal: i32) -> io::Result<()> {
        let info: *const libc::siginfo_t = std::ptr::null();
        // SAFETY: a null siginfo asks the kernel to fill it in as kill(2) does.
        let result = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, self.0.as_raw_fd(), signal, info, 0)
        };
        if result == 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            error => Err(error),
        }
    }

    /// Reaps the process if it is a child of ours that ended.
    pub(crate) fn reap(&self) -> io::Result<Wait> {
        // SAFETY: all zeros is a valid siginfo_t, a plain C structure.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let id = libc::id_t::try_from(self.0.as_raw_fd()).map_err(io::Error::other)?;
        let options = libc::WEXITED | libc::WNOHANG;
        // SAFETY: `info` is a valid place for the answer for the length of the call.
        let result = unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, options) };
        if result != 0 {
            let error = io::Error::last_os_error();
            let not_ours = error.raw_os_error() == Some(libc::ECHILD);
            return if not_ours { Ok(Wait::NotOurs) } else { Err(error) };
        }
        // SAFETY: after a waitid that succeeded the fields for children are the valid ones; they
        // are zero if there was nothing to report.
        let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
        Ok(match info.si_code {
            _ if pid == 0 => Wait::Running,
            libc::CLD_EXITED => Wait::Ended((status & 0xff) << 8),
            libc::CLD_DUMPED => Wait::Ended(status | 0x80),
            _ => Wait::Ended(status),
        })
    }
}
