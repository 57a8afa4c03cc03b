//! From descriptor to descriptor: `sendfile`, `splice` and `copy_file_range`.

use std::ffi::{c_int, c_uint};
use std::io;

use greenwire_runtime::io::Direction::{self, Read, Write};
use libc::{off_t, off64_t, ssize_t};

use crate::calls::files::{self, is_file};
use crate::calls::offload::offload;
use crate::calls::sockets::whole;
use crate::descriptors::{is_nonblocking, is_ready, let_others_run, wait_for};
use crate::errno::{blocks, check, error, would_block};
use crate::hooks::next;

/// The bytes that are moved at a time.
const CHUNK: usize = 64 * 1024;

/// The bytes that are certain to fit in where there is room at all.
const ROOM: usize = 4 * 1024;

/// # Safety
///
/// That of libc's `sendfile`.
///
/// The kernel's would wait in the middle, whatever it is told. So this one reads and writes.
pub(crate) unsafe fn sendfile(
    to: c_int,
    from: c_int,
    offset: *mut off_t,
    count: usize,
) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    let plain = || check(unsafe { next::sendfile(to, from, offset, count) });
    if is_nonblocking(to) {
        return plain();
    }
    if is_file(to) || !is_file(from) {
        return offload(plain);
    }
    // SAFETY: as the caller promises.
    let begin = match unsafe { offset.as_ref() } {
        Some(offset) => *offset,
        // SAFETY: takes numbers.
        None => unsafe { libc::lseek(from, 0, libc::SEEK_CUR) },
    };
    let sent = send_from(to, from, begin, count)?;
    let end = begin + sent as off_t;
    // SAFETY: as the caller promises.
    match unsafe { offset.as_mut() } {
        Some(offset) => *offset = end,
        // SAFETY: takes numbers.
        None => drop(check(unsafe { libc::lseek(from, end, libc::SEEK_SET) })?),
    }
    Ok(sent)
}

/// Sends up to `count` bytes of a file. What was sent before an error counts.
fn send_from(to: c_int, from: c_int, begin: off_t, count: usize) -> io::Result<ssize_t> {
    let mut buf = vec![0u8; count.min(CHUNK)];
    whole(count, |sent| {
        let len = buf.len().min(count - sent);
        // SAFETY: `buf` has room for `len` bytes.
        let read =
            unsafe { files::pread(from, buf.as_mut_ptr().cast(), len, begin + sent as off_t) }?;
        // SAFETY: `read` bytes of `buf` were filled.
        unsafe { files::write(to, buf.as_ptr().cast(), read as usize) }
    })
}

/// # Safety
///
/// That of libc's `splice`. It moves a page at most, as it may.
pub(crate) unsafe fn splice(
    from: c_int,
    from_offset: *mut off64_t,
    to: c_int,
    to_offset: *mut off64_t,
    len: usize,
    flags: c_uint,
) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    let splice =
        |len, flags| check(unsafe { next::splice(from, from_offset, to, to_offset, len, flags) });
    if flags & libc::SPLICE_F_NONBLOCK != 0 {
        return splice(len, flags);
    }
    let attempt = || match is_ready(from, Read)? && is_ready(to, Write)? {
        true => splice(len.min(ROOM), flags | libc::SPLICE_F_NONBLOCK),
        false => would_block(),
    };
    let_others_run()?;
    loop {
        let moved = attempt();
        if !blocks(&moved) {
            return moved;
        }
        until_ready(from, Read)?;
        until_ready(to, Write)?;
    }
}

fn until_ready(fd: c_int, direction: Direction) -> io::Result<()> {
    if is_ready(fd, direction)? {
        return Ok(());
    }
    wait_for(fd, direction, None, || match is_ready(fd, direction)? {
        true => Ok(()),
        false => would_block(),
    })
}

/// # Safety
///
/// That of libc's `copy_file_range`.
pub(crate) unsafe fn copy_file_range(
    from: c_int,
    from_offset: *mut off64_t,
    to: c_int,
    to_offset: *mut off64_t,
    len: usize,
    flags: c_uint,
) -> io::Result<ssize_t> {
    if from < 0 || to < 0 {
        return error(libc::EBADF);
    }
    // SAFETY: as the caller promises.
    offload(|| unsafe {
        check(next::copy_file_range(
            from,
            from_offset,
            to,
            to_offset,
            len,
            flags,
        ))
    })
}
