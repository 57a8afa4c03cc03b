//! `UnixStream`: std's, with handles that share one descriptor.

use super::{address, retry, unless_full};
use crate::calls::DONTWAIT_COVERS_SENDING;
use crate::handle::{socket_handle, stream_handle};
use crate::server::Shut;
use crate::socket::Socket;
use greenwire_runtime::io::{Direction, Source, blocks_in_kernel};
use socket2::{Domain, Type};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A Unix connection, as [`std::os::unix::net::UnixStream`].
///
/// Reading and writing need `&UnixStream` only. Any number of threads of either kind may do so at
/// once; while one is waiting it holds a handle, so the descriptor cannot close under it.
///
/// # Differences from std
///
/// Those of [`TcpStream`](crate::TcpStream#differences-from-std).
pub struct UnixStream {
    socket: Arc<Socket<net::UnixStream>>,
}

impl UnixStream {
    /// Connects to the listener at `path`, and waits while its queue is full; see
    /// [`unix`](crate::unix#waits-that-no-event-ends).
    ///
    /// # Errors
    ///
    /// `NotFound` if there is nothing, `ConnectionRefused` if nobody listens, the system's otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// As [`connect`](Self::connect), to an address.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect_addr(socket_addr: &SocketAddr) -> io::Result<UnixStream> {
        // Nobody listens on the unnamed address: std's call fails at once.
        let stream = if blocks_in_kernel() || socket_addr.is_unnamed() {
            net::UnixStream::connect_addr(socket_addr)?
        } else {
            connect(socket_addr)?
        };
        Ok(UnixStream::new(Socket::made(stream)))
    }

    /// Two streams that are connected with each other.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, two) = net::UnixStream::pair()?;
        let stream = |std| UnixStream::new(Socket::made(std));
        Ok((stream(one), stream(two)))
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().peer_addr()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }
}

socket_handle!(UnixStream, net::UnixStream);
stream_handle!(UnixStream);

impl UnixStream {
    /// What shuts the stream down, and does not keep it open.
    pub(crate) fn shutter(&self) -> Weak<dyn Shut> {
        let socket: Weak<Socket<net::UnixStream>> = Arc::downgrade(&self.socket);
        socket
    }
}

/// The kernel either connects at once or says that the queue is full.
fn connect(addr: &SocketAddr) -> io::Result<net::UnixStream> {
    let addr = address::to_system(addr)?;
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let source = Source::new(socket);
    let attempt =
        |socket: &_| unless_full(rustix::net::connect(socket, &addr).map_err(io::Error::from));
    retry(None, || source.perform(Direction::Write, None, attempt))?;
    let socket = source.into_inner();
    if DONTWAIT_COVERS_SENDING {
        socket.set_nonblocking(false)?;
    }
    Ok(OwnedFd::from(socket).into())
}
