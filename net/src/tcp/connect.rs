//! Connecting: the socket is non-blocking until its connection stands.

use crate::calls::DONTWAIT_COVERS_SENDING;
use crate::socket::Socket;
use greenwire_runtime::io::{Direction, Source, blocks_in_kernel};
use rustix::io::Errno;
use socket2::{Domain, Type};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Connects to one address, for as long as the system tries.
pub(super) fn connect(addr: &SocketAddr) -> io::Result<Socket<TcpStream>> {
    if blocks_in_kernel() {
        return TcpStream::connect(addr).map(Socket::made);
    }
    connect_within(addr, None)
}

/// Connects to one address, or fails with `TimedOut` after `limit`.
pub(super) fn connect_timeout(addr: &SocketAddr, limit: Duration) -> io::Result<Socket<TcpStream>> {
    if blocks_in_kernel() || limit.is_zero() {
        // Std's error for no time at all.
        return TcpStream::connect_timeout(addr, limit).map(Socket::made);
    }
    connect_within(addr, Some(limit))
}

fn connect_within(addr: &SocketAddr, timeout: Option<Duration>) -> io::Result<Socket<TcpStream>> {
    let source = Source::new(start(addr)?);
    match source.perform(Direction::Write, timeout, outcome) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "connection timed out",
            ));
        }
        result => result?,
    }
    if DONTWAIT_COVERS_SENDING {
        source.get_ref().set_nonblocking(false)?;
    }
    Ok(Socket::new(source))
}

/// A socket that is on its way to `addr`.
fn start(addr: &SocketAddr) -> io::Result<TcpStream> {
    let socket = socket2::Socket::new(Domain::for_address(*addr), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&(*addr).into()) {
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => {}
        result => result?,
    }
    Ok(socket.into())
}

/// `WouldBlock` until it is known how the attempt ended. Asked in this order, because a failed
/// attempt leaves its error only once, and a peer only after success.
fn outcome(stream: &TcpStream) -> io::Result<()> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        result => result.map(drop),
    }
}
