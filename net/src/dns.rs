//! Name lookup: from a host name to addresses, by the system or by a resolver of your own.
//!
//! A name given to [`TcpStream::connect`](crate::TcpStream::connect) and its like is looked up by the
//! process's resolver. That is [`System`], unless [`set_resolver`] was called first. One call can use
//! another:
//!
//! ```
//! use greenwire_net::dns::Resolver;
//! use greenwire_net::{TcpListener, TcpStream};
//! use std::io;
//! use std::net::{IpAddr, Ipv4Addr, SocketAddr};
//!
//! struct Pinned;
//!
//! impl Resolver for Pinned {
//!     fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
//!         match host {
//!             "db.internal" => Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]),
//!             _ => Err(io::Error::new(io::ErrorKind::NotFound, "unknown host")),
//!         }
//!     }
//! }
//!
//! # fn main() -> io::Result<()> {
//! # let listener = TcpListener::bind("127.0.0.1:0")?;
//! # let port = listener.local_addr()?.port();
//! let addrs = Pinned.resolve("db.internal", port)?;
//! let stream = TcpStream::connect(&addrs[..])?;
//! # Ok(())
//! # }
//! ```

use greenwire_runtime::unblock;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::OnceLock;

/// Looks up host names.
pub trait Resolver: Send + Sync {
    /// The addresses of `host`, each with `port`, in the order in which they are to be tried.
    ///
    /// Never called for a numeric address. It may be called by many threads at once, green ones among
    /// them, so it must wait by greenwire's means only, or within [`unblock`].
    ///
    /// # Errors
    ///
    /// Whatever tells the caller why there is no address. `Ok` without an address is an error of the
    /// caller's call too.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver (`getaddrinfo`, and so `/etc/hosts` and all that the system is configured for).
///
/// On a green thread the lookup runs in the [`unblock`] pool, where up to 64 jobs run at a time, while the
/// caller is parked. It cannot be cut short there: when the caller is cancelled, or its time is up, it
/// goes on until the system gives up, and its result is dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Resolver for System {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let name = (host.to_owned(), port);
        unblock(move || name.to_socket_addrs().map(Iterator::collect))
    }
}

/// The resolver of the process, once it has been used or set.
static RESOLVER: OnceLock<Box<dyn Resolver>> = OnceLock::new();

/// Makes `resolver` the one of the process. To be called once, before the first lookup: at the
/// beginning of `main`.
///
/// # Errors
///
/// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if one was set, or used, before.
pub fn set_resolver(resolver: impl Resolver + 'static) -> io::Result<()> {
    RESOLVER.set(Box::new(resolver)).map_err(|_| {
        io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the resolver has been set or used before: set it at the beginning of main",
        )
    })
}

/// Looks a host name up by the resolver of the process.
///
/// A numeric `host` is taken as it is.
///
/// # Errors
///
/// Those of the resolver.
///
/// # Cancellation
///
/// May park here.
pub fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    match host.parse() {
        Ok(ip) => Ok(vec![SocketAddr::new(ip, port)]),
        Err(_) => RESOLVER
            .get_or_init(|| Box::new(System))
            .resolve(host, port),
    }
}
