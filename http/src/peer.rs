//! `Peer`: who is at the other end of a connection.

use crate::Request;
use crate::connection::output::Output;
use crate::protocol::forwarded::{Proxies, Told};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};

/// Who asks, and how.
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
///
/// With [`Config::proxies`](crate::Config::proxies) it is the client that is told, and not the proxy.
#[derive(Clone, Debug)]
pub struct Peer {
    addr: Option<SocketAddr>,
    encrypted: bool,
    /// The connection, which nobody who keeps a peer keeps open.
    output: Weak<Output>,
    told: Option<Arc<Told>>,
}

impl Peer {
    /// The peer of a request that a server has read. `None` of one that was made by hand.
    #[must_use]
    pub fn of(request: &Request) -> Option<&Peer> {
        request.peer()
    }

    /// The other end of the connection, be it a client or a proxy. `None` on a Unix socket.
    #[must_use]
    pub fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    /// The address of the client. `None` on a Unix socket, or if a trusted proxy does not tell.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match &self.told {
            Some(told) => told.ip,
            None => self.addr.map(|addr| addr.ip()),
        }
    }

    /// `"https"` if the client's connection is encrypted, else `"http"`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        let proto = self.told.as_ref().and_then(|told| told.proto.as_ref());
        match proto.map_or(self.encrypted, |proto| proto.eq_ignore_ascii_case("https")) {
            true => "https",
            false => "http",
        }
    }

    /// The host that the client asked a trusted proxy for, if that tells; else see the request's `Host`.
    #[must_use]
    pub fn forwarded_host(&self) -> Option<&str> {
        self.told.as_ref()?.host.as_deref()
    }

    /// Whether the client has hung up, so that nobody waits for the answer any more. Never waits: for handlers that
    /// do, and look now and then. True, too, of a client that only ended its sending, and once the connection is
    /// closed or [upgraded](crate::upgrade).
    ///
    /// ```
    /// use greenwire_http::{Peer, Request};
    /// use std::{thread, time::Duration};
    ///
    /// fn patient(request: Request) -> &'static str {
    ///     let left = || Peer::of(&request).is_some_and(Peer::has_hung_up);
    ///     for _ in 0..60 {
    ///         if left() {
    ///             break;
    ///         }
    ///         thread::sleep(Duration::from_secs(1));
    ///     }
    ///     "nothing new"
    /// }
    /// # let _ = patient;
    /// ```
    #[must_use]
    pub fn has_hung_up(&self) -> bool {
        let output = self.output.upgrade();
        output.is_none_or(|output| output.stream().has_hung_up())
    }

    pub(crate) fn of_connection(output: &Arc<Output>, addr: Option<SocketAddr>) -> Arc<Peer> {
        Arc::new(Peer {
            addr,
            encrypted: output.stream().is_encrypted(),
            output: Arc::downgrade(output),
            told: None,
        })
    }

    /// Who asks by a request, on the connection of `connected`.
    pub(crate) fn asking(
        connected: &Arc<Peer>,
        request: &Request,
        proxies: Option<&Proxies>,
    ) -> Arc<Peer> {
        let addr = || connected.addr.map(|addr| addr.ip());
        match proxies.and_then(|proxies| proxies.ask(addr(), request.headers())) {
            Some(told) => connected.told(told),
            None => Arc::clone(connected),
        }
    }

    #[inline(never)]
    fn told(&self, told: Told) -> Arc<Peer> {
        Arc::new(Peer {
            told: Some(Arc::new(told)),
            ..self.clone()
        })
    }
}

/// As logs name it.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addr {
            Some(addr) => addr.fmt(f),
            None => f.write_str("a local peer"),
        }
    }
}
