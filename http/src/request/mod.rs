//! What a handler gets: the `http` crate's request, and who asks.

mod ext;

use crate::peer::Peer;
use crate::{Body, spare};
pub use ext::RequestExt;
use http::request::Parts;
use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// What a handler gets.
///
/// It dereferences to the `http` crate's `Request<Body>`, which has `method`, `uri`, `headers`, `body_mut` and the
/// rest, and turns [into](Request::into_parts) what that turns into. What it adds is in [`Peer`] and [`RequestExt`].
/// The memory of its headers serves the next requests when it is dropped.
///
/// ```
/// use greenwire_http::{Body, Request, http};
///
/// let request: Request = http::Request::get("/a?b=c").body(Body::empty()).unwrap().into();
/// assert_eq!(request.uri().path(), "/a");
/// let (parts, body) = request.into_parts();
/// assert_eq!((parts.uri.query(), body.length()), (Some("b=c"), Some(0)));
/// ```
#[derive(Default)]
pub struct Request {
    inner: http::Request<Body>,
    /// Mostly that of the whole connection.
    peer: Option<Arc<Peer>>,
}

impl Request {
    /// A request for `/` without headers, as tests of handlers want one.
    #[must_use]
    pub fn new(body: Body) -> Request {
        http::Request::new(body).into()
    }

    /// A request of a head, and of who asks by the [`Peer`] in its extensions, if there is one.
    #[must_use]
    pub fn from_parts(parts: Parts, body: Body) -> Request {
        http::Request::from_parts(parts, body).into()
    }

    /// Head and body. Who asks is in the extensions of the head.
    #[must_use]
    pub fn into_parts(self) -> (Parts, Body) {
        http::Request::from(self).into_parts()
    }

    /// The body alone.
    #[must_use]
    pub fn into_body(mut self) -> Body {
        mem::take(self.body_mut())
    }

    pub(crate) fn from_peer(peer: Arc<Peer>, parts: Parts, body: Body) -> Request {
        Request {
            inner: http::Request::from_parts(parts, body),
            peer: Some(peer),
        }
    }

    pub(crate) fn peer(&self) -> Option<&Peer> {
        self.peer.as_deref()
    }
}

impl Deref for Request {
    type Target = http::Request<Body>;

    fn deref(&self) -> &http::Request<Body> {
        &self.inner
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut http::Request<Body> {
        &mut self.inner
    }
}

impl From<http::Request<Body>> for Request {
    fn from(mut inner: http::Request<Body>) -> Request {
        let peer = inner.extensions_mut().remove().map(Arc::new);
        Request { inner, peer }
    }
}

impl From<Request> for http::Request<Body> {
    fn from(mut request: Request) -> http::Request<Body> {
        let mut inner = mem::take(&mut request.inner);
        if let Some(peer) = request.peer.take() {
            inner.extensions_mut().insert(Arc::unwrap_or_clone(peer));
        }
        inner
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        spare::reuse(mem::take(self.inner.headers_mut()));
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Request");
        text.field("method", self.method())
            .field("uri", self.uri())
            .field("version", &self.version())
            .field("headers", self.headers())
            .field("peer", &self.peer)
            .field("body", self.body())
            .finish()
    }
}
