//! `TcpStream`: std's, with handles that share one descriptor.

use super::connect;
use crate::addr::{ToSocketAddrs, try_each};
use crate::handle::{socket_handle, stream_handle};
use crate::server::Shut;
use crate::socket::Socket;
#[cfg(feature = "tls")]
use greenwire_runtime::io::Direction;
use socket2::SockRef;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{self, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A TCP connection, as [`std::net::TcpStream`].
///
/// Reading and writing need `&TcpStream` only. Any number of threads of either kind may do so at
/// once; while one is waiting it holds a handle, so the descriptor cannot close under it.
///
/// ```
/// use greenwire_net::{Shutdown, TcpListener, TcpStream};
/// use greenwire_runtime::thread;
/// use std::io::{self, Read, Write};
///
/// # fn main() -> io::Result<()> {
/// # let listener = TcpListener::bind("127.0.0.1:0")?;
/// # let mut peer = TcpStream::connect(listener.local_addr()?)?;
/// let (stream, _) = listener.accept()?;
/// let mut writer = stream.try_clone()?;
/// let source = thread::spawn(move || {
///     for line in ["one\n", "two\n"] {
///         writer.write_all(line.as_bytes())?;
///     }
///     writer.shutdown(Shutdown::Write)
/// });
/// # peer.shutdown(Shutdown::Write)?;
/// io::copy(&mut &stream, &mut io::sink())?;
/// source.join().unwrap()?;
/// # let mut text = String::new();
/// # peer.read_to_string(&mut text)?;
/// # assert_eq!(text, "one\ntwo\n");
/// # Ok(())
/// # }
/// ```
///
/// # Differences from std
///
/// - [`try_clone`](Self::try_clone) gives a handle to the same descriptor; the connection closes
///   with the last handle.
/// - Conversions into std's type and into `OwnedFd` can fail; see [`into_std`](Self::into_std).
/// - A read into no space returns 0 at once; std's waits until there is something to read.
/// - A green thread's calls are not interrupted by signals (`ErrorKind::Interrupted`).
///
/// # Platforms
///
/// The descriptor stays in blocking mode, as std's. On Apple's systems it is in non-blocking mode for
/// as long as it is here, because there a single call cannot be kept from waiting.
pub struct TcpStream {
    socket: Arc<Socket<net::TcpStream>>,
}

impl TcpStream {
    /// Connects to the first of the addresses that accepts.
    ///
    /// # Errors
    ///
    /// That of the last address tried; those of [`ToSocketAddrs::to_socket_addrs`].
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        try_each(addr, connect::connect).map(TcpStream::new)
    }

    /// Connects to one address within `timeout`.
    ///
    /// # Errors
    ///
    /// `TimedOut` if the time is up, `InvalidInput` if there was none, the system's otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect_timeout(addr: &SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        connect::connect_timeout(addr, timeout).map(TcpStream::new)
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

    /// Sets what dropping the last handle does with bytes that are not delivered yet. `None`, the
    /// default: the system goes on delivering them. Zero: they are discarded and the peer sees a
    /// reset. Other times: the drop itself waits that long for delivery, *in the kernel*, which holds
    /// up every green thread of the OS thread.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        SockRef::from(self).set_linger(linger)
    }

    /// What was set by [`set_linger`](Self::set_linger).
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        SockRef::from(self).linger()
    }

    /// Sets whether small writes leave at once (`TCP_NODELAY`) or may wait to be joined with the next.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.get_ref().set_nodelay(nodelay)
    }

    /// Whether small writes leave at once.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.get_ref().nodelay()
    }

    /// Sets whether segments are acknowledged at once. The system may change it again on its own.
    ///
    /// # Errors
    ///
    /// The system's.
    ///
    /// # Differences from std
    ///
    /// Std's is a method of `std::os::linux::net::TcpStreamExt`, which only std can implement.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        SockRef::from(self).set_tcp_quickack(quickack)
    }

    /// Whether segments are acknowledged at once.
    ///
    /// # Errors
    ///
    /// The system's.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn quickack(&self) -> io::Result<bool> {
        SockRef::from(self).tcp_quickack()
    }

    /// Sets the time to live of the packets sent.
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

/// For protocols that are between the stream and its user.
#[cfg(feature = "tls")]
impl TcpStream {
    /// Waits on either kind of thread until an operation for `direction` is worth trying.
    pub(crate) fn wait(&self, direction: Direction, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.wait(direction, timeout)
    }

    /// As [`wait`](Self::wait), with the timeout and the mode that were set.
    pub(crate) fn wait_as_set(&self, direction: Direction) -> io::Result<()> {
        let timeout = match direction {
            Direction::Read => &self.socket.read_timeout,
            Direction::Write => &self.socket.write_timeout,
        };
        self.socket.wait(direction, self.socket.limit(timeout))
    }
}

socket_handle!(TcpStream, net::TcpStream);
stream_handle!(TcpStream);

impl TcpStream {
    /// What shuts the stream down, and does not keep it open.
    pub(crate) fn shutter(&self) -> Weak<dyn Shut> {
        let socket: Weak<Socket<net::TcpStream>> = Arc::downgrade(&self.socket);
        socket
    }
}
