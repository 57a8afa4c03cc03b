//! Leaving HTTP on a connection: 101 Switching Protocols. Knows no other protocol.

use crate::Peer;
use crate::{Body, Response};
use greenwire_net::Stream;
use http::StatusCode;
use std::fmt;

/// A connection that speaks HTTP no more, as [`upgrade`] hands it over.
#[derive(Debug)]
pub struct Upgraded {
    stream: Stream,
    early: Vec<u8>,
    peer: Peer,
}

impl Upgraded {
    pub(crate) fn new(stream: Stream, early: Vec<u8>, peer: Peer) -> Upgraded {
        Upgraded {
            stream,
            early,
            peer,
        }
    }

    /// The other side.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The stream, without read or write timeout, and the bytes already read from it: those that
    /// the client sent right behind its request. They come before anything the stream still gives.
    #[must_use]
    pub fn into_parts(self) -> (Stream, Vec<u8>) {
        (self.stream, self.early)
    }
}

/// Makes `response` one that ends HTTP on its connection: its head is sent with the status 101 and
/// just the headers given (`Upgrade` and `Connection` are the caller's to set), then `run` gets the
/// connection, on the green thread it had all along. The connection closes when `run` and whoever
/// it gave the stream to have dropped it.
///
/// The body of `response` is dropped. If something later changes the status, there is no upgrade.
/// To a request of HTTP/1.0, or one whose body is not read to its end, the server answers 400
/// instead.
///
/// # Panics
/// If `run` panics, the connection is closed and others are undisturbed.
///
/// ```
/// use greenwire_http::{HeaderValue, Request, Response, header, upgrade};
/// use std::io::{Read, Write};
///
/// fn shout(_: Request) -> Response {
///     let mut response = Response::default();
///     response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("shout"));
///     response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
///     upgrade(response, |upgraded| {
///         let (mut stream, early) = upgraded.into_parts();
///         let _ = stream.write_all(&early.to_ascii_uppercase());
///     })
/// }
/// # let _ = shout;
/// ```
#[must_use]
pub fn upgrade(response: Response, run: impl FnOnce(Upgraded) + Send + 'static) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::SWITCHING_PROTOCOLS;
    Response::from_parts(parts, Body::upgrade(Upgrade(Box::new(run))))
}

/// What to run on the upgraded connection.
pub(crate) struct Upgrade(Box<dyn Run + Send>);

impl Upgrade {
    pub(crate) fn run(self, upgraded: Upgraded) {
        self.0.run(upgraded);
    }
}

/// `FnOnce(Upgraded)`, but the box is gone while it runs, which may be for days: that of a boxed closure
/// stays until it returns.
trait Run {
    fn run(self: Box<Self>, upgraded: Upgraded);
}

impl<F: FnOnce(Upgraded)> Run for F {
    fn run(self: Box<Self>, upgraded: Upgraded) {
        unboxed(self)(upgraded);
    }
}

#[expect(clippy::boxed_local, reason = "to free the box is all that it does")]
fn unboxed<T>(boxed: Box<T>) -> T {
    *boxed
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrade")
    }
}
