//! The door for foreign libraries: waiting on a descriptor that somebody else owns.

use greenwire_runtime::io::{Direction, Source, blocks_in_kernel};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Waits until something can be read from a descriptor: data, a connection, the end, or an error.
///
/// For libraries that bring their own sockets and can be told not to wait: call them, and whenever
/// they say that they would have to wait, wait here.
///
/// ```
/// use greenwire_net::wait_readable;
/// use std::io::{self, ErrorKind, Read, Write};
/// use std::os::unix::net::UnixStream;
/// use std::time::Duration;
///
/// # fn main() -> io::Result<()> {
/// let (mut ours, mut foreign) = UnixStream::pair()?;
/// foreign.set_nonblocking(true)?;
/// let reader = greenwire_runtime::thread::spawn(move || -> io::Result<u8> {
///     let mut byte = [0];
///     loop {
///         match foreign.read(&mut byte) {
///             Err(error) if error.kind() == ErrorKind::WouldBlock => {
///                 wait_readable(&foreign, Some(Duration::from_secs(5)))?
///             }
///             result => return result.map(|_| byte[0]),
///         }
///     }
/// });
/// ours.write_all(b"x")?;
/// assert_eq!(reader.join().unwrap()?, b'x');
/// # Ok(())
/// # }
/// ```
///
/// The descriptor may be in either mode, and may be one that others wait on at the same time: other
/// threads by this function, an event loop, one of greenwire's own sockets. A regular file is always
/// ready.
///
/// # Closing
///
/// A green thread that has to wait does so on a duplicate of the descriptor. So the number may be closed
/// meanwhile, as a C library might do, and be given to another file: that wakes nobody, and disturbs no
/// wait on the other file. But what was opened stays open until the wait ends: use a `timeout`, or end
/// the connection with `shutdown`, which the waiting thread is told of.
///
/// A descriptor that is waited on again and again costs less as a
/// [`Source`], which registers it once.
///
/// # Errors
///
/// [`TimedOut`](ErrorKind::TimedOut) if `timeout` passes; the system's, when there is no free descriptor
/// for the duplicate, or when the descriptor is of a kind that cannot be waited on.
///
/// # Cancellation
///
/// May park here.
pub fn wait_readable(fd: impl AsFd, timeout: Option<Duration>) -> io::Result<()> {
    wait(fd.as_fd(), Direction::Read, timeout)
}

/// Waits until a descriptor takes something to write, or has an error to tell. A connection that was
/// begun without waiting stands or has failed then.
///
/// Everything else is as with [`wait_readable`].
///
/// # Errors
///
/// As [`wait_readable`].
///
/// # Cancellation
///
/// May park here.
pub fn wait_writable(fd: impl AsFd, timeout: Option<Duration>) -> io::Result<()> {
    wait(fd.as_fd(), Direction::Write, timeout)
}

fn wait(fd: BorrowedFd<'_>, direction: Direction, timeout: Option<Duration>) -> io::Result<()> {
    let waited = if blocks_in_kernel() || timeout == Some(Duration::ZERO) {
        // Nothing is registered.
        until_ready(fd, direction, timeout)
    } else if Source::new(fd).perform(direction, None, |fd| is_ready(fd, direction))? {
        // By way of `perform`, which lets others run now and then.
        Ok(())
    } else {
        until_ready(fd.try_clone_to_owned()?, direction, timeout)
    };
    waited.map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => {
            io::Error::new(ErrorKind::TimedOut, "the descriptor was not ready in time")
        }
        _ => error,
    })
}

/// Asks again after each wake, which is only a hint.
fn until_ready(fd: impl AsFd, direction: Direction, timeout: Option<Duration>) -> io::Result<()> {
    Source::new(fd).perform(direction, timeout, |fd| match is_ready(fd, direction)? {
        true => Ok(()),
        false => Err(ErrorKind::WouldBlock.into()),
    })
}

fn is_ready(fd: impl AsFd, direction: Direction) -> io::Result<bool> {
    let flags = match direction {
        Direction::Read => PollFlags::IN,
        Direction::Write => PollFlags::OUT,
    };
    let now = Timespec::default();
    Ok(poll(&mut [PollFd::new(&fd, flags)], Some(&now))? > 0)
}
