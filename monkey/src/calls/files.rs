//! `read` and `write` and their like, on whatever a descriptor stands for.
//!
//! `preadv2` and `pwritev2` with `RWF_NOWAIT` try without waiting, on sockets, pipes and files in the page
//! cache. What does not know the flag is asked by `poll` before; files go to the pool of `unblock`.

use std::ffi::{c_int, c_long, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use greenwire_runtime::io::Direction::{self, Read, Write};
use libc::{iovec, off_t, ssize_t};

use crate::calls::offload::offload;
use crate::calls::sleeping::retry;
use crate::calls::sockets::whole;
use crate::descriptors::{
    is_nonblocking, let_others_run_at, once_ready, receive, timeout_of, wait_for,
};
use crate::errno::{blocks, check};
use crate::hooks::next;
use crate::raw;

/// In place of an offset: the descriptor's own position.
const HERE: off_t = -1;

/// The standard output and error streams. std holds locks that belong to the OS thread while it writes to
/// them.
fn is_standard(fd: RawFd) -> bool {
    fd == libc::STDOUT_FILENO || fd == libc::STDERR_FILENO
}

/// A call that is tried by `quick`, which does not wait, and is `plain` where nobody minds that it waits.
fn transfer(
    fd: RawFd,
    direction: Direction,
    mut quick: impl FnMut() -> io::Result<ssize_t>,
    plain: impl Fn() -> io::Result<ssize_t> + Copy,
) -> io::Result<ssize_t> {
    let_others_run_at(fd)?;
    let mut quick = || match direction {
        Read => receive(fd, &mut quick, plain),
        Write => quick(),
    };
    let first = quick();
    if !blocks(&first) && !is_unknown(&first) {
        return first;
    }
    if is_file(fd) {
        return offload(plain);
    }
    if is_unknown(&first) {
        return once_ready(fd, direction, plain);
    }
    if is_nonblocking(fd) {
        return first;
    }
    wait_for(fd, direction, timeout_of(fd, direction), quick)
}

/// Whether a descriptor, or the kernel, does not know how not to wait.
fn is_unknown<T>(result: &io::Result<T>) -> bool {
    let number = result.as_ref().err().and_then(io::Error::raw_os_error);
    matches!(number, Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EINVAL))
}

/// Files are always ready, and yet have to wait for their disk.
pub(crate) fn is_file(fd: RawFd) -> bool {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `status` is valid for writing, and written if the call succeeds.
    let mode = unsafe {
        if libc::fstat(fd, status.as_mut_ptr()) != 0 {
            return false;
        }
        status.assume_init().st_mode
    };
    [libc::S_IFREG, libc::S_IFBLK, libc::S_IFDIR].contains(&(mode & libc::S_IFMT))
}

/// `preadv2` or `pwritev2`, without waiting.
///
/// # Safety
///
/// The slices are valid for the call.
unsafe fn quick(
    number: c_long,
    fd: RawFd,
    slices: *const iovec,
    count: c_int,
    offset: off_t,
) -> io::Result<ssize_t> {
    let slices = slices.expose_provenance();
    let flags = libc::RWF_NOWAIT as usize;
    let args = [
        fd as usize,
        slices,
        count as usize,
        offset as usize,
        0,
        flags,
    ];
    // SAFETY: as the caller promises.
    unsafe { raw::call(number, args) }
}

/// # Safety
///
/// `buf` is valid for what the call does with it.
unsafe fn quick_one(
    number: c_long,
    fd: RawFd,
    buf: *mut c_void,
    len: usize,
    offset: off_t,
) -> io::Result<ssize_t> {
    let slice = iovec {
        iov_base: buf,
        iov_len: len,
    };
    // SAFETY: as the caller promises.
    unsafe { quick(number, fd, &raw const slice, 1, offset) }
}

/// # Safety
///
/// That of libc's `read`.
pub(crate) unsafe fn read(fd: c_int, buf: *mut c_void, len: usize) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    let plain = || check(unsafe { next::read(fd, buf, len) });
    // SAFETY: as the caller promises.
    let quick = || unsafe { quick_one(libc::SYS_preadv2, fd, buf, len, HERE) };
    transfer(fd, Read, quick, plain)
}

/// # Safety
///
/// That of libc's `readv`.
pub(crate) unsafe fn readv(fd: c_int, slices: *const iovec, count: c_int) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    let plain = || check(unsafe { next::readv(fd, slices, count) });
    // SAFETY: as the caller promises.
    let quick = || unsafe { quick(libc::SYS_preadv2, fd, slices, count, HERE) };
    transfer(fd, Read, quick, plain)
}

/// # Safety
///
/// That of libc's `pread`.
pub(crate) unsafe fn pread(
    fd: c_int,
    buf: *mut c_void,
    len: usize,
    offset: off_t,
) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    let plain = || check(unsafe { next::pread(fd, buf, len, offset) });
    if offset < 0 {
        return plain();
    }
    // SAFETY: as the caller promises.
    let quick = || unsafe { quick_one(libc::SYS_preadv2, fd, buf, len, offset) };
    transfer(fd, Read, quick, plain)
}

/// # Safety
///
/// That of libc's `write`.
pub(crate) unsafe fn write(fd: c_int, buf: *const c_void, len: usize) -> io::Result<ssize_t> {
    if is_standard(fd) {
        // SAFETY: as the caller promises.
        return check(unsafe { next::write(fd, buf, len) });
    }
    if len == 0 {
        // A datagram, perhaps: the calls that do not wait would send none.
        // SAFETY: as the caller promises.
        return once_ready(fd, Write, || check(unsafe { next::write(fd, buf, 0) }));
    }
    whole(len, |from| {
        let (buf, len) = (buf.wrapping_byte_add(from), len - from);
        // SAFETY: as the caller promises, for this part of the buffer.
        let plain = || check(unsafe { next::write(fd, buf, len) });
        // SAFETY: as the caller promises.
        let quick = || unsafe { quick_one(libc::SYS_pwritev2, fd, buf.cast_mut(), len, HERE) };
        transfer(fd, Write, quick, plain)
    })
}

/// # Safety
///
/// That of libc's `writev`. It may write a part, as it may where a signal comes.
pub(crate) unsafe fn writev(fd: c_int, slices: *const iovec, count: c_int) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    let plain = || check(unsafe { next::writev(fd, slices, count) });
    if is_standard(fd) {
        return plain();
    }
    // SAFETY: as the caller promises.
    let quick = || unsafe { quick(libc::SYS_pwritev2, fd, slices, count, HERE) };
    transfer(fd, Write, quick, plain)
}

/// # Safety
///
/// That of libc's `pwrite`.
pub(crate) unsafe fn pwrite(
    fd: c_int,
    buf: *const c_void,
    len: usize,
    offset: off_t,
) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    let plain = || check(unsafe { next::pwrite(fd, buf, len, offset) });
    if offset < 0 {
        return plain();
    }
    // SAFETY: as the caller promises.
    let quick = || unsafe { quick_one(libc::SYS_pwritev2, fd, buf.cast_mut(), len, offset) };
    transfer(fd, Write, quick, plain)
}

/// # Safety
///
/// That of libc's `fsync`.
pub(crate) unsafe fn fsync(fd: c_int) -> io::Result<c_int> {
    // SAFETY: takes a number.
    offload(move || check(unsafe { next::fsync(fd) }))
}

/// # Safety
///
/// That of libc's `fdatasync`.
pub(crate) unsafe fn fdatasync(fd: c_int) -> io::Result<c_int> {
    // SAFETY: takes a number.
    offload(move || check(unsafe { next::fdatasync(fd) }))
}

/// # Safety
///
/// That of libc's `flock`.
pub(crate) unsafe fn flock(fd: c_int, operation: c_int) -> io::Result<c_int> {
    // SAFETY: takes numbers.
    let lock = |operation| check(unsafe { next::flock(fd, operation) });
    if operation & (libc::LOCK_NB | libc::LOCK_UN) != 0 {
        return lock(operation);
    }
    // An OS thread for each who waits could use up the pool that whoever has the lock needs.
    retry(None, || match lock(operation | libc::LOCK_NB) {
        locked if blocks(&locked) => Ok(None),
        locked => locked.map(Some),
    })
}
