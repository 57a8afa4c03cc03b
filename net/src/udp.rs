//! `UdpSocket`: std's.

use crate::addr::{ToSocketAddrs, try_each};
use crate::calls::{try_peek, try_peek_from, try_recv, try_recv_from, try_send, try_send_to};
use crate::handle::socket_handle;
use crate::socket::Socket;
use rustix::net::SocketAddrAny;
use std::fmt;
use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

/// A UDP socket, as [`std::net::UdpSocket`].
///
/// All calls need `&UdpSocket` only, so one thread receives while others send.
///
/// ```
/// use greenwire_net::UdpSocket;
/// use greenwire_runtime::thread;
///
/// # fn main() -> std::io::Result<()> {
/// let server = UdpSocket::bind("127.0.0.1:0")?;
/// let addr = server.local_addr()?;
/// let echo = thread::spawn(move || {
///     let mut buf = [0; 1500];
///     let (count, from) = server.recv_from(&mut buf)?;
///     server.send_to(&buf[..count], from)
/// });
/// let client = UdpSocket::bind("127.0.0.1:0")?;
/// client.connect(addr)?;
/// client.send(b"hello")?;
/// let mut buf = [0; 1500];
/// let count = client.recv(&mut buf)?;
/// assert_eq!(&buf[..count], b"hello");
/// # echo.join().unwrap()?;
/// # Ok(())
/// # }
/// ```
///
/// # Differences from std
///
/// - [`try_clone`](Self::try_clone) gives a handle to the same descriptor; the socket closes with
///   the last handle.
/// - Conversions into std's type and into `OwnedFd` can fail; see [`into_std`](Self::into_std).
/// - A green thread's calls are not interrupted by signals (`ErrorKind::Interrupted`).
///
/// # Platforms
///
/// The descriptor stays in blocking mode, except on Apple's systems; see
/// [`TcpStream`](crate::TcpStream#platforms).
pub struct UdpSocket {
    socket: Arc<Socket<net::UdpSocket>>,
}

impl UdpSocket {
    /// Makes a socket with the first of the addresses that can be bound.
    ///
    /// # Errors
    ///
    /// That of the last address tried; those of [`ToSocketAddrs::to_socket_addrs`].
    ///
    /// # Cancellation
    ///
    /// May park here, if there is a name to look up.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        let socket = try_each(addr, |addr| net::UdpSocket::bind(addr))?;
        Ok(UdpSocket::new(Socket::made(socket)))
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
        let received = self.socket.receive(|socket| try_recv_from(socket, buf))?;
        with_address(received)
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
        if self.socket.is_the_kernels() {
            return self.get_ref().peek_from(buf);
        }
        let received = self.socket.receive(|socket| try_peek_from(socket, buf))?;
        with_address(received)
    }

    /// Sends one datagram to the first of the addresses.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no address; `WouldBlock` if the write timeout passes; the system's
    /// otherwise, among them what an earlier datagram met.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let Some(addr) = addr.to_socket_addrs()?.next() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no addresses to send data to",
            ));
        };
        if self.socket.is_the_kernels() {
            return self.get_ref().send_to(buf, addr);
        }
        self.socket
            .transmit(|socket| try_send_to(socket, buf, &addr))
    }

    /// Fixes the peer: [`send`](Self::send) goes to it, and only its datagrams are received. Of several
    /// addresses the first that works is taken. Nothing is sent, so this does not wait.
    ///
    /// # Errors
    ///
    /// That of the last address tried; those of [`ToSocketAddrs::to_socket_addrs`].
    ///
    /// # Cancellation
    ///
    /// May park here, if there is a name to look up.
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        try_each(addr, |addr| self.get_ref().connect(addr))
    }

    /// Sends one datagram to the peer given to [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the write timeout passes; the system's otherwise, such as `ConnectionRefused`
    /// if nobody received an earlier one.
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

    /// Receives one datagram from the peer given to [`connect`](Self::connect). What does not fit into
    /// `buf` is lost.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the read timeout passes; the system's otherwise.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        if self.socket.is_the_kernels() {
            return self.get_ref().recv(buf);
        }
        self.socket.receive(|socket| try_recv(socket, buf))
    }

    /// As [`recv`](Self::recv), and leaves the datagram there.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        if self.socket.is_the_kernels() {
            return self.get_ref().peek(buf);
        }
        self.socket.receive(|socket| try_peek(socket, buf))
    }

    /// The peer given to [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is none.
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

/// Methods that only hand on to std's.
macro_rules! options {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $Type:ty),*) -> $Result:ty;)*) => {
        impl UdpSocket {$(
            $(#[$doc])*
            ///
            /// # Errors
            ///
            /// The system's.
            pub fn $name(&self $(, $argument: $Type)*) -> io::Result<$Result> {
                self.get_ref().$name($($argument),*)
            }
        )*}
    };
}

options! {
    /// Permits sending to broadcast addresses, or forbids it.
    set_broadcast(broadcast: bool) -> ();
    /// Whether sending to broadcast addresses is permitted.
    broadcast() -> bool;
    /// Sets whether what is sent to IPv4 groups comes back to this host.
    set_multicast_loop_v4(multicast_loop_v4: bool) -> ();
    /// Whether what is sent to IPv4 groups comes back to this host.
    multicast_loop_v4() -> bool;
    /// Sets the time to live of what is sent to IPv4 groups.
    set_multicast_ttl_v4(multicast_ttl_v4: u32) -> ();
    /// The time to live of what is sent to IPv4 groups.
    multicast_ttl_v4() -> u32;
    /// Sets whether what is sent to IPv6 groups comes back to this host.
    set_multicast_loop_v6(multicast_loop_v6: bool) -> ();
    /// Whether what is sent to IPv6 groups comes back to this host.
    multicast_loop_v6() -> bool;
    /// Joins an IPv4 group on the interface with this address; unspecified: on one that fits.
    join_multicast_v4(multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> ();
    /// Joins an IPv6 group on the interface with this index; 0: on any.
    join_multicast_v6(multiaddr: &Ipv6Addr, interface: u32) -> ();
    /// Leaves a group that was joined with the same arguments.
    leave_multicast_v4(multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> ();
    /// Leaves a group that was joined with the same arguments.
    leave_multicast_v6(multiaddr: &Ipv6Addr, interface: u32) -> ();
    /// Sets the time to live of the datagrams sent.
    set_ttl(ttl: u32) -> ();
    /// The time to live of the datagrams sent.
    ttl() -> u32;
}

socket_handle!(UdpSocket, net::UdpSocket);

fn with_address((count, from): (usize, Option<SocketAddrAny>)) -> io::Result<(usize, SocketAddr)> {
    let from = from.ok_or(io::ErrorKind::InvalidData)?;
    Ok((count, SocketAddr::try_from(from)?))
}
