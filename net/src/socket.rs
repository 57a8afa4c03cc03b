//! A socket, whatever its family: how its calls wait on either kind of thread.
//!
//! `TcpStream` is this over std's, `UnixStream` and the datagram sockets are the same over theirs. What
//! only one family has (addresses, `TCP_NODELAY`) does not belong here.

use crate::buffer::Buffer;
use crate::calls::{
    DONTWAIT_COVERS_SENDING, try_peek, try_recv, try_recv_vectored, try_send, try_send_vectored,
};
use crate::timeout::Timeout;
use greenwire_runtime::io::{Direction, Source, blocks_in_kernel};
use socket2::SockRef;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What an OS thread calls: std's own reads and writes. Named to spare every `impl` the bounds.
pub(crate) trait Stream: AsFd {
    /// Whether a read that gets less than there is room for has got all there was.
    const SHORT_READ_IS_ALL: bool;

    fn reader(&self) -> impl Read;
    fn writer(&self) -> impl Write;
}

macro_rules! streams {
    ($($Std:ty, $short_read_is_all:literal;)*) => {$(
        impl Stream for $Std {
            const SHORT_READ_IS_ALL: bool = $short_read_is_all;

            fn reader(&self) -> impl Read {
                self
            }

            fn writer(&self) -> impl Write {
                self
            }
        }
    )*};
}

streams! {
    std::net::TcpStream, true;
    // A read also ends behind bytes that a descriptor was sent with, and where the sender changes.
    std::os::unix::net::UnixStream, false;
}

#[derive(Debug)]
pub(crate) struct Socket<T: AsFd> {
    source: Source<T>,
    pub(crate) read_timeout: Timeout,
    pub(crate) write_timeout: Timeout,
    /// What the user asked of `set_nonblocking`.
    nonblocking: AtomicBool,
}

impl<T: AsFd> Socket<T> {
    /// For a socket made here: in blocking mode, without timeouts.
    pub(crate) fn made(io: T) -> Socket<T> {
        Socket::new(Source::new(io))
    }

    /// As [`made`](Socket::made), on which somebody has waited already.
    pub(crate) fn new(source: Source<T>) -> Socket<T> {
        settle(source.get_ref());
        Socket {
            source,
            read_timeout: Timeout::new(None),
            write_timeout: Timeout::new(None),
            nonblocking: AtomicBool::new(false),
        }
    }

    /// For a socket made elsewhere, with the settings it comes with.
    pub(crate) fn adopt(io: T) -> Socket<T> {
        let socket = SockRef::from(&io);
        // These fail only on a descriptor that is no socket; then so does every later call.
        let nonblocking = socket.nonblocking().unwrap_or(false);
        let read_timeout = socket.read_timeout().unwrap_or(None);
        let write_timeout = socket.write_timeout().unwrap_or(None);
        settle(&io);
        Socket {
            source: Source::new(io),
            read_timeout: Timeout::new(read_timeout),
            write_timeout: Timeout::new(write_timeout),
            nonblocking: AtomicBool::new(nonblocking),
        }
    }

    pub(crate) fn get_ref(&self) -> &T {
        self.source.get_ref()
    }

    /// Gives the socket up, in the mode that the user knows it to be in.
    pub(crate) fn into_inner(self) -> io::Result<T> {
        let io = self.source.into_inner();
        if !DONTWAIT_COVERS_SENDING {
            let nonblocking = self.nonblocking.into_inner();
            SockRef::from(&io).set_nonblocking(nonblocking)?;
        }
        Ok(io)
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        if DONTWAIT_COVERS_SENDING {
            SockRef::from(self.get_ref()).set_nonblocking(nonblocking)?;
        }
        self.nonblocking.store(nonblocking, Ordering::Relaxed);
        Ok(())
    }

    /// Makes every waiting operation try again.
    pub(crate) fn wake_all(&self) {
        self.source.wake_all();
    }

    /// Repeats `attempt`, which receives without waiting, until it gets something. Nothing is
    /// concluded from how much that was: a short datagram is no sign that there are no others.
    pub(crate) fn receive<R>(&self, attempt: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let timeout = self.limit(&self.read_timeout);
        self.source.perform(Direction::Read, timeout, attempt)
    }

    /// Repeats `attempt`, which sends without waiting, until the socket takes something.
    pub(crate) fn transmit<R>(&self, attempt: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let timeout = self.limit(&self.write_timeout);
        self.source.perform(Direction::Write, timeout, attempt)
    }

    /// Whether the caller may wait within the system call.
    #[inline]
    pub(crate) fn is_the_kernels(&self) -> bool {
        DONTWAIT_COVERS_SENDING && blocks_in_kernel()
    }

    /// How long a call may wait.
    pub(crate) fn limit(&self, timeout: &Timeout) -> Option<Duration> {
        if self.nonblocking.load(Ordering::Relaxed) {
            Some(Duration::ZERO)
        } else {
            timeout.get()
        }
    }
}

impl<T: Stream> Socket<T> {
    pub(crate) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.is_the_kernels() {
            return self.get_ref().reader().read(buf);
        }
        let timeout = self.limit(&self.read_timeout);
        self.read_by(buf.len(), timeout, |io| try_recv(io, buf))
    }

    pub(crate) fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let len = bufs.iter().map(|buf| buf.len()).sum();
        if len == 0 {
            return Ok(0);
        }
        if self.is_the_kernels() {
            return self.get_ref().reader().read_vectored(bufs);
        }
        let timeout = self.limit(&self.read_timeout);
        self.read_by(len, timeout, |io| try_recv_vectored(io, bufs))
    }

    /// Reads once, into a buffer that is borrowed for an attempt which gets something.
    #[inline]
    pub(crate) fn read_lent(&self, limit: Option<Duration>) -> io::Result<(Buffer, usize)> {
        if limit == Some(Duration::ZERO) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if self.is_the_kernels() {
            let mut buffer = Buffer::borrow();
            let read = past_signals(|| self.get_ref().reader().read(&mut buffer));
            return read.map(|count| (buffer, count));
        }
        let mut lent = None;
        let count = self.read_by(Buffer::SIZE, limit, |io| {
            let mut buffer = Buffer::borrow();
            let count = try_recv(io, &mut buffer)?;
            lent = Some(buffer);
            Ok(count)
        })?;
        Ok((lent.unwrap_or_else(Buffer::borrow), count))
    }

    /// Never waits. It tells the source what it met all the same: one that still believed in a
    /// readiness which is used up would not park.
    pub(crate) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.read_by(buf.len(), Some(Duration::ZERO), |io| try_recv(io, buf))
    }

    /// Repeats `attempt`, which reads up to `len` bytes without waiting, until it gets some or the end.
    #[inline]
    fn read_by(
        &self,
        len: usize,
        timeout: Option<Duration>,
        attempt: impl FnMut(&T) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if T::SHORT_READ_IS_ALL {
            self.source.read(len, timeout, attempt)
        } else {
            self.source.perform(Direction::Read, timeout, attempt)
        }
    }

    pub(crate) fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        // Not `Source::read`: what was peeked at is still there, however little it was.
        self.receive(|io| try_peek(io, buf))
    }

    /// Waits on either kind of thread until an operation for `direction` is worth trying.
    pub(crate) fn wait(&self, direction: Direction, timeout: Option<Duration>) -> io::Result<()> {
        self.source.wait(direction, timeout)
    }

    pub(crate) fn park_until_readable(&self) -> io::Result<()> {
        if blocks_in_kernel() {
            return Ok(());
        }
        self.wait(Direction::Read, self.read_timeout.get())
    }

    pub(crate) fn write(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.is_the_kernels() {
            return self.get_ref().writer().write(buf);
        }
        self.transmit(|io| try_send(io, buf))
    }

    pub(crate) fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if is_empty(bufs) {
            return Ok(0);
        }
        if self.is_the_kernels() {
            return self.get_ref().writer().write_vectored(bufs);
        }
        self.transmit(|io| try_send_vectored(io, bufs))
    }

    /// Never waits. Past the source: it is called from work that runs before a green thread parks,
    /// and a writer makes its own attempt before it waits, whatever the source believes.
    #[inline]
    pub(crate) fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        past_signals(|| try_send(self.get_ref(), buf))
    }

    /// As [`try_write`](Self::try_write), from several buffers.
    pub(crate) fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        if is_empty(bufs) {
            return Ok(0);
        }
        past_signals(|| try_send_vectored(self.get_ref(), bufs))
    }
}

fn is_empty(bufs: &[IoSlice<'_>]) -> bool {
    bufs.iter().all(|buf| buf.is_empty())
}

#[inline]
fn past_signals<R>(mut call: impl FnMut() -> io::Result<R>) -> io::Result<R> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Brings a socket into the state in which the calls of this file never wait and never signal.
#[cfg(not(target_vendor = "apple"))]
fn settle(_: &impl AsFd) {}

/// Brings a socket into the state in which the calls of this file never wait and never signal.
#[cfg(target_vendor = "apple")]
fn settle(io: &impl AsFd) {
    let socket = SockRef::from(io);
    // These fail only on a descriptor that is no socket; then so does every later call.
    let _ = socket.set_nonblocking(true);
    let _ = socket.set_nosigpipe(true);
}
