//! Receiving and sending, by `MSG_DONTWAIT`; accepting and connecting, which have no such flag.

use std::ffi::{c_int, c_uint, c_void};
use std::io;
use std::os::fd::RawFd;

use greenwire_runtime::io::Direction::{self, Read, Write};
use libc::{
    MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, mmsghdr, msghdr, sockaddr, socklen_t, ssize_t, timespec,
};

use crate::calls::sleeping::retry;
use crate::descriptors::{is_nonblocking, is_ready, perform, receive, timeout_of, wait_for};
use crate::errno::{blocks, check, error, would_block};
use crate::green::Plain;
use crate::hooks::next;

/// Whoever accepts asks first, and nobody may take the connection in between. The same listener may have
/// several numbers.
static ACCEPTING: Plain<()> = Plain::new(());

/// Repeats a call that moves a part of `len` bytes, from its offset on, until all are moved or an error
/// or the end comes. What was moved until then counts.
pub(crate) fn whole(
    len: usize,
    mut part: impl FnMut(usize) -> io::Result<ssize_t>,
) -> io::Result<ssize_t> {
    let mut moved = 0;
    loop {
        let count = match part(moved) {
            Ok(count) => count as usize,
            Err(_) if moved > 0 => 0,
            Err(error) => return Err(error),
        };
        moved += count;
        if count == 0 || moved >= len {
            return Ok(moved as ssize_t);
        }
    }
}

/// A call with flags, of which one asks not to wait.
fn unless_asked<R>(
    fd: RawFd,
    direction: Direction,
    flags: c_int,
    call: impl Fn(c_int) -> io::Result<R>,
) -> io::Result<R> {
    if flags & MSG_DONTWAIT != 0 {
        return call(flags);
    }
    let quick = || call(flags | MSG_DONTWAIT);
    perform(fd, direction, || match direction {
        Read => receive(fd, quick, || call(flags)),
        Write => quick(),
    })
}

/// # Safety
///
/// That of libc's `recv`.
pub(crate) unsafe fn recv(
    fd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises, for this part of the buffer.
    let part = |from: usize, flags| unsafe {
        check(next::recv(
            fd,
            buf.wrapping_byte_add(from),
            len - from,
            flags,
        ))
    };
    let receive = |from| unless_asked(fd, Read, flags, |flags| part(from, flags));
    if flags & MSG_WAITALL == 0 || flags & (MSG_DONTWAIT | MSG_PEEK) != 0 {
        return receive(0);
    }
    whole(len, receive)
}

/// # Safety
///
/// That of libc's `recvfrom`.
pub(crate) unsafe fn recvfrom(
    fd: c_int,
    buf: *mut c_void,
    len: usize,
    flags: c_int,
    from: *mut sockaddr,
    from_len: *mut socklen_t,
) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    unless_asked(fd, Read, flags, |flags| unsafe {
        check(next::recvfrom(fd, buf, len, flags, from, from_len))
    })
}

/// # Safety
///
/// That of libc's `recvmsg`.
pub(crate) unsafe fn recvmsg(fd: c_int, msg: *mut msghdr, flags: c_int) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    unless_asked(fd, Read, flags, |flags| unsafe {
        check(next::recvmsg(fd, msg, flags))
    })
}

/// # Safety
///
/// That of libc's `recvmmsg`. It returns with what is there: the timeout is for those that wait for more.
pub(crate) unsafe fn recvmmsg(
    fd: c_int,
    msgs: *mut mmsghdr,
    count: c_uint,
    flags: c_int,
    timeout: *mut timespec,
) -> io::Result<c_int> {
    // SAFETY: as the caller promises.
    unless_asked(fd, Read, flags, |flags| unsafe {
        check(next::recvmmsg(fd, msgs, count, flags, timeout))
    })
}

/// # Safety
///
/// That of libc's `send`.
pub(crate) unsafe fn send(
    fd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises, for this part of the buffer.
    let part = |from: usize, flags| unsafe {
        check(next::send(
            fd,
            buf.wrapping_byte_add(from),
            len - from,
            flags,
        ))
    };
    if flags & MSG_DONTWAIT != 0 {
        return part(0, flags);
    }
    whole(len, |from| {
        unless_asked(fd, Write, flags, |flags| part(from, flags))
    })
}

/// # Safety
///
/// That of libc's `sendto`.
pub(crate) unsafe fn sendto(
    fd: c_int,
    buf: *const c_void,
    len: usize,
    flags: c_int,
    to: *const sockaddr,
    to_len: socklen_t,
) -> io::Result<ssize_t> {
    if to.is_null() {
        // SAFETY: as the caller promises.
        return unsafe { send(fd, buf, len, flags) };
    }
    // SAFETY: as the caller promises.
    unless_asked(fd, Write, flags, |flags| unsafe {
        check(next::sendto(fd, buf, len, flags, to, to_len))
    })
}

/// # Safety
///
/// That of libc's `sendmsg`. It may send a part, as it may where a signal comes.
pub(crate) unsafe fn sendmsg(fd: c_int, msg: *const msghdr, flags: c_int) -> io::Result<ssize_t> {
    // SAFETY: as the caller promises.
    unless_asked(fd, Write, flags, |flags| unsafe {
        check(next::sendmsg(fd, msg, flags))
    })
}

/// # Safety
///
/// That of libc's `sendmmsg`. It may send fewer messages than it was given.
pub(crate) unsafe fn sendmmsg(
    fd: c_int,
    msgs: *mut mmsghdr,
    count: c_uint,
    flags: c_int,
) -> io::Result<c_int> {
    // SAFETY: as the caller promises.
    unless_asked(fd, Write, flags, |flags| unsafe {
        check(next::sendmmsg(fd, msgs, count, flags))
    })
}

/// # Safety
///
/// That of libc's `accept`.
pub(crate) unsafe fn accept(
    fd: c_int,
    addr: *mut sockaddr,
    len: *mut socklen_t,
) -> io::Result<c_int> {
    // SAFETY: as the caller promises.
    accepting(fd, || unsafe { check(next::accept(fd, addr, len)) })
}

/// # Safety
///
/// That of libc's `accept4`.
pub(crate) unsafe fn accept4(
    fd: c_int,
    addr: *mut sockaddr,
    len: *mut socklen_t,
    flags: c_int,
) -> io::Result<c_int> {
    // SAFETY: as the caller promises.
    accepting(fd, || unsafe { check(next::accept4(fd, addr, len, flags)) })
}

/// What is no listener never becomes ready, so it is asked what is wrong.
fn accepting(fd: RawFd, accept: impl Fn() -> io::Result<c_int>) -> io::Result<c_int> {
    let attempt = || {
        ACCEPTING.with(|()| match !is_listener(fd) || is_ready(fd, Read)? {
            true => accept(),
            false => would_block(),
        })
    };
    perform(fd, Read, attempt)
}

fn is_listener(fd: RawFd) -> bool {
    let mut listens: c_int = 0;
    let mut len = size_of_val(&listens) as socklen_t;
    // SAFETY: `listens` has room for `len` bytes.
    let asked = unsafe {
        let listens = (&raw mut listens).cast();
        libc::getsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_ACCEPTCONN,
            listens,
            &raw mut len,
        )
    };
    asked == 0 && listens != 0
}

/// # Safety
///
/// That of libc's `connect`.
pub(crate) unsafe fn connect(
    fd: c_int,
    addr: *const sockaddr,
    len: socklen_t,
) -> io::Result<c_int> {
    // SAFETY: as the caller promises.
    let begin = || check(unsafe { next::connect(fd, addr, len) });
    if is_nonblocking(fd) {
        return begin();
    }
    let begin = || nonblocking(fd, begin);
    let begun = match begin() {
        // A Unix listener whose queue is full. The kernel does not say when it has room.
        begun if blocks(&begun) => retry(timeout_of(fd, Write), || match begin() {
            begun if blocks(&begun) => Ok(None),
            begun => begun.map(Some),
        }),
        begun => begun,
    };
    match begun {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => connected(fd),
        begun => begun,
    }
}

/// Makes a call in non-blocking mode. Nobody else can do anything with a socket that is not connected yet,
/// so the moment is seen by nobody.
fn nonblocking<R>(fd: RawFd, call: impl FnOnce() -> R) -> R {
    // SAFETY: takes numbers and gives a number.
    let set = |flags: c_int| unsafe { libc::fcntl(fd, libc::F_SETFL, flags) };
    // SAFETY: as above.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    set(flags | libc::O_NONBLOCK);
    let result = call();
    set(flags);
    result
}

/// Waits until a connection stands or has failed.
fn connected(fd: RawFd) -> io::Result<c_int> {
    let attempt = || match is_ready(fd, Write)? {
        true => failure(fd),
        false => would_block(),
    };
    match wait_for(fd, Write, timeout_of(fd, Write), attempt) {
        // As the kernel does when the time for sending is up.
        result if blocks(&result) => error(libc::EINPROGRESS),
        result => result,
    }
}

/// The error that a socket has to tell, if there is one.
fn failure(fd: RawFd) -> io::Result<c_int> {
    let mut number: c_int = 0;
    let mut len = size_of_val(&number) as socklen_t;
    // SAFETY: `number` has room for `len` bytes.
    check(unsafe {
        let number = (&raw mut number).cast();
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, number, &raw mut len)
    })?;
    match number {
        0 => Ok(0),
        number => error(number),
    }
}
