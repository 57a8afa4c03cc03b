//! Connecting, from a chosen source address.

use crate::Plan;
use greenwire::net::TcpStream;
use greenwire::thread;
use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, Error, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How many connect at the same time: fewer than any server's queue of connections takes.
const AT_ONCE: usize = 64;

/// How long a server may let a new connection wait.
const PATIENCE: Duration = Duration::from_secs(15);

/// A connection for the `index`th client of the plan.
///
/// On loopback the system call that connects finds the server's queue and returns with the connection
/// made. So it is called where it is needed, although it would block this worker if it did wait.
pub(crate) fn connect(plan: &Plan, index: usize) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    if let Some(source) = source(plan, index) {
        // The port is chosen when both ends are known; else it takes long once many have been used.
        setsockopt(&socket, IpBindAddressNoPort, &true)?;
        socket.bind(&SocketAddr::from((source, 0)).into())?;
    }
    socket.connect(&plan.address.into())?;
    socket.set_tcp_nodelay(true)?;
    Ok(TcpStream::from(std::net::TcpStream::from(socket)))
}

/// Does what a connection does first; the server has to answer in time.
pub(crate) fn patiently<T>(
    stream: &TcpStream,
    work: impl FnOnce(&TcpStream) -> io::Result<T>,
) -> io::Result<T> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let done = work(stream).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => Error::new(
            ErrorKind::TimedOut,
            format!("no answer within {PATIENCE:?}"),
        ),
        _ => error,
    })?;
    stream.set_read_timeout(None)?;
    Ok(done)
}

/// Clients take the source addresses in turn.
fn source(plan: &Plan, index: usize) -> Option<Ipv4Addr> {
    let sources = usize::from(plan.sources);
    (sources > 0).then(|| {
        let host = 1 + (index % sources) as u8;
        Ipv4Addr::new(127, 64 + plan.network, 0, host)
    })
}

/// Has `open` open all connections of the plan, some at a time.
pub(crate) fn all<T: Send + 'static>(
    plan: &Arc<Plan>,
    count: usize,
    open: impl Fn(&Plan, usize) -> io::Result<T> + Send + Sync + 'static,
) -> io::Result<Vec<T>> {
    let open = Arc::new(open);
    let clients = (0..AT_ONCE.min(count)).map(|first| {
        let (plan, open) = (Arc::clone(plan), Arc::clone(&open));
        thread::spawn(move || {
            let indices = (first..count).step_by(AT_ONCE);
            let opened = indices.map(|index| {
                open(&plan, index).map_err(|error| {
                    Error::new(
                        error.kind(),
                        format!("connection {} of {count}: {error}", index + 1),
                    )
                })
            });
            opened.collect::<io::Result<Vec<T>>>()
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut connections = Vec::with_capacity(count);
    for client in clients {
        connections.extend(
            client
                .join()
                .expect("a client that connects does not panic")?,
        );
    }
    Ok(connections)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn clients_take_the_sources_in_turn() {
        let mut plan = Plan::new(Kind::Idle);
        assert_eq!(source(&plan, 5), None);
        plan.sources = 3;
        plan.network = 2;
        assert_eq!(source(&plan, 0), Some(Ipv4Addr::new(127, 66, 0, 1)));
        assert_eq!(source(&plan, 5), Some(Ipv4Addr::new(127, 66, 0, 3)));
    }

    #[test]
    fn the_server_sees_the_source() -> io::Result<()> {
        let server = std::net::TcpListener::bind("127.0.0.1:0")?;
        let mut plan = Plan::new(Kind::Idle);
        plan.address = server.local_addr()?;
        plan.sources = 1;
        plan.network = 7;
        let _client = connect(&plan, 0)?;
        let (_, peer) = server.accept()?;
        assert_eq!(peer.ip(), Ipv4Addr::new(127, 71, 0, 1));
        Ok(())
    }
}
