//! What a handler gets: the `http` crate's request, and who asks.

mod ext;

use crate::peer::Peer;
use crate::protocol::head::Asked;
use crate::{Body, spare};
pub use ext::RequestExt;
use http::request::Parts;
use http::{Method, Uri, Version};
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// What a handler gets.
///
/// It dereferences to the `http` crate's `Request<Body>`, which has `headers`, `extensions` and the rest, and turns
/// [into](Request::into_parts) what that turns into. What it adds is in [`Peer`] and [`RequestExt`].
///
/// The header lines become a map when somebody first asks for what is not among the methods here: who looks only at
/// the method, the target and the body does without. The memory of the map serves the next requests.
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
    /// As it came; nothing for one made by hand, and of no meaning once it is unfolded.
    asked: Option<Box<Asked>>,
    body: Cell<Body>,
    unfolded: OnceCell<Box<http::Request<Body>>>,
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

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        match self.folded() {
            Some(asked) => &asked.method,
            None => (**self).method(),
        }
    }

    /// The target: a path with a query, or all of a URI.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        match self.folded() {
            Some(asked) => &asked.uri,
            None => (**self).uri(),
        }
    }

    /// The version of HTTP.
    #[must_use]
    pub fn version(&self) -> Version {
        match self.folded() {
            Some(asked) => asked.version,
            None => (**self).version(),
        }
    }

    /// The body, to read it.
    pub fn body_mut(&mut self) -> &mut Body {
        match self.unfolded.get_mut() {
            Some(unfolded) => unfolded.body_mut(),
            None => self.body.get_mut(),
        }
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

    pub(crate) fn received(asked: Box<Asked>) -> Request {
        Request {
            asked: Some(asked),
            body: Cell::default(),
            unfolded: OnceCell::new(),
            peer: None,
        }
    }

    pub(crate) fn set_peer(&mut self, peer: Arc<Peer>) {
        self.peer = Some(peer);
    }

    /// Who asks, as somebody has said, or else as the connection knows.
    pub(crate) fn peer(&self) -> Option<&Peer> {
        let said = self.unfolded.get().and_then(|it| it.extensions().get());
        said.or(self.peer.as_deref())
    }

    /// What is asked for, unless more of it has been looked at.
    fn folded(&self) -> Option<&Asked> {
        match self.unfolded.get() {
            Some(_) => None,
            None => self.asked.as_deref(),
        }
    }

    #[cold]
    fn unfold(&self) -> Box<http::Request<Body>> {
        let mut unfolded = http::Request::new(self.body.take());
        if let Some(asked) = &self.asked {
            *unfolded.method_mut() = asked.method.clone();
            *unfolded.uri_mut() = asked.uri.clone();
            *unfolded.version_mut() = asked.version;
            *unfolded.headers_mut() = asked.collect_headers(spare::headers());
        }
        Box::new(unfolded)
    }
}

impl Deref for Request {
    type Target = http::Request<Body>;

    fn deref(&self) -> &http::Request<Body> {
        self.unfolded.get_or_init(|| self.unfold())
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut http::Request<Body> {
        if self.unfolded.get().is_none() {
            let unfolded = self.unfold();
            self.unfolded = OnceCell::from(unfolded);
        }
        self.unfolded.get_mut().expect("it was just set")
    }
}

impl From<http::Request<Body>> for Request {
    fn from(mut inner: http::Request<Body>) -> Request {
        let peer = inner.extensions_mut().remove().map(Arc::new);
        Request {
            asked: None,
            body: Cell::default(),
            unfolded: OnceCell::from(Box::new(inner)),
            peer,
        }
    }
}

impl From<Request> for http::Request<Body> {
    fn from(mut request: Request) -> http::Request<Body> {
        let mut inner = mem::take(&mut *request);
        if let Some(peer) = request.peer.take() {
            inner.extensions_mut().insert(Arc::unwrap_or_clone(peer));
        }
        inner
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(unfolded) = self.unfolded.get_mut() {
            spare::reuse(unfolded.headers_mut());
        }
        if let Some(asked) = self.asked.take() {
            spare::reuse_asked(asked);
        }
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
