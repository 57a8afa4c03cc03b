//! `TcpListener`: std's, with a longer queue.

use super::stream::TcpStream;
use crate::addr::{ToSocketAddrs, try_each};
use crate::socket::Socket;
use greenwire_runtime::io::{Direction, Source};
use socket2::{Domain, SockRef, Type};
use std::fmt;
use std::io;
use std::iter::FusedIterator;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// More than any kernel permits: each cuts it to its own limit (`somaxconn`).
const BACKLOG: i32 = i32::MAX;

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
    shared: Arc<Shared>,
}

struct Shared {
    source: Source<net::TcpListener>,
    /// What the user asked of `set_nonblocking`.
    nonblocking: AtomicBool,
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
        try_each(addr, listen).map(|listener| TcpListener::share(listener, false))
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
        let nonblocking = self.shared.nonblocking.load(Ordering::Relaxed);
        let timeout = nonblocking.then_some(Duration::ZERO);
        let source = &self.shared.source;
        let (stream, peer) = source.perform(Direction::Read, timeout, net::TcpListener::accept)?;
        let stream = TcpStream::new(Socket::new(Source::new(stream)));
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

    /// Another handle to the same descriptor, so that several threads accept. Never fails.
    ///
    /// # Errors
    ///
    /// None; the signature is std's.
    pub fn try_clone(&self) -> io::Result<TcpListener> {
        let shared = self.shared.clone();
        Ok(TcpListener { shared })
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

    /// Takes the error that is pending on the socket.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot tell.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.get_ref().take_error()
    }

    /// Makes [`accept`](Self::accept) return `WouldBlock` at once instead of waiting, on every kind
    /// of thread and for every handle; or wait again.
    ///
    /// # Errors
    ///
    /// None; the signature is std's.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.shared
            .nonblocking
            .store(nonblocking, Ordering::Relaxed);
        Ok(())
    }

    /// Turns it into std's, in the mode last asked of [`set_nonblocking`](Self::set_nonblocking).
    ///
    /// # Errors
    ///
    /// `ResourceBusy` if there are other handles: the descriptor has one mode for all, and a blocking
    /// one would let their `accept` hold up every green thread of an OS thread.
    pub fn into_std(self) -> io::Result<net::TcpListener> {
        let shared = Arc::try_unwrap(self.shared).map_err(|_| io::ErrorKind::ResourceBusy)?;
        let listener = shared.source.into_inner();
        listener.set_nonblocking(shared.nonblocking.into_inner())?;
        Ok(listener)
    }

    fn get_ref(&self) -> &net::TcpListener {
        self.shared.source.get_ref()
    }

    /// The first handle to a listener in non-blocking mode.
    fn share(listener: net::TcpListener, nonblocking: bool) -> TcpListener {
        let shared = Shared {
            source: Source::new(listener),
            nonblocking: AtomicBool::new(nonblocking),
        };
        TcpListener {
            shared: Arc::new(shared),
        }
    }
}

impl From<net::TcpListener> for TcpListener {
    /// The descriptor goes into non-blocking mode; the listener goes on behaving as it did.
    fn from(listener: net::TcpListener) -> TcpListener {
        let socket = SockRef::from(&listener);
        // These fail only on a descriptor that is no socket; then so does every later call.
        let nonblocking = socket.nonblocking().unwrap_or(false);
        let _ = socket.set_nonblocking(true);
        TcpListener::share(listener, nonblocking)
    }
}

impl From<OwnedFd> for TcpListener {
    /// As from std's listener. The descriptor has to be a listening TCP socket.
    fn from(fd: OwnedFd) -> TcpListener {
        net::TcpListener::from(fd).into()
    }
}

impl TryFrom<TcpListener> for OwnedFd {
    type Error = io::Error;

    /// By [`TcpListener::into_std`].
    fn try_from(listener: TcpListener) -> io::Result<OwnedFd> {
        listener.into_std().map(OwnedFd::from)
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl AsRawFd for TcpListener {
    fn as_raw_fd(&self) -> RawFd {
        self.get_ref().as_raw_fd()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get_ref().fmt(f)
    }
}

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

/// A listener in non-blocking mode on one address.
fn listen(addr: &SocketAddr) -> io::Result<net::TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(*addr), Type::STREAM, None)?;
    // As std: a restarted server must not wait for the old connections of its port to be forgotten.
    socket.set_reuse_address(true)?;
    socket.bind(&(*addr).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
