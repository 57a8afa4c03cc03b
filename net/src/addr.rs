//! `ToSocketAddrs`: std's trait, without holding up the OS thread that runs green threads.

use crate::dns;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::{iter, option, slice, vec};

/// What can be turned into addresses: the shape and the implementors of
/// [`std::net::ToSocketAddrs`].
///
/// Numeric forms are taken as they are. A name is looked up by the [resolver](crate::dns) of the process
/// while the calling green thread is parked.
///
/// ```
/// use greenwire_net::ToSocketAddrs;
///
/// # fn main() -> std::io::Result<()> {
/// let addr = "127.0.0.1:80".to_socket_addrs()?.next();
/// assert_eq!(addr, Some(([127, 0, 0, 1], 80).into()));
/// assert!(("localhost", 80).to_socket_addrs()?.next().is_some());
/// # Ok(())
/// # }
/// ```
///
/// # Differences from std
///
/// It is a trait of its own: std's resolves on the calling OS thread, and a type that borrows cannot
/// be handed to another. A type that implements only std's has to be resolved by the caller, within
/// [`unblock`](greenwire_runtime::unblock), or to implement this one too.
pub trait ToSocketAddrs {
    /// The addresses, in the order in which they are to be tried.
    type Iter: Iterator<Item = SocketAddr>;

    /// Resolves to addresses.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the text is not of the form `host:port`; those of the resolver.
    ///
    /// # Cancellation
    ///
    /// May park here, if there is a name to look up.
    fn to_socket_addrs(&self) -> io::Result<Self::Iter>;
}

impl ToSocketAddrs for SocketAddr {
    type Iter = option::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        Ok(Some(*self).into_iter())
    }
}

/// Implements the trait for types that std converts into a `SocketAddr`.
macro_rules! numeric {
    ($($kind:ty),*) => {$(
        impl ToSocketAddrs for $kind {
            type Iter = option::IntoIter<SocketAddr>;

            fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
                SocketAddr::from(*self).to_socket_addrs()
            }
        }
    )*};
}

numeric!(
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16)
);

impl ToSocketAddrs for (&str, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let (host, port) = *self;
        dns::resolve(host, port).map(Vec::into_iter)
    }
}

impl ToSocketAddrs for (String, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        (self.0.as_str(), self.1).to_socket_addrs()
    }
}

impl ToSocketAddrs for str {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        match self.parse() {
            Ok(addr) => Ok(vec![addr].into_iter()),
            Err(_) => split(self)?.to_socket_addrs(),
        }
    }
}

impl ToSocketAddrs for String {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        self.as_str().to_socket_addrs()
    }
}

impl<'a> ToSocketAddrs for &'a [SocketAddr] {
    type Iter = iter::Cloned<slice::Iter<'a, SocketAddr>>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        Ok(self.iter().cloned())
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    type Iter = T::Iter;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        (**self).to_socket_addrs()
    }
}

/// The result of `attempt` on the first address on which it succeeds, else the error of the last.
pub(crate) fn try_each<T>(
    addrs: impl ToSocketAddrs,
    mut attempt: impl FnMut(&SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    for addr in addrs.to_socket_addrs()? {
        match attempt(&addr) {
            Ok(value) => return Ok(value),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "could not resolve to any addresses",
        )
    }))
}

/// The host and the port of `host:port`.
fn split(text: &str) -> io::Result<(&str, u16)> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let (host, port) = text
        .rsplit_once(':')
        .ok_or_else(|| invalid("invalid socket address"))?;
    let port = port.parse().map_err(|_| invalid("invalid port value"))?;
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net;

    /// Both traits agree on `value`.
    #[track_caller]
    fn check<T: ToSocketAddrs + net::ToSocketAddrs>(value: T) {
        let ours = ToSocketAddrs::to_socket_addrs(&value).map(Iterator::collect::<Vec<_>>);
        let stds = net::ToSocketAddrs::to_socket_addrs(&value).map(Iterator::collect::<Vec<_>>);
        assert_eq!(
            ours.map_err(|error| (error.kind(), error.to_string())),
            stds.map_err(|error| (error.kind(), error.to_string()))
        );
    }

    #[test]
    fn numeric_forms() {
        let v4 = SocketAddr::from(([127, 0, 0, 1], 80));
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 80));
        check(v4);
        check(v6);
        check(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1));
        check(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 1, 2, 3));
        check((IpAddr::from(Ipv4Addr::LOCALHOST), 80));
        check((Ipv4Addr::LOCALHOST, 80));
        check((Ipv6Addr::LOCALHOST, 80));
        check(&[v4, v6][..]);
        check("[::1]:80");
        check("127.0.0.1:80".to_owned());
        check(("127.0.0.1", 80));
        check(("::1".to_owned(), 80));
    }

    #[test]
    fn names() {
        check("localhost:80");
        check(("localhost", 80));
        check(&("localhost".to_owned(), 80));
    }

    #[test]
    fn what_is_no_address() {
        check("");
        check("localhost");
        check("localhost:http");
        check("localhost:70000");
        check(":80");
        check("a:b:80");
        check(("name\0with zero", 80));
    }
}
