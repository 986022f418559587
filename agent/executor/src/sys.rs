//! The kernel calls that the standard library has no words for, each behind a safe function.
//!
//! Nothing here decides anything.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::time::Duration;

/// The result of a C call that returns a negative number on failure.
fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Makes the calling process the leader of a new session and process group.
pub fn new_session() -> io::Result<()> {
    // SAFETY: setsid takes no pointers and affects only this process.
    checked(unsafe { libc::setsid() }).map(drop)
}

/// Makes orphans below this process its children, so that none escapes it.
pub fn adopt_orphans() -> io::Result<()> {
    let on: libc::c_ulong = 1;
    // SAFETY: this option takes one integer and no pointers.
    checked(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, on) }).map(drop)
}

/// Asks for `SIGKILL` when the parent of this process dies.
pub fn die_with_parent() -> io::Result<()> {
    let signal = libc::SIGKILL as libc::c_ulong;
    // SAFETY: this option takes one integer and no pointers.
    checked(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) }).map(drop)
}

/// The id of this process's parent at this moment.
pub fn parent() -> i32 {
    // SAFETY: getppid cannot fail and touches no memory.
    unsafe { libc::getppid() }
}

/// Sets the mask for the modes of new files.
pub fn set_umask(mask: u32) {
    // SAFETY: umask cannot fail and touches no memory of ours.
    unsafe { libc::umask(mask) };
}

/// Sets one resource limit of this process.
pub fn set_limit(resource: u32, soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: `limit` is a valid rlimit for the length of the call; the kernel checks `resource`.
    checked(unsafe { libc::setrlimit(resource as _, &raw const limit) }).map(drop)
}

/// Becomes another user for good: supplementary groups, then group, then user.
pub fn become_user(uid: u32, gid: u32, groups: &[u32]) -> io::Result<()> {
    // SAFETY: the pointer and the length describe the slice, which outlives the call.
    checked(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) })?;
    // SAFETY: integers only.
    checked(unsafe { libc::setresgid(gid, gid, gid) })?;
    // SAFETY: integers only.
    checked(unsafe { libc::setresuid(uid, uid, uid) }).map(drop)
}

/// Sends a signal to a process, or to a whole group if `pid` is negative. That there is nobody
/// left to receive it is not an error.
pub fn send_signal(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: integers only.
    match checked(unsafe { libc::kill(pid, signal) }) {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        other => other.map(drop),
    }
}

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaped {
    /// It ended, with this wait status.
    Ended {
        /// The child.
        pid: i32,
        /// The status as `waitpid` gave it.
        status: i32,
    },
    /// There are children, and all of them run.
    Running,
    /// There are no children.
    Childless,
}

/// Collects any child that ended; waits for one if `block`.
pub fn reap(block: bool) -> io::Result<Reaped> {
    let mut status = 0;
    let options = if block { 0 } else { libc::WNOHANG };
    loop {
        // SAFETY: `status` is a valid place for an integer for the length of the call.
        match checked(unsafe { libc::waitpid(-1, &raw mut status, options) }) {
            Ok(0) => return Ok(Reaped::Running),
            Ok(pid) => return Ok(Reaped::Ended { pid, status }),
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => {
                return Ok(Reaped::Childless);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// An empty signal set with `signals` added.
fn signal_set(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the whole set it is given, and cannot fail on a valid pointer.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised on the line above.
    let mut set = unsafe { set.assume_init() };
    for &signal in signals {
        // SAFETY: `set` is an initialised set; a bad number is refused and changes nothing.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    set
}

/// Holds back `signals` from this process and from programs that it starts, until they take them
/// back with [`unblock_signals`].
pub fn block_signals(signals: &[i32]) -> io::Result<()> {
    let set = signal_set(signals);
    // SAFETY: `set` is initialised; the old mask is not asked for.
    checked(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) })
        .map(drop)
}

/// Holds back no signal from this process any more.
pub fn unblock_signals() -> io::Result<()> {
    let set = signal_set(&[]);
    // SAFETY: `set` is initialised; the old mask is not asked for.
    checked(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) })
        .map(drop)
}

/// A file that is readable when one of `signals`, which must be blocked, has arrived.
pub fn signal_file(signals: &[i32]) -> io::Result<File> {
    let set = signal_set(signals);
    // SAFETY: `set` is initialised and outlives the call; -1 asks for a new descriptor.
    let fd = checked(unsafe {
        libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    })?;
    // SAFETY: the kernel just gave us this descriptor, and nobody else owns it.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// The signals that have arrived on a file of [`signal_file`].
pub fn read_signals(file: &File) -> Vec<i32> {
    use std::io::Read;
    const SIZE: usize = size_of::<libc::signalfd_siginfo>();
    let mut arrived = Vec::new();
    let mut record = [0_u8; SIZE];
    while let Ok(SIZE) = (&mut &*file).read(&mut record) {
        // The number is the first field (signalfd(2)), an unsigned 32-bit integer.
        let number = u32::from_ne_bytes([record[0], record[1], record[2], record[3]]);
        arrived.extend(i32::try_from(number));
    }
    arrived
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// That there is something to read.
    Read(RawFd),
    /// That there is room to write, or a connection is made.
    Write(RawFd),
}

/// Waits until one of `files` is ready or `timeout` is over, and says which are ready.
pub fn wait_ready<const N: usize>(
    files: [Option<Watch>; N],
    timeout: Option<Duration>,
) -> io::Result<[bool; N]> {
    // poll(2) ignores entries whose descriptor is negative.
    let mut entries = files.map(|watch| {
        let (fd, events) = match watch {
            Some(Watch::Read(fd)) => (fd, libc::POLLIN),
            Some(Watch::Write(fd)) => (fd, libc::POLLOUT),
            None => (-1, 0),
        };
        libc::pollfd { fd, events, revents: 0 }
    });
    // Rounded up, so that a timer is never met a millisecond early, over and over.
    let millis =
        timeout.map_or(-1, |t| i32::try_from(t.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
    // SAFETY: pointer and length describe the array, which outlives the call.
    match checked(unsafe { libc::poll(entries.as_mut_ptr(), N as libc::nfds_t, millis) }) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
        _ => {}
    }
    Ok(entries.map(|entry| entry.revents != 0))
}

/// Begins a TCP connection without waiting for it: once the socket can be written to, it is made
/// or the socket has an error.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: integers only.
    let fd = checked(unsafe { libc::socket(family, kind, 0) })?;
    // SAFETY: the kernel just gave us this descriptor, and nobody else owns it.
    let socket = unsafe { TcpStream::from_raw_fd(fd) };
    let begun = match address {
        SocketAddr::V4(v4) => {
            let name = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            connect_to(&socket, &name)
        }
        SocketAddr::V6(v6) => {
            let name = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            };
            connect_to(&socket, &name)
        }
    };
    match begun {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(socket),
    }
}

/// Calls connect(2) with a socket address of the kernel's.
fn connect_to<T>(socket: &TcpStream, name: &T) -> io::Result<()> {
    let name = std::ptr::from_ref(name).cast();
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: `name` and `length` describe a socket address that outlives the call; the kernel
    // checks its family.
    checked(unsafe { libc::connect(socket.as_raw_fd(), name, length) }).map(drop)
}

/// Puts `/dev/null` where this process's standard input was.
pub fn forget_stdin() -> io::Result<()> {
    let null = File::open("/dev/null")?;
    // SAFETY: both are open descriptors; the old standard input has no owner in this process.
    checked(unsafe { libc::dup2(null.as_raw_fd(), 0) }).map(drop)
}

/// Puts `/dev/null` where this process's standard output or error was.
pub fn forget_output(number: RawFd) -> io::Result<()> {
    let null = File::options().write(true).open("/dev/null")?;
    replace(number, &null)
}

/// Puts a file where this process's standard output or error was.
pub fn replace(number: RawFd, file: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: integers only; standard output and error have no owner in this process.
    checked(unsafe { libc::dup2(file.as_raw_fd(), number) }).map(drop)
}

/// Goes on in a child of the calling process, which ends at once. Only for a process that has
/// one thread and nothing to lose, such as one between fork and exec.
pub fn leave_parent() -> io::Result<()> {
    // SAFETY: this process has one thread, so that the child's copy of memory is sound.
    if checked(unsafe { libc::fork() })? > 0 {
        // SAFETY: ends this process without running anything of it.
        unsafe { libc::_exit(0) };
    }
    Ok(())
}

/// Keeps a descriptor open in the program that this process becomes.
pub fn keep_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: integers only; the kernel checks `fd`.
    checked(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }).map(drop)
}

/// The kernel's words for a signal, such as `Killed`.
pub fn signal_name(signal: i32) -> String {
    // SAFETY: strsignal returns a string that stays valid until its next call, and this process
    // has one thread; for an unknown number it returns a text too.
    let text = unsafe { libc::strsignal(signal) };
    if text.is_null() {
        return format!("{signal}");
    }
    // SAFETY: not null, and NUL-terminated by its contract.
    unsafe { std::ffi::CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// 16 bytes of the kernel's chance.
pub fn chance() -> [u8; 16] {
    let mut bytes = [0_u8; 16];
    // SAFETY: pointer and length describe the array. Up to 256 bytes come whole or not at all
    // (getrandom(2)); should they not come, the zeros are caught by whoever sees them twice.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    bytes
}
