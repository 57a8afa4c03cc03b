//! What a websocket runs over: TCP, or TLS over TCP. Nothing else in the crate knows which.

use greenwire_net::TcpStream;
#[cfg(feature = "tls")]
use greenwire_net::tls::TlsStream;
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;

/// A connected stream; clones are handles to the same connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(feature = "tls")]
    Tls(TlsStream),
}

impl Stream {
    /// The connection whose timeouts and options are those of the stream.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Stream::Tcp(stream) => stream,
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.get_ref(),
        }
    }

    pub(crate) fn handle(&self) -> io::Result<Stream> {
        Ok(match self {
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone()?),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => Stream::Tls(stream.try_clone()?),
        })
    }

    /// Waits without a buffer; see [`TcpStream::park_until_readable`].
    pub(crate) fn park_until_readable(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.park_until_readable(),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.park_until_readable(),
        }
    }

    /// Reads what is there now.
    pub(crate) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.try_read(buf),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.try_read(buf),
        }
    }

    /// Writes what is taken now.
    pub(crate) fn try_write(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, parts) {
            (Stream::Tcp(stream), [part]) => stream.try_write(part),
            (Stream::Tcp(stream), parts) => stream.try_write_vectored(parts),
            #[cfg(feature = "tls")]
            (Stream::Tls(stream), parts) => {
                stream.try_write(parts.first().map_or(&[], |part| part))
            }
        }
    }

    /// Sends what was taken and has not left; `false` if it has to wait for that.
    pub(crate) fn try_flush(&self) -> io::Result<bool> {
        match self {
            Stream::Tcp(_) => Ok(true),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => match stream.try_flush() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
                flushed => flushed.map(|()| true),
            },
        }
    }

    /// Ends writing, so that the peer sees the end of the stream.
    pub(crate) fn end_writing(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.shutdown(Shutdown::Write),
        }
    }
}

impl Read for &Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => (&*stream).read(buf),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => (&*stream).read(buf),
        }
    }
}

impl Write for &Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => (&*stream).write(buf),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => (&*stream).write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => (&*stream).flush(),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => (&*stream).flush(),
        }
    }
}
