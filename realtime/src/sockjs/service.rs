//! `Service`: which of all this a request is for.

use super::headers::{self, Asked};
use super::pages::{self, answer};
use super::polled::Polled;
use super::protocol::frame::Close;
use super::protocol::route::{Endpoint, Route};
use super::protocol::wrapping::Wrapping;
use super::registry::{Found, Overloaded, Place, Registry};
use super::transport::{self, Bringing, Reception};
use super::{Config, Error, Session, Transport};
use greenwire_http::header::{ALLOW, HeaderMap};
use greenwire_http::router::{OriginalUri, Params};
use greenwire_http::{
    Body, Handler, IntoResponse, Method, Peer, Request, Response, StatusCode, Uri,
};
use greenwire_runtime::thread;
use greenwire_websocket::{self as websocket, WebSocket};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

/// The function that has the conversations.
pub(super) type Talk = Box<dyn Fn(Session) -> Result<(), Error> + Send + Sync>;

/// A SockJS service: a [`Handler`], to be mounted at a path of its own. Clones are the same service.
///
/// Made by [`service`](super::service), [`application`](super::application) and the methods of [`Config`] of these
/// names.
#[derive(Clone)]
#[must_use = "it is a handler for a server"]
pub struct Service(Arc<Inner>);

struct Inner {
    config: Config,
    websocket: websocket::Config,
    registry: Arc<Registry>,
    talk: Talk,
}

impl Service {
    pub(super) fn new(config: Config, talk: Talk) -> Service {
        Service(Arc::new(Inner {
            websocket: config.for_websockets(),
            registry: Registry::new(config.limits, config.max_sessions),
            config,
            talk,
        }))
    }

    /// How many sessions there are, those included that are closed while their clients may still come to be told, or
    /// while their handlers run.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.0.registry.len()
    }

    /// What is at a path of a session.
    fn at_session(&self, id: &str, endpoint: Endpoint, mut request: Request) -> Response {
        let asked = Asked::by(&request, &self.0.config);
        request
            .body_mut()
            .set_limit(self.0.config.max_message_size as u64);
        let mut response = match endpoint {
            Endpoint::Websocket => return self.websocket(request, Transport::Websocket),
            Endpoint::XhrSend => self.bring(id, request, Bringing::Xhr),
            Endpoint::JsonpSend => self.bring(id, request, Bringing::Jsonp),
            Endpoint::Xhr => self.receive(id, request, Wrapping::Xhr),
            Endpoint::XhrStreaming => self.receive(id, request, Wrapping::XhrStreaming),
            Endpoint::EventSource => self.receive(id, request, Wrapping::EventSource),
            Endpoint::HtmlFile => self.receive_by_call(id, request, Wrapping::HtmlFile),
            Endpoint::Jsonp => self.receive_by_call(id, request, Wrapping::Jsonp),
        };
        let headers: &mut HeaderMap = response.headers_mut();
        headers::forbid_keeping(headers);
        asked.set_cookie(headers);
        if !matches!(
            endpoint,
            Endpoint::HtmlFile | Endpoint::Jsonp | Endpoint::JsonpSend
        ) {
            asked.let_read(headers);
        }
        response
    }

    fn receive_by_call(
        &self,
        id: &str,
        request: Request,
        wrap: fn(String) -> Wrapping,
    ) -> Response {
        match transport::callback(&request) {
            Ok(callback) => self.receive(id, request, wrap(callback)),
            Err(what) => transport::failure(what),
        }
    }

    fn receive(&self, id: &str, request: Request, wrapping: Wrapping) -> Response {
        match self.reception(id, request) {
            Ok(reception) => transport::receive(reception, wrapping, self.0.config.response_limit),
            Err(Overloaded) => overloaded(),
        }
    }

    /// Puts a request among those that take frames. A session begins with the first of them.
    fn reception(&self, id: &str, request: Request) -> Result<Reception, Overloaded> {
        let peer = Peer::of(&request).cloned();
        let ip = peer.as_ref().and_then(Peer::ip);
        let session = match self.0.registry.find_or_open(id, ip)? {
            Found::Old(session) => session,
            Found::New(session, place) => {
                self.start(id, &session, place, request)?;
                session
            }
        };
        if !self.is_same_client(&session, peer.as_ref()) {
            return Ok(Reception::Refusal(Close::OTHER_IP));
        }
        let attached = session.attach(peer);
        Ok(attached.map_or_else(Reception::Refusal, Reception::Frames))
    }

    /// Starts the conversation of a session over HTTP, on a green thread of its own.
    fn start(
        &self,
        id: &str,
        session: &Arc<Polled>,
        place: Arc<Place>,
        request: Request,
    ) -> Result<(), Overloaded> {
        let inner = self.0.clone();
        let handed = Session::polled(session.clone(), opening(request));
        let builder = thread::Builder::new().name("sockjs session".to_owned());
        let started = builder.spawn(move || {
            let _place = place;
            inner.talk(handed);
        });
        started.map(drop).map_err(|error| {
            log::error!("sockjs: no thread for a session: {error}");
            self.0.registry.forget(id, session);
            session.close(Close::FAILED);
            Overloaded
        })
    }

    fn bring(&self, id: &str, mut request: Request, bringing: Bringing) -> Response {
        let session = self.0.registry.find(id);
        let session = session.filter(|session| self.is_same_client(session, Peer::of(&request)));
        match session {
            Some(session) => transport::bring(&mut request, &session, bringing),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn is_same_client(&self, session: &Polled, peer: Option<&Peer>) -> bool {
        !self.0.config.verify_ip || session.ip() == peer.and_then(Peer::ip)
    }

    fn websocket(&self, request: Request, transport: Transport) -> Response {
        let Ok(place) = self.0.registry.take_place() else {
            return overloaded();
        };
        let inner = self.0.clone();
        let (request, opening) = keep_opening(request);
        self.0.websocket.upgrade(request, move |ws: WebSocket| {
            let _place = place;
            if transport == Transport::RawWebsocket {
                inner.talk(Session::raw(ws, opening));
            } else {
                ws.send("o")?;
                let _beating = inner.registry.have_heartbeats(ws.sender());
                inner.talk(Session::framed(ws, opening));
            }
            Ok(())
        })
    }
}

impl Inner {
    /// A whole conversation.
    fn talk(&self, session: Session) {
        let sender = session.sender();
        match catch_unwind(AssertUnwindSafe(|| (self.talk)(session))) {
            Ok(end) => sender.close_after(&end),
            Err(panic) => {
                sender.close_with(Close::FAILED);
                match thread::is_cancellation(&*panic) {
                    true => thread::resume_cancellation(panic),
                    false => resume_unwind(panic),
                }
            }
        }
    }
}

impl Handler for Service {
    fn call(&self, request: Request) -> Response {
        let uri = request.uri().clone();
        let config = &self.0.config;
        let Some(route) = Route::of(uri.path()).filter(|route| serves(config, *route)) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if !route.methods().contains(&request.method().as_str()) {
            return (
                StatusCode::METHOD_NOT_ALLOWED,
                [(ALLOW, headers::allow(route))],
                (),
            )
                .into_response();
        }
        if route.is_for_pages() && !headers::is_allowed(&request, config) {
            return answer(StatusCode::FORBIDDEN, pages::PLAIN, "origin not allowed");
        }
        if request.method() == Method::OPTIONS {
            return headers::preflight(&request, route, &Asked::by(&request, config));
        }
        match route {
            Route::Greeting => pages::greeting(),
            Route::Iframe => pages::iframe(config, &request),
            Route::Info => {
                let mut response = pages::info(config);
                Asked::by(&request, config).let_read(response.headers_mut());
                response
            }
            Route::RawWebsocket => self.websocket(request, Transport::RawWebsocket),
            Route::Session { id, endpoint } => self.at_session(id, endpoint, request),
        }
    }
}

fn overloaded() -> Response {
    answer(
        StatusCode::SERVICE_UNAVAILABLE,
        pages::PLAIN,
        "no more sessions at the moment",
    )
}

/// Whether the settings leave the transport of a route.
fn serves(config: &Config, route: Route<'_>) -> bool {
    let any =
        |transports: &[Transport]| transports.iter().any(|&transport| config.allows(transport));
    match route {
        Route::Greeting | Route::Info | Route::Iframe => true,
        Route::RawWebsocket => any(&[Transport::RawWebsocket]),
        Route::Session { endpoint, .. } => match endpoint {
            Endpoint::Websocket => any(&[Transport::Websocket]),
            Endpoint::Xhr => any(&[Transport::XhrPolling]),
            Endpoint::XhrStreaming => any(&[Transport::XhrStreaming]),
            Endpoint::EventSource => any(&[Transport::EventSource]),
            Endpoint::HtmlFile => any(&[Transport::HtmlFile]),
            Endpoint::Jsonp | Endpoint::JsonpSend => any(&[Transport::JsonpPolling]),
            Endpoint::XhrSend => any(&[
                Transport::XhrPolling,
                Transport::XhrStreaming,
                Transport::EventSource,
                Transport::HtmlFile,
            ]),
        },
    }
}

/// What the handler of a session is shown of the request that opened it: no body, and not the name of the session,
/// which nobody else must learn.
fn opening(request: Request) -> Request {
    let (mut parts, _) = request.into_parts();
    let original = parts.extensions.remove::<OriginalUri>();
    parts.extensions.remove::<Params>();
    let own = original.as_ref().map(|OriginalUri(uri)| uri.path());
    let own = own.and_then(|path| path.strip_suffix(parts.uri.path()));
    let path = own.filter(|own| !own.is_empty()).unwrap_or("/");
    let text = match parts.uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    parts.uri = text.parse().unwrap_or_else(|_| Uri::from_static("/"));
    Request::from_parts(parts, Body::empty())
}

/// The request for the handshake, and what the session keeps of it.
fn keep_opening(request: Request) -> (Request, Request) {
    let (parts, body) = request.into_parts();
    let kept = Request::from_parts(parts.clone(), Body::empty());
    (Request::from_parts(parts, body), opening(kept))
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("config", &self.0.config)
            .field("sessions", &self.sessions())
            .finish_non_exhaustive()
    }
}
