//! `TcpListener`: std's, with a longer queue.

use super::stream::TcpStream;
use crate::addr::{ToSocketAddrs, try_each};
use crate::handle::listener_handle;
use crate::listener::{BACKLOG, Listener};
use crate::socket::Socket;
use greenwire_runtime::io::Source;
use socket2::{Domain, Type};
use std::fmt;
use std::io;
use std::iter::FusedIterator;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

/// A TCP server's socket, as [`std::net::TcpListener`].
///
/// ```no_run
/// use greenwire_net::TcpListener;
/// use greenwire_runtime::thread;
/// use std::io;
///
/// fn main() -> io::Result<()> {
///     let listener = TcpListener::bind("127.0.0.1:7000")?;
///     for stream in listener.incoming() {
///         let stream = stream?;
///         thread::spawn(move || io::copy(&mut &stream, &mut &stream));
///     }
///     Ok(())
/// }
/// ```
///
/// # Differences from std
///
/// - The queue of connections that wait to be accepted is as long as the system permits
///   (`somaxconn`). Std's holds 128, and a client that finds it full tries again after a second.
/// - [`try_clone`](Self::try_clone) gives a handle to the same descriptor, which closes with the
///   last handle.
/// - The descriptor is in non-blocking mode for as long as it is here. That shows in duplicates of
///   it, as another process may hold, and is why [`into_std`](Self::into_std) needs the only handle.
pub struct TcpListener {
    listener: Arc<Listener<net::TcpListener>>,
}

impl TcpListener {
    /// Listens on the first of the addresses that can be bound.
    ///
    /// The port 0 asks the system for a free one, to be read from [`local_addr`](Self::local_addr).
    ///
    /// ```
    /// use greenwire_net::TcpListener;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// println!("listening on {}", listener.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// That of the last address tried, such as `AddrInUse`; those of
    /// [`ToSocketAddrs::to_socket_addrs`].
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        TcpListener::listen(addr, false)
    }

    /// As [`bind`](Self::bind), on an address that others may listen on, too (`SO_REUSEPORT`).
    pub(crate) fn bind_shared(addr: impl ToSocketAddrs) -> io::Result<TcpListener> {
        TcpListener::listen(addr, true)
    }

    fn listen(addr: impl ToSocketAddrs, shared: bool) -> io::Result<TcpListener> {
        let listener = try_each(addr, |addr| listen(addr, shared))?;
        Ok(TcpListener::new(Listener::new(listener)))
    }

    /// Waits for a connection, and tells whose it is.
    ///
    /// # Errors
    ///
    /// The system's. After `ConnectionAborted`, and when there are no free descriptors, the listener
    /// is as good as before; a server that goes on should pause first in the latter case.
    /// `WouldBlock` if there is no connection, after [`set_nonblocking(true)`](Self::set_nonblocking).
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.listener.accept(net::TcpListener::accept)?;
        let stream = TcpStream::new(Socket::made(stream));
        Ok((stream, peer))
    }

    /// Accepts for ever: an iterator without end over the results of [`accept`](Self::accept).
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// As [`incoming`](Self::incoming), owning the listener.
    #[must_use = "iterators are lazy"]
    pub fn into_incoming(self) -> IntoIncoming {
        IntoIncoming { listener: self }
    }

    /// The address listened on.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// Sets the time to live of the packets sent, which accepted connections take over.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.get_ref().set_ttl(ttl)
    }

    /// The time to live of the packets sent.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn ttl(&self) -> io::Result<u32> {
        self.get_ref().ttl()
    }
}

listener_handle!(TcpListener, net::TcpListener);

/// The connections of a listener, without end; see [`TcpListener::incoming`].
#[derive(Debug)]
#[must_use = "iterators are lazy"]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<io::Result<TcpStream>> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for Incoming<'_> {}

/// The connections of a listener, without end; see [`TcpListener::into_incoming`].
#[derive(Debug)]
pub struct IntoIncoming {
    listener: TcpListener,
}

impl Iterator for IntoIncoming {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<io::Result<TcpStream>> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for IntoIncoming {}

/// A listener in non-blocking mode on one address, which it may share with others.
fn listen(addr: &SocketAddr, shared: bool) -> io::Result<net::TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(*addr), Type::STREAM, None)?;
    // As std: a restarted server must not wait for the old connections of its port to be forgotten.
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&(*addr).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
