//! Waiting for child processes to end.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use greenwire_runtime::io::Direction::Read;
use libc::{id_t, idtype_t, pid_t, siginfo_t};

use crate::calls::offload::offload;
use crate::descriptors::{let_others_run, wait_for};
use crate::errno::{blocks, check, would_block};
use crate::hooks::next;
use crate::raw;

/// A descriptor that becomes readable when the child ends.
fn open(pid: pid_t) -> io::Result<OwnedFd> {
    let args = [pid as usize, 0, 0, 0, 0, 0];
    // SAFETY: takes numbers.
    let descriptor = unsafe { raw::call(libc::SYS_pidfd_open, args) }?;
    // SAFETY: it is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as c_int) })
}

/// # Safety
///
/// That of libc's `waitpid`.
pub(crate) unsafe fn waitpid(pid: pid_t, status: *mut c_int, options: c_int) -> io::Result<pid_t> {
    // SAFETY: as the caller promises.
    let wait = |options| check(unsafe { next::waitpid(pid, status, options) });
    if options & libc::WNOHANG != 0 {
        return wait(options);
    }
    let attempt = || match wait(options | libc::WNOHANG)? {
        0 => would_block(),
        pid => Ok(pid),
    };
    ended(
        attempt,
        || open(pid),
        pid > 0 && options == 0,
        || wait(options),
    )
}

/// # Safety
///
/// That of libc's `wait`.
pub(crate) unsafe fn wait(status: *mut c_int) -> io::Result<pid_t> {
    // SAFETY: as the caller promises.
    unsafe { waitpid(-1, status, 0) }
}

/// # Safety
///
/// That of libc's `waitid`.
pub(crate) unsafe fn waitid(
    kind: idtype_t,
    id: id_t,
    info: *mut siginfo_t,
    options: c_int,
) -> io::Result<c_int> {
    // SAFETY: as the caller promises.
    let wait = |options| check(unsafe { next::waitid(kind, id, info, options) });
    if options & libc::WNOHANG != 0 || info.is_null() {
        return wait(options);
    }
    let attempt = || {
        // SAFETY: the caller passes room for it. All zeros are a value of it.
        unsafe { info.write_bytes(0, 1) };
        wait(options | libc::WNOHANG)?;
        // SAFETY: `waitid` has filled it in, or left the zeros.
        match unsafe { (*info).si_pid() } {
            0 => would_block(),
            _ => Ok(0),
        }
    };
    let has_descriptor = matches!(kind, libc::P_PID | libc::P_PIDFD);
    let only_ends = options & (libc::WSTOPPED | libc::WCONTINUED) == 0;
    let open = || match kind {
        libc::P_PIDFD => duplicate(id as c_int),
        _ => open(id as pid_t),
    };
    ended(attempt, open, has_descriptor && only_ends, || wait(options))
}

fn duplicate(fd: c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes a number.
    let duplicate = check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) })?;
    // SAFETY: it is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(duplicate) })
}

/// Repeats `attempt` when the child has ended, by a descriptor of it if there is one, and otherwise has an
/// OS thread wait.
fn ended<R: Send + 'static>(
    mut attempt: impl FnMut() -> io::Result<R>,
    open: impl FnOnce() -> io::Result<OwnedFd>,
    has_descriptor: bool,
    plain: impl Fn() -> io::Result<R> + Copy,
) -> io::Result<R> {
    let_others_run()?;
    let first = attempt();
    if !blocks(&first) {
        return first;
    }
    match has_descriptor.then(open) {
        Some(Ok(descriptor)) => wait_for(descriptor.as_raw_fd(), Read, None, attempt),
        _ => offload(plain),
    }
}
