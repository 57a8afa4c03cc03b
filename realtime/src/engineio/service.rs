//! `Service`: which of all this a request is for.

use super::config::Origins;
use super::connection::{Connection, Listener};
use super::protocol::request::{Asked, Refusal, asked};
use super::registry::{Commons, Place, secret};
use super::session::Inbox;
use super::{CloseReason, Closed, Config, Session, Transport, polling, websocket};
use greenwire_http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE, UPGRADE};
use greenwire_http::middleware::{Compress, Cors};
use greenwire_http::{
    Body, Handler, HeaderMap, HeaderValue, IntoResponse, Json, Request, Response, StatusCode,
};
use greenwire_runtime::thread;
use greenwire_websocket as ws;
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Makes the listener of a new session, which began with a request.
pub(crate) type Open = Box<dyn Fn(&Arc<Connection>, Request) -> Arc<dyn Listener> + Send + Sync>;

/// An Engine.IO service: a [`Handler`], to be mounted at a path of its own. Clones are the same service.
///
/// Made by [`service`](super::service) and [`Config::service`].
#[derive(Clone)]
#[must_use = "it is a handler for a server"]
pub struct Service {
    inner: Arc<Inner>,
    /// `inner` within what the settings wrap around it.
    outer: Arc<dyn Handler>,
}

struct Inner {
    config: Config,
    websocket: ws::Config,
    commons: Arc<Commons>,
    open: Open,
}

impl Service {
    pub(crate) fn new(config: Config, open: Open) -> Service {
        let inner = Arc::new(Inner {
            websocket: config.for_websockets(),
            commons: Commons::new(&config),
            config,
            open,
        });
        let plain = inner.clone();
        let outer = wrapped(&inner.config, move |request| plain.answer(request));
        Service { inner, outer }
    }

    pub(super) fn conversing<F>(config: Config, handler: F) -> Service
    where
        F: Fn(Session) -> Result<(), Closed> + Send + Sync + 'static,
    {
        let max_queued = config.max_queued;
        let handler = Arc::new(handler);
        let open = move |connection: &Arc<Connection>, request| {
            let inbox = Inbox::new(max_queued);
            let session = Session::new(connection.clone(), inbox.clone(), request);
            let handler = handler.clone();
            let builder = thread::Builder::new().name("engine.io session".to_owned());
            let started = builder.spawn(move || session.serve(|session| handler(session)));
            if let Err(error) = started {
                log::error!("engine.io: no thread for a session: {error}");
                connection.close(CloseReason::ForcedClose);
            }
            inbox as Arc<dyn Listener>
        };
        Service::new(config, Box::new(open))
    }

    #[cfg(feature = "socketio-legacy")]
    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    /// A place among the sessions, for one that is not an Engine.IO session.
    #[cfg(feature = "socketio-legacy")]
    pub(crate) fn take_place(&self) -> Result<Place, super::registry::Overloaded> {
        let registry = &self.inner.commons.registry;
        registry.take_place(self.inner.config.max_sessions)
    }

    /// How many sessions there are.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.inner.commons.registry.len()
    }

    /// Closes all sessions. New ones may still come.
    pub fn close(&self) {
        for connection in self.inner.commons.registry.all() {
            connection.close(CloseReason::ServerShutdown);
        }
    }
}

impl Handler for Service {
    fn call(&self, request: Request) -> Response {
        self.outer.call(request)
    }
}

/// A handler within what the settings wrap around it.
pub(crate) fn wrapped<H: Handler + Clone>(config: &Config, plain: H) -> Arc<dyn Handler> {
    match (cors(config, plain.clone()), config.compression) {
        (Some(cors), true) => Arc::new(Compress::new(cors)),
        (Some(cors), false) => Arc::new(cors),
        (None, true) => Arc::new(Compress::new(plain)),
        (None, false) => Arc::new(plain),
    }
}

/// What lets pages of other origins in; `None` if none are to be.
fn cors<H: Handler>(config: &Config, handler: H) -> Option<Cors<H>> {
    let cors = Cors::new(handler).headers(["content-type"]);
    let cors = match &config.origins {
        Origins::Any => return Some(cors.any_origin()),
        Origins::These(origins) if origins.is_empty() => return None,
        Origins::These(origins) => origins
            .iter()
            .fold(cors, |cors, origin| cors.origin(origin)),
    };
    Some(match config.credentials {
        true => cors.credentials(),
        false => cors,
    })
}

impl Inner {
    fn answer(self: &Arc<Self>, mut request: Request) -> Response {
        request.body_mut().set_limit(self.config.max_payload as u64);
        let answered = self.try_answer(request);
        let mut response = answered.unwrap_or_else(refuse);
        let never = HeaderValue::from_static("no-store");
        response.headers_mut().insert(CACHE_CONTROL, never);
        response
    }

    fn try_answer(self: &Arc<Self>, request: Request) -> Result<Response, Refusal> {
        let query = request.uri().query().unwrap_or_default();
        let upgrades = is_upgrade(request.headers());
        match asked(request.method().as_str(), query, upgrades)? {
            Asked::Open(transport) => self.open(transport, request),
            Asked::Poll(id) => Ok(polling::receive(&self.find(&id)?, &request)),
            Asked::Post(id) => Ok(polling::send(&self.find(&id)?, request)),
            Asked::Upgrade(id) => self.upgrade(self.find(&id)?, request),
        }
    }

    fn find(&self, id: &str) -> Result<Arc<Connection>, Refusal> {
        let found = self.commons.registry.find(id);
        found.ok_or(Refusal::UnknownSession)
    }

    /// Answers a request that begins a session.
    fn open(self: &Arc<Self>, transport: Transport, request: Request) -> Result<Response, Refusal> {
        if !self.config.allows(transport) {
            return Err(Refusal::UnknownTransport);
        }
        if let Some(gate) = &self.config.gate
            && let Err(message) = gate(&request)
        {
            let body = Json(json!({"code": 4, "message": message}));
            return Ok((StatusCode::FORBIDDEN, body).into_response());
        }
        let place = self.commons.registry.take_place(self.config.max_sessions);
        let Ok((place, id)) = place.and_then(|place| Ok((place, secret()?))) else {
            return Ok(text(StatusCode::SERVICE_UNAVAILABLE, "no more sessions"));
        };
        Ok(match transport {
            Transport::Polling => self.open_polling(id, place, request),
            Transport::Websocket => self.open_websocket(id, place, request),
        })
    }

    fn open_polling(&self, id: Arc<str>, place: Place, request: Request) -> Response {
        let mut response = text(StatusCode::OK, self.hello(&id, true));
        response.headers_mut().extend(self.cookie(&id));
        let (_, opening) = without_body(request);
        self.begin(&Connection::new(id, None, &self.commons, place), opening);
        response
    }

    fn open_websocket(self: &Arc<Self>, id: Arc<str>, place: Place, request: Request) -> Response {
        let (request, opening) = without_body(request);
        let (hello, cookie) = (self.hello(&id, false), self.cookie(&id));
        let this = self.clone();
        let mut response = self.websocket.upgrade(request, move |ws| {
            let (sender, mut receiver) = ws.split();
            sender.send(hello)?;
            let connection = Connection::new(id, Some(sender), &this.commons, place);
            this.begin(&connection, opening);
            websocket::read(&connection, &mut receiver);
            Ok(())
        });
        response.headers_mut().extend(cookie);
        response
    }

    fn begin(&self, connection: &Arc<Connection>, opening: Request) {
        self.commons.registry.insert(connection);
        connection.start((self.open)(connection, opening));
    }

    /// Lets a client that polls go on over a websocket.
    fn upgrade(&self, connection: Arc<Connection>, request: Request) -> Result<Response, Refusal> {
        if !self.config.may_upgrade() {
            return Err(Refusal::BadRequest);
        }
        Ok(self.websocket.upgrade(request, move |ws| {
            let (sender, mut receiver) = ws.split();
            websocket::upgrade(&connection, &sender, &mut receiver);
            Ok(())
        }))
    }

    /// The packet that opens a session.
    fn hello(&self, id: &str, polling: bool) -> String {
        let upgrades: &[&str] = match polling && self.config.may_upgrade() {
            true => &["websocket"],
            false => &[],
        };
        let times = &self.config.times;
        let hello = json!({
            "sid": id,
            "upgrades": upgrades,
            "pingInterval": millis(times.ping_interval),
            "pingTimeout": millis(times.ping_timeout),
            "maxPayload": self.config.max_payload,
        });
        format!("0{hello}")
    }

    fn cookie(&self, id: &str) -> Option<(greenwire_http::HeaderName, HeaderValue)> {
        let name = self.config.cookie.as_ref()?;
        let cookie = format!("{name}={id}; Path=/; HttpOnly; SameSite=Lax");
        // Both parts have been checked, or made here.
        Some((SET_COOKIE, HeaderValue::try_from(cookie).ok()?))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a request asks for a websocket.
fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

/// The request, and what a session keeps of it.
fn without_body(request: Request) -> (Request, Request) {
    let (parts, body) = request.into_parts();
    let kept = Request::from_parts(parts.clone(), Body::empty());
    (Request::from_parts(parts, body), kept)
}

pub(super) fn text(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

pub(super) fn refuse(refusal: Refusal) -> Response {
    let body = json!({"code": refusal.code(), "message": refusal.text()});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("config", &self.inner.config)
            .field("sessions", &self.sessions())
            .finish_non_exhaustive()
    }
}
