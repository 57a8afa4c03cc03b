//! `UnixDatagram`: std's.

use super::{address, retry, unless_full};
use crate::calls::{try_peek, try_peek_from, try_recv, try_recv_from, try_send, try_send_to};
use crate::handle::socket_handle;
use crate::socket::Socket;
#[cfg(any(target_os = "linux", target_os = "android"))]
use rustix::event::{PollFd, PollFlags, Timespec};
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A Unix datagram socket, as [`std::os::unix::net::UnixDatagram`].
///
/// All calls need `&UnixDatagram` only, so one thread receives while others send. No datagram is lost:
/// who sends waits until the receiver has room.
///
/// ```
/// use greenwire_net::unix::UnixDatagram;
///
/// # fn main() -> std::io::Result<()> {
/// let (near, far) = UnixDatagram::pair()?;
/// near.send(b"hello")?;
/// let mut buf = [0; 100];
/// let count = far.recv(&mut buf)?;
/// assert_eq!(&buf[..count], b"hello");
/// # Ok(())
/// # }
/// ```
///
/// # Differences from std
///
/// Those of [`UdpSocket`](crate::UdpSocket#differences-from-std).
pub struct UnixDatagram {
    socket: Arc<Socket<net::UnixDatagram>>,
}

impl UnixDatagram {
    /// Makes a socket at a path, at which there must be nothing yet.
    ///
    /// # Errors
    ///
    /// The system's, such as `AddrInUse`; `InvalidInput` for a path that is too long.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        net::UnixDatagram::bind(path).map(made)
    }

    /// Makes a socket with an address.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<UnixDatagram> {
        net::UnixDatagram::bind_addr(socket_addr).map(made)
    }

    /// Makes a socket without an address: it can send, but nobody can answer.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn unbound() -> io::Result<UnixDatagram> {
        net::UnixDatagram::unbound().map(made)
    }

    /// Two sockets that are connected with each other.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, two) = net::UnixDatagram::pair()?;
        Ok((made(one), made(two)))
    }

    /// Fixes the peer: [`send`](Self::send) goes to it, and only its datagrams are received.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.get_ref().connect(path)
    }

    /// As [`connect`](Self::connect), with an address.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn connect_addr(&self, socket_addr: &SocketAddr) -> io::Result<()> {
        self.get_ref().connect_addr(socket_addr)
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// The peer given to [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is none.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().peer_addr()
    }

    /// Receives one datagram, and tells whose it is. What does not fit into `buf` is lost.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the read timeout passes; the system's otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        if self.socket.is_the_kernels() {
            return self.get_ref().recv_from(buf);
        }
        let (count, from) = self.receive(|socket| try_recv_from(socket, buf))?;
        Ok((count, address::from_system(from)?))
    }

    /// As [`recv_from`](Self::recv_from), and leaves the datagram there.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (count, from) = self.receive(|socket| try_peek_from(socket, buf))?;
        Ok((count, address::from_system(from)?))
    }

    /// Receives one datagram. What does not fit into `buf` is lost.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if self.socket.is_the_kernels() {
            return self.get_ref().recv(buf);
        }
        self.receive(|socket| try_recv(socket, buf))
    }

    /// As [`recv`](Self::recv), and leaves the datagram there.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.receive(|socket| try_peek(socket, buf))
    }

    /// Sends one datagram to the socket at `path`, and waits while that is full; see
    /// [`unix`](crate::unix#waits-that-no-event-ends).
    ///
    /// # Errors
    ///
    /// `NotFound` if there is nothing, `ConnectionRefused` if its socket is closed, `WouldBlock` if the
    /// write timeout passes; the system's otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.send_to_addr(buf, &SocketAddr::from_pathname(path)?)
    }

    /// As [`send_to`](Self::send_to), to an address.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to).
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn send_to_addr(&self, buf: &[u8], socket_addr: &SocketAddr) -> io::Result<usize> {
        // Nobody receives at the unnamed address: std's call fails at once.
        if self.socket.is_the_kernels() || socket_addr.is_unnamed() {
            return self.get_ref().send_to_addr(buf, socket_addr);
        }
        let to = address::to_system(socket_addr)?;
        let timeout = self.socket.limit(&self.socket.write_timeout);
        retry(timeout, || {
            self.socket
                .transmit(|socket| unless_full(try_send_to(socket, buf, &to)))
        })
    }

    /// Sends one datagram to the peer given to [`connect`](Self::connect), and waits while that is
    /// full.
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is no peer, `ConnectionRefused` if it is gone, `WouldBlock` if the write
    /// timeout passes; the system's otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        if self.socket.is_the_kernels() {
            return self.get_ref().send(buf);
        }
        self.socket.transmit(|socket| try_send(socket, buf))
    }

    /// Ends one direction or both, for every handle, and wakes whoever waits on the socket: receivers
    /// get 0 bytes, senders `BrokenPipe`.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let result = self.get_ref().shutdown(how);
        self.socket.wake_all();
        result
    }

    /// Receives, or gives nothing once the socket is shut down.
    fn receive<R: Default>(
        &self,
        mut attempt: impl FnMut(&net::UnixDatagram) -> io::Result<R>,
    ) -> io::Result<R> {
        self.socket.receive(|socket| match attempt(socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && is_shut(socket) => {
                Ok(R::default())
            }
            result => result,
        })
    }
}

socket_handle!(UnixDatagram, net::UnixDatagram);

fn made(socket: net::UnixDatagram) -> UnixDatagram {
    UnixDatagram::new(Socket::made(socket))
}

/// Whether receiving has been shut down, which Linux tells only to those who wait in the kernel.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_shut(socket: &net::UnixDatagram) -> bool {
    let mut polled = [PollFd::new(socket, PollFlags::RDHUP)];
    let now = Timespec::default();
    rustix::event::poll(&mut polled, Some(&now)).is_ok()
        && polled[0].revents().contains(PollFlags::RDHUP)
}

/// Elsewhere a receive says so itself.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_shut(_: &net::UnixDatagram) -> bool {
    false
}
