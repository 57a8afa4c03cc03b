//! Waiting on an epoll of the program's own. In a static program with musl it cannot be stood in for: it is
//! in one piece with the rest of epoll.

use std::ffi::c_int;
use std::io;

use greenwire_runtime::io::Direction;
use libc::{epoll_event, sigset_t};

use crate::calls::polling::{found, limit_of, look_or_wait};
use crate::descriptors::wait_for;
use crate::errno::check;
use crate::hooks::next;

/// # Safety
///
/// That of libc's `epoll_wait`.
pub(crate) unsafe fn epoll_wait(
    epoll: c_int,
    events: *mut epoll_event,
    most: c_int,
    milliseconds: c_int,
) -> io::Result<c_int> {
    let limit = limit_of(milliseconds);
    // SAFETY: as the caller promises.
    let look = || found(unsafe { next::epoll_wait(epoll, events, most, 0) });
    look_or_wait(limit, look, |look| {
        wait_for(epoll, Direction::Read, limit, look)
    })
}

/// # Safety
///
/// That of libc's `epoll_pwait`. With a mask of signals it blocks the OS thread, whose mask that is.
pub(crate) unsafe fn epoll_pwait(
    epoll: c_int,
    events: *mut epoll_event,
    most: c_int,
    milliseconds: c_int,
    mask: *const sigset_t,
) -> io::Result<c_int> {
    if !mask.is_null() {
        // SAFETY: as the caller promises.
        return check(unsafe { next::epoll_pwait(epoll, events, most, milliseconds, mask) });
    }
    // SAFETY: as the caller promises.
    unsafe { epoll_wait(epoll, events, most, milliseconds) }
}
