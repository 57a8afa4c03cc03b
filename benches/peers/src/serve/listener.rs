//! The listening socket of a server, the same for all.

use super::Arguments;
use socket2::{Domain, Socket, Type};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Listens on 127.0.0.1, with a backlog as long as the system permits, in blocking mode.
///
/// # Errors
/// The system's, such as `AddrInUse`.
pub fn listen(arguments: Arguments) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(arguments.reuse_port)?;
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    socket.bind(&addr.into())?;
    socket.listen(i32::MAX)?;
    Ok(socket.into())
}

/// Says that the server is ready, and where.
///
/// # Errors
/// If nobody reads standard output.
pub fn announce(listener: &TcpListener) -> io::Result<()> {
    announce_at(listener.local_addr()?)
}

/// As [`announce`], for listeners that are not std's.
///
/// # Errors
/// As `announce`.
pub fn announce_at(addr: SocketAddr) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "listening on {addr}")?;
    output.flush()
}
