//! From an accepted connection to the stream that HTTP is spoken on.

use greenwire_net::server::Listener;
use greenwire_net::unix::UnixListener;
use greenwire_net::{SocketAddr, Stream, TcpListener};
#[cfg(feature = "tls")]
use greenwire_net::{server::Slot, tls::Acceptor};

/// A listener whose connections a [`Server`](crate::Server) can serve: TCP or Unix. Sealed.
pub trait Transport: Listener<Stream: Into<Stream>> + sealed::Sealed {
    /// The other end, if it has an IP address.
    #[doc(hidden)]
    fn peer_addr(addr: &Self::Addr) -> Option<SocketAddr>;
}

impl Transport for TcpListener {
    fn peer_addr(addr: &SocketAddr) -> Option<SocketAddr> {
        Some(*addr)
    }
}

impl Transport for UnixListener {
    fn peer_addr(_: &Self::Addr) -> Option<SocketAddr> {
        None
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::TcpListener {}
    impl Sealed for super::UnixListener {}
}

/// Shakes hands with a client of TCP. It has asked for nothing yet, so a server that stops does not
/// wait for it. `None` if that failed.
#[cfg(feature = "tls")]
#[inline(never)]
pub(crate) fn encrypt(
    stream: Stream,
    peer: Option<SocketAddr>,
    acceptor: &Acceptor,
    slot: &Slot,
) -> Option<Stream> {
    let Stream::Tcp(stream) = stream else {
        return Some(stream);
    };
    slot.while_idle(|| acceptor.accept(stream))
        .inspect_err(|error| log::debug!("no TLS with {peer:?}: {error}"))
        .ok()
        .map(Stream::from)
}
