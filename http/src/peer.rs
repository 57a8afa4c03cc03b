//! `Peer`: who is at the other end of a connection.

use crate::Request;
use greenwire_net::Stream;
use std::net::{IpAddr, SocketAddr};

/// Who asks, and how: in the extensions of each request.
///
/// ```
/// use greenwire_http::{Peer, Request};
///
/// fn who(request: Request) -> String {
///     match Peer::of(&request).and_then(Peer::ip) {
///         Some(ip) => format!("you are {ip}"),
///         None => "you are here".to_owned(), // on a Unix socket, or in a test
///     }
/// }
/// # let _ = who;
/// ```
#[derive(Clone, Debug)]
pub struct Peer {
    addr: Option<SocketAddr>,
    encrypted: bool,
}

impl Peer {
    /// The peer of a request that a server has read. `None` of one that was made by hand.
    #[must_use]
    pub fn of(request: &Request) -> Option<&Peer> {
        request.extensions().get()
    }

    /// The other end of the connection. `None` on a Unix socket.
    #[must_use]
    pub fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// The address of the client.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.addr.map(|addr| addr.ip())
    }

    /// `"https"` if the client's connection is encrypted, else `"http"`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.encrypted { "https" } else { "http" }
    }

    pub(crate) fn new(stream: &Stream, addr: Option<SocketAddr>) -> Peer {
        Peer {
            addr,
            encrypted: stream.is_encrypted(),
        }
    }
}

/// As logs name it.
impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.addr {
            Some(addr) => addr.fmt(f),
            None => f.write_str("a local peer"),
        }
    }
}
