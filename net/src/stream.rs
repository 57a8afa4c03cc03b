//! `Stream`: a connection of any kind, for protocols that do not care which.

use crate::buffer::Buffer;
use crate::calls::has_hung_up;
use crate::tcp::TcpStream;
#[cfg(feature = "tls")]
use crate::tls::TlsStream;
use crate::unix::UnixStream;
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

/// A connection: TCP, TLS over TCP, or Unix.
///
/// It behaves as what it holds: reading and writing need `&Stream` only, and
/// [`try_clone`](Stream::try_clone) gives another handle to the same connection.
///
/// ```
/// use greenwire_net::{Stream, unix::UnixStream};
/// use std::io::{self, Read, Write};
///
/// fn greet(mut stream: &Stream) -> io::Result<()> {
///     stream.write_all(b"hello")
/// }
///
/// # fn main() -> io::Result<()> {
/// let (one, mut other) = UnixStream::pair()?;
/// greet(&Stream::from(one))?;
/// assert_eq!(io::read_to_string(&mut other)?, "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// TLS, over TCP.
    #[cfg(feature = "tls")]
    Tls(TlsStream),
    /// A Unix connection.
    Unix(UnixStream),
}

/// The same call on whatever it is.
macro_rules! delegate {
    ($self:ident, $stream:ident => $call:expr) => {
        delegate!($self, $stream => $call, tls: $call)
    };
    ($self:ident, $stream:ident => $call:expr, tls: $tls:expr) => {
        match $self {
            Stream::Tcp($stream) => $call,
            #[cfg(feature = "tls")]
            Stream::Tls($stream) => $tls,
            Stream::Unix($stream) => $call,
        }
    };
}

impl Stream {
    /// Another handle to the same connection, which closes with the last one. Never fails.
    ///
    /// # Errors
    ///
    /// None; the signature is that of [`TcpStream::try_clone`].
    pub fn try_clone(&self) -> io::Result<Stream> {
        delegate!(self, stream => stream.try_clone().map(Stream::from))
    }

    /// The TCP connection, also that below TLS; `None` of a Unix connection.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Stream::Tcp(stream) => Some(stream),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => Some(stream.get_ref()),
            Stream::Unix(_) => None,
        }
    }

    /// Whether what is written is encrypted.
    pub fn is_encrypted(&self) -> bool {
        match self {
            #[cfg(feature = "tls")]
            Stream::Tls(_) => true,
            _ => false,
        }
    }

    /// Limits how long a read may wait from now on, for every handle. `None` is no limit.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn set_read_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        delegate!(self, stream => stream.set_read_timeout(dur),
            tls: stream.get_ref().set_read_timeout(dur))
    }

    /// Limits how long a write may wait from now on, for every handle. `None` is no limit.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn set_write_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        delegate!(self, stream => stream.set_write_timeout(dur),
            tls: stream.get_ref().set_write_timeout(dur))
    }

    /// Has small writes leave at once. Unix connections do so always.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.tcp()
            .map_or(Ok(()), |stream| stream.set_nodelay(nodelay))
    }

    /// Ends one direction or both, for every handle, and wakes whoever waits. TLS tells the peer the
    /// end of writing, for which it may wait.
    ///
    /// # Errors
    ///
    /// As [`TcpStream::shutdown`], or `TlsStream::shutdown`.
    ///
    /// # Cancellation
    ///
    /// May park here, with TLS.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        delegate!(self, stream => stream.shutdown(how))
    }

    /// Cuts the connection: both directions of the socket end now, without a farewell of TLS, and
    /// whoever waits is woken. Never waits. Nothing happens if the connection is gone already.
    pub fn cut(&self) {
        // An error says that it is gone.
        let _ = delegate!(self, stream => stream.shutdown(Shutdown::Both),
            tls: stream.get_ref().shutdown(Shutdown::Both));
    }

    /// Whether the peer has hung up: it sends no more, or the connection has failed. Never waits, and reads
    /// nothing; what was sent before and is still unread does not hide it. A peer that only shut its sending down
    /// has hung up, too. On other systems than Linux it is known only once both directions have ended.
    ///
    /// ```
    /// use greenwire_net::{Stream, unix::UnixStream};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let (one, other) = UnixStream::pair()?;
    /// let one = Stream::from(one);
    /// assert!(!one.has_hung_up());
    /// drop(other);
    /// assert!(one.has_hung_up());
    /// # Ok(())
    /// # }
    /// ```
    pub fn has_hung_up(&self) -> bool {
        delegate!(self, stream => has_hung_up(stream), tls: has_hung_up(stream.get_ref()))
    }

    /// Waits without a buffer until a read is likely to get something; see
    /// [`TcpStream::park_until_readable`].
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the read timeout passes.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn park_until_readable(&self) -> io::Result<()> {
        delegate!(self, stream => stream.park_until_readable())
    }

    /// Reads once, past signals, into a [`Buffer`] that is borrowed when there is something to read: who waits
    /// here owns none. Gives the buffer, and how many of its bytes were read; 0 is the end of the stream.
    ///
    /// Waits for up to `limit`; `None` is for ever. On an OS thread, and with TLS, that becomes the read timeout;
    /// elsewhere it stays what it is, which saves a system call.
    ///
    /// ```
    /// use greenwire_net::{Stream, unix::UnixStream};
    /// use std::{io::Write, time::Duration};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let (one, mut other) = UnixStream::pair()?;
    /// other.write_all(b"news")?;
    /// let (buffer, count) = Stream::from(one).read_lent(Some(Duration::from_secs(1)))?;
    /// assert_eq!(&buffer[..count], b"news");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `WouldBlock` when the limit has passed, `InvalidInput` if it is zero; as a read's otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here.
    #[inline]
    pub fn read_lent(&self, limit: Option<Duration>) -> io::Result<(Buffer, usize)> {
        delegate!(self, stream => stream.read_lent(limit), tls: read_when_readable(stream, limit))
    }

    /// As [`set_read_timeout`](Stream::set_read_timeout), which costs a system call each time; this does not if it
    /// is the limit already.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a limit of zero.
    pub fn limit_reads(&self, limit: Option<Duration>) -> io::Result<()> {
        delegate!(self, stream => stream.limit_reads(limit),
            tls: stream.get_ref().limit_reads(limit))
    }

    /// Reads what is there now and never waits. 0 is the end of the stream.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing; as a read's otherwise.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        delegate!(self, stream => stream.try_read(buf))
    }

    /// Writes what is taken now and never waits. TLS may take bytes that have not left then; see
    /// [`try_flush`](Stream::try_flush).
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing is taken; as a write's otherwise.
    #[inline]
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        delegate!(self, stream => stream.try_write(buf))
    }

    /// As [`try_write`](Stream::try_write), from several buffers; with TLS from the first that is not
    /// empty.
    ///
    /// # Errors
    ///
    /// As [`try_write`](Stream::try_write).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, bufs) {
            // The usual case, for which the kernel has a cheaper call.
            (_, [buf]) => self.try_write(buf),
            _ => delegate!(self, stream => stream.try_write_vectored(bufs),
                tls: stream.try_write(first(bufs))),
        }
    }

    /// Sends what was taken and has not left, without waiting. Only TLS has such bytes.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if not all of it has left; as a write's otherwise.
    #[inline]
    pub fn try_flush(&self) -> io::Result<()> {
        match self {
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.try_flush(),
            _ => Ok(()),
        }
    }
}

#[cfg(feature = "tls")]
fn read_when_readable(
    mut stream: &TlsStream,
    limit: Option<Duration>,
) -> io::Result<(Buffer, usize)> {
    stream.get_ref().limit_reads(limit)?;
    stream.park_until_readable()?;
    let mut buffer = Buffer::borrow();
    loop {
        match stream.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.map(|count| (buffer, count)),
        }
    }
}

#[cfg(feature = "tls")]
fn first<'a>(bufs: &'a [IoSlice<'_>]) -> &'a [u8] {
    bufs.iter()
        .find(|buf| !buf.is_empty())
        .map_or(&[], |buf| buf)
}

impl Read for &Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        delegate!(self, stream => (&*stream).read(buf))
    }
}

impl Write for &Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        delegate!(self, stream => (&*stream).write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        delegate!(self, stream => (&*stream).write_vectored(bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        delegate!(self, stream => (&*stream).flush())
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Stream {
        Stream::Tcp(stream)
    }
}

#[cfg(feature = "tls")]
impl From<TlsStream> for Stream {
    fn from(stream: TlsStream) -> Stream {
        Stream::Tls(stream)
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Stream {
        Stream::Unix(stream)
    }
}
