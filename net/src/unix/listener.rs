//! `UnixListener`: std's, with a longer queue.

use super::UnixStream;
use crate::handle::listener_handle;
use crate::listener::{BACKLOG, Listener};
use crate::socket::Socket;
use greenwire_runtime::io::Source;
use socket2::SockRef;
use std::fmt;
use std::io;
use std::iter::FusedIterator;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// A Unix server's socket, as [`std::os::unix::net::UnixListener`].
///
/// Its file stays when the listener is gone, and has to be removed before the path can be bound again.
///
/// # Differences from std
///
/// Those of [`TcpListener`](crate::TcpListener#differences-from-std): a longer queue, handles that share
/// one descriptor, and its non-blocking mode.
pub struct UnixListener {
    listener: Arc<Listener<net::UnixListener>>,
}

impl UnixListener {
    /// Listens on a path, at which there must be nothing yet.
    ///
    /// # Errors
    ///
    /// The system's, such as `AddrInUse`; `InvalidInput` for a path that is too long.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        listen(net::UnixListener::bind(path)?)
    }

    /// Listens on an address.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<UnixListener> {
        listen(net::UnixListener::bind_addr(socket_addr)?)
    }

    /// Waits for a connection, and tells whose it is.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::accept`](crate::TcpListener::accept).
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = self.listener.accept(net::UnixListener::accept)?;
        Ok((UnixStream::new(Socket::made(stream)), peer))
    }

    /// Accepts for ever: an iterator without end over the results of [`accept`](Self::accept).
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// The address listened on.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }
}

listener_handle!(UnixListener, net::UnixListener);

impl<'a> IntoIterator for &'a UnixListener {
    type Item = io::Result<UnixStream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

/// The connections of a listener, without end; see [`UnixListener::incoming`].
#[derive(Debug)]
#[must_use = "iterators are lazy"]
pub struct Incoming<'a> {
    listener: &'a UnixListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<UnixStream>;

    fn next(&mut self) -> Option<io::Result<UnixStream>> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl FusedIterator for Incoming<'_> {}

/// Std's listener, in non-blocking mode and with a queue as long as the system permits.
fn listen(listener: net::UnixListener) -> io::Result<UnixListener> {
    SockRef::from(&listener).listen(BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(UnixListener::new(Listener::new(listener)))
}
