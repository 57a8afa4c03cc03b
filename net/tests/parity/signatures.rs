//! Every stable method and trait of std's sockets, by its full type: this compiles, or parity is lost.
//!
//! `std_api.rs` reads this file as text and compares it with std's documentation, so nothing is missing
//! from it either.

#![allow(unused_assignments, unused_variables, reason = "only the types matter")]

use super::{net, unix};
use net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;
use std::time::Duration;
use unix::{UnixDatagram, UnixListener, UnixStream};

type Limit = Option<Duration>;

/// `has!(Type: Traits)`.
macro_rules! has {
    ($Type:ty: $($Trait:path),*) => {{
        $({
            fn check<T: $Trait>() {}
            check::<$Type>();
        })*
    }};
}

/// What the compiler derives for all of std's sockets.
macro_rules! auto_traits {
    ($($Type:ty),*) => {$(
        has!($Type: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
    )*};
}

#[test]
fn auto_traits() {
    auto_traits!(TcpStream, TcpListener, UdpSocket);
    auto_traits!(UnixStream, UnixListener, UnixDatagram);
    auto_traits!(net::Incoming<'static>, unix::Incoming<'static>);
}

#[test]
fn tcp_stream() {
    has!(TcpStream: AsFd, AsRawFd, Debug, From<OwnedFd>, Read, Write);
    has!(&TcpStream: Read, Write);
    let _: fn(&'static str) -> io::Result<TcpStream> = TcpStream::connect;
    let _: fn(&SocketAddr, Duration) -> io::Result<TcpStream> = TcpStream::connect_timeout;
    let mut address: fn(&TcpStream) -> io::Result<SocketAddr> = TcpStream::peer_addr;
    address = TcpStream::local_addr;
    let _: fn(&TcpStream, Shutdown) -> io::Result<()> = TcpStream::shutdown;
    let _: fn(&TcpStream) -> io::Result<TcpStream> = TcpStream::try_clone;
    let mut set_limit: fn(&TcpStream, Limit) -> io::Result<()> = TcpStream::set_read_timeout;
    set_limit = TcpStream::set_write_timeout;
    let mut limit: fn(&TcpStream) -> io::Result<Limit> = TcpStream::read_timeout;
    limit = TcpStream::write_timeout;
    let _: fn(&TcpStream, &mut [u8]) -> io::Result<usize> = TcpStream::peek;
    let mut set: fn(&TcpStream, bool) -> io::Result<()> = TcpStream::set_nodelay;
    set = TcpStream::set_nonblocking;
    let _: fn(&TcpStream) -> io::Result<bool> = TcpStream::nodelay;
    let _: fn(&TcpStream, u32) -> io::Result<()> = TcpStream::set_ttl;
    let _: fn(&TcpStream) -> io::Result<u32> = TcpStream::ttl;
    let _: fn(&TcpStream) -> io::Result<Option<io::Error>> = TcpStream::take_error;
}

#[test]
#[cfg(target_os = "linux")]
fn tcp_stream_of_linux() {
    #[allow(unused_imports, reason = "ours are methods of the type")]
    use std::os::linux::net::TcpStreamExt;
    let _: fn(&TcpStream, bool) -> io::Result<()> = TcpStream::set_quickack;
    let _: fn(&TcpStream) -> io::Result<bool> = TcpStream::quickack;
}

#[test]
fn tcp_listener() {
    has!(TcpListener: AsFd, AsRawFd, Debug, From<OwnedFd>);
    has!(net::Incoming<'static>: Debug, Iterator<Item = io::Result<TcpStream>>);
    has!(net::Incoming<'static>: std::iter::FusedIterator);
    let _: fn(&'static str) -> io::Result<TcpListener> = TcpListener::bind;
    let _: fn(&TcpListener) -> io::Result<SocketAddr> = TcpListener::local_addr;
    let _: fn(&TcpListener) -> io::Result<TcpListener> = TcpListener::try_clone;
    let _: fn(&TcpListener) -> io::Result<(TcpStream, SocketAddr)> = TcpListener::accept;
    let _: for<'a> fn(&'a TcpListener) -> net::Incoming<'a> = TcpListener::incoming;
    let _: fn(&TcpListener, u32) -> io::Result<()> = TcpListener::set_ttl;
    let _: fn(&TcpListener) -> io::Result<u32> = TcpListener::ttl;
    let _: fn(&TcpListener) -> io::Result<Option<io::Error>> = TcpListener::take_error;
    let _: fn(&TcpListener, bool) -> io::Result<()> = TcpListener::set_nonblocking;
}

#[test]
fn udp_socket() {
    has!(UdpSocket: AsFd, AsRawFd, Debug, From<OwnedFd>);
    type Received = io::Result<(usize, SocketAddr)>;
    let _: fn(&'static str) -> io::Result<UdpSocket> = UdpSocket::bind;
    let mut receive: fn(&UdpSocket, &mut [u8]) -> Received = UdpSocket::recv_from;
    receive = UdpSocket::peek_from;
    let _: fn(&UdpSocket, &[u8], &'static str) -> io::Result<usize> = UdpSocket::send_to;
    let mut address: fn(&UdpSocket) -> io::Result<SocketAddr> = UdpSocket::peer_addr;
    address = UdpSocket::local_addr;
    let _: fn(&UdpSocket) -> io::Result<UdpSocket> = UdpSocket::try_clone;
    let mut set_limit: fn(&UdpSocket, Limit) -> io::Result<()> = UdpSocket::set_read_timeout;
    set_limit = UdpSocket::set_write_timeout;
    let mut limit: fn(&UdpSocket) -> io::Result<Limit> = UdpSocket::read_timeout;
    limit = UdpSocket::write_timeout;
    let mut set: fn(&UdpSocket, bool) -> io::Result<()> = UdpSocket::set_broadcast;
    set = UdpSocket::set_multicast_loop_v4;
    set = UdpSocket::set_multicast_loop_v6;
    set = UdpSocket::set_nonblocking;
    let mut get: fn(&UdpSocket) -> io::Result<bool> = UdpSocket::broadcast;
    get = UdpSocket::multicast_loop_v4;
    get = UdpSocket::multicast_loop_v6;
    let mut set: fn(&UdpSocket, u32) -> io::Result<()> = UdpSocket::set_multicast_ttl_v4;
    set = UdpSocket::set_ttl;
    let mut get: fn(&UdpSocket) -> io::Result<u32> = UdpSocket::multicast_ttl_v4;
    get = UdpSocket::ttl;
    let mut group: fn(&UdpSocket, &Ipv4Addr, &Ipv4Addr) -> io::Result<()> =
        UdpSocket::join_multicast_v4;
    group = UdpSocket::leave_multicast_v4;
    let mut group: fn(&UdpSocket, &Ipv6Addr, u32) -> io::Result<()> = UdpSocket::join_multicast_v6;
    group = UdpSocket::leave_multicast_v6;
    let _: fn(&UdpSocket) -> io::Result<Option<io::Error>> = UdpSocket::take_error;
    let _: fn(&UdpSocket, &'static str) -> io::Result<()> = UdpSocket::connect;
    let _: fn(&UdpSocket, &[u8]) -> io::Result<usize> = UdpSocket::send;
    let mut receive: fn(&UdpSocket, &mut [u8]) -> io::Result<usize> = UdpSocket::recv;
    receive = UdpSocket::peek;
}

#[test]
fn unix_stream() {
    has!(UnixStream: AsFd, AsRawFd, Debug, From<OwnedFd>, Read, Write);
    has!(&UnixStream: Read, Write);
    let _: fn(&'static Path) -> io::Result<UnixStream> = UnixStream::connect;
    let _: fn(&unix::SocketAddr) -> io::Result<UnixStream> = UnixStream::connect_addr;
    let _: fn() -> io::Result<(UnixStream, UnixStream)> = UnixStream::pair;
    let _: fn(&UnixStream) -> io::Result<UnixStream> = UnixStream::try_clone;
    let mut address: fn(&UnixStream) -> io::Result<unix::SocketAddr> = UnixStream::local_addr;
    address = UnixStream::peer_addr;
    let mut set_limit: fn(&UnixStream, Limit) -> io::Result<()> = UnixStream::set_read_timeout;
    set_limit = UnixStream::set_write_timeout;
    let mut limit: fn(&UnixStream) -> io::Result<Limit> = UnixStream::read_timeout;
    limit = UnixStream::write_timeout;
    let _: fn(&UnixStream, bool) -> io::Result<()> = UnixStream::set_nonblocking;
    let _: fn(&UnixStream) -> io::Result<Option<io::Error>> = UnixStream::take_error;
    let _: fn(&UnixStream, Shutdown) -> io::Result<()> = UnixStream::shutdown;
}

#[test]
fn unix_listener() {
    has!(UnixListener: AsFd, AsRawFd, Debug, From<OwnedFd>);
    has!(&'static UnixListener: IntoIterator<Item = io::Result<UnixStream>>);
    has!(unix::Incoming<'static>: Debug, Iterator<Item = io::Result<UnixStream>>);
    let _: fn(&'static Path) -> io::Result<UnixListener> = UnixListener::bind;
    let _: fn(&unix::SocketAddr) -> io::Result<UnixListener> = UnixListener::bind_addr;
    let _: fn(&UnixListener) -> io::Result<(UnixStream, unix::SocketAddr)> = UnixListener::accept;
    let _: fn(&UnixListener) -> io::Result<UnixListener> = UnixListener::try_clone;
    let _: fn(&UnixListener) -> io::Result<unix::SocketAddr> = UnixListener::local_addr;
    let _: fn(&UnixListener, bool) -> io::Result<()> = UnixListener::set_nonblocking;
    let _: fn(&UnixListener) -> io::Result<Option<io::Error>> = UnixListener::take_error;
    let _: for<'a> fn(&'a UnixListener) -> unix::Incoming<'a> = UnixListener::incoming;
}

#[test]
fn unix_datagram() {
    has!(UnixDatagram: AsFd, AsRawFd, Debug, From<OwnedFd>);
    type Received = io::Result<(usize, unix::SocketAddr)>;
    let _: fn(&'static Path) -> io::Result<UnixDatagram> = UnixDatagram::bind;
    let _: fn(&unix::SocketAddr) -> io::Result<UnixDatagram> = UnixDatagram::bind_addr;
    let _: fn() -> io::Result<UnixDatagram> = UnixDatagram::unbound;
    let _: fn() -> io::Result<(UnixDatagram, UnixDatagram)> = UnixDatagram::pair;
    let _: fn(&UnixDatagram, &'static Path) -> io::Result<()> = UnixDatagram::connect;
    let _: fn(&UnixDatagram, &unix::SocketAddr) -> io::Result<()> = UnixDatagram::connect_addr;
    let _: fn(&UnixDatagram) -> io::Result<UnixDatagram> = UnixDatagram::try_clone;
    let mut address: fn(&UnixDatagram) -> io::Result<unix::SocketAddr> = UnixDatagram::local_addr;
    address = UnixDatagram::peer_addr;
    let _: fn(&UnixDatagram, &mut [u8]) -> Received = UnixDatagram::recv_from;
    let _: fn(&UnixDatagram, &mut [u8]) -> io::Result<usize> = UnixDatagram::recv;
    let _: fn(&UnixDatagram, &[u8], &'static Path) -> io::Result<usize> = UnixDatagram::send_to;
    let _: fn(&UnixDatagram, &[u8], &unix::SocketAddr) -> io::Result<usize> =
        UnixDatagram::send_to_addr;
    let _: fn(&UnixDatagram, &[u8]) -> io::Result<usize> = UnixDatagram::send;
    let mut set_limit: fn(&UnixDatagram, Limit) -> io::Result<()> = UnixDatagram::set_read_timeout;
    set_limit = UnixDatagram::set_write_timeout;
    let mut limit: fn(&UnixDatagram) -> io::Result<Limit> = UnixDatagram::read_timeout;
    limit = UnixDatagram::write_timeout;
    let _: fn(&UnixDatagram, bool) -> io::Result<()> = UnixDatagram::set_nonblocking;
    let _: fn(&UnixDatagram) -> io::Result<Option<io::Error>> = UnixDatagram::take_error;
    let _: fn(&UnixDatagram, Shutdown) -> io::Result<()> = UnixDatagram::shutdown;
}

#[test]
fn to_socket_addrs() {
    use net::ToSocketAddrs;
    has!(SocketAddr: ToSocketAddrs);
    has!(std::net::SocketAddrV4: ToSocketAddrs);
    has!(std::net::SocketAddrV6: ToSocketAddrs);
    has!((std::net::IpAddr, u16): ToSocketAddrs);
    has!((Ipv4Addr, u16): ToSocketAddrs);
    has!((Ipv6Addr, u16): ToSocketAddrs);
    has!((&str, u16): ToSocketAddrs);
    has!((String, u16): ToSocketAddrs);
    has!(&'static [SocketAddr]: ToSocketAddrs);
    has!(&String: ToSocketAddrs);
    has!(String: ToSocketAddrs);
    fn check<T: ToSocketAddrs + ?Sized>() {}
    check::<str>();
}
