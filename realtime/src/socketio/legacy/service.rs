//! `Service`: which request is what.

use super::connection::{Connection, Poll};
use super::protocol::payload;
use super::protocol::route::{Route, Transport};
use super::registry::Commons;
use super::{Legacy, wire};
use crate::engineio::registry::Overloaded;
use crate::engineio::{self, CloseReason, secret};
use crate::socketio::Handshake;
use crate::socketio::server::Shared;
use greenwire_http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use greenwire_http::{
    Body, Error, Handler, HeaderValue, IntoResponse, Method, Peer, Request, RequestExt, Response,
    StatusCode,
};
use greenwire_websocket as websocket;
use serde::Deserialize;
use std::sync::Arc;

const PLAIN: &str = "text/plain; charset=UTF-8";
const SCRIPT: &str = "text/javascript; charset=UTF-8";

/// The session is not known here; the client is to shake hands again.
const NOT_HANDSHAKEN: &str = "7:::1+0";

/// The part of a server that speaks Socket.IO 0.9. Clones are the same.
#[derive(Clone)]
pub(crate) struct Service {
    inner: Arc<Inner>,
    /// `inner` within what the settings of connections wrap around it.
    outer: Arc<dyn Handler>,
}

struct Inner {
    config: Legacy,
    websocket: websocket::Config,
    commons: Arc<Commons>,
    server: Arc<Shared>,
    /// The part that speaks Socket.IO 5; both have the same settings, and share the places for clients.
    modern: engineio::Service,
}

/// The queries that mean something.
#[derive(Deserialize)]
struct Query {
    /// Of a handshake: it is to be a script, which calls the function of this number.
    jsonp: Option<String>,
    /// Of a poll: the same.
    i: Option<String>,
    /// The client goes.
    disconnect: Option<String>,
}

impl Service {
    pub(crate) fn new(config: Legacy, server: &Arc<Shared>, modern: &engineio::Service) -> Service {
        let settings = modern.config();
        let keeper = server.keeper.clone();
        let inner = Arc::new(Inner {
            commons: Commons::new(config.times, settings.max_queued, keeper),
            config,
            websocket: settings.for_websockets(),
            server: server.clone(),
            modern: modern.clone(),
        });
        let plain = inner.clone();
        Service {
            outer: engineio::service::wrapped(settings, move |request| plain.answer(request)),
            inner,
        }
    }

    /// Whether a request to this path is one of Socket.IO 0.9.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        Route::of(path).is_some()
    }

    pub(crate) fn call(&self, request: Request) -> Response {
        self.outer.call(request)
    }

    /// Ends all clients.
    pub(crate) fn close(&self) {
        for connection in self.inner.commons.registry.all() {
            connection.close(CloseReason::ServerShutdown);
        }
    }
}

impl Inner {
    fn answer(&self, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let mut response = match (Route::of(&path), request.query()) {
            (Some(route), Ok(query)) => self.at(route, &query, request),
            (None, _) => StatusCode::NOT_FOUND.into_response(),
            (_, Err(error)) => error.into_response(),
        };
        let never = HeaderValue::from_static("no-store");
        response.headers_mut().insert(CACHE_CONTROL, never);
        response
    }

    fn at(&self, route: Route<'_>, query: &Query, mut request: Request) -> Response {
        let limit = self.modern.config().max_payload as u64;
        request.body_mut().set_limit(limit);
        let (transport, id) = match route {
            Route::Handshake => return self.handshake(query, &request),
            Route::Session { transport, id } => (transport, id),
            Route::OtherVersion => {
                let text = "Protocol version not supported.";
                return answer(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, text);
            }
        };
        let connection = self.commons.registry.find(id);
        if query.disconnect.is_some() {
            if let Some(connection) = connection {
                connection.close(CloseReason::ClientClosed);
            }
            return answer(StatusCode::OK, PLAIN, "");
        }
        let wrapping = match transport.filter(|transport| self.config.allows(*transport)) {
            Some(Transport::Websocket) => return self.websocket(connection, request),
            Some(Transport::XhrPolling) => Wrapping::Plain,
            Some(Transport::JsonpPolling) => Wrapping::script(query.i.as_deref()),
            None => return answer(StatusCode::BAD_REQUEST, PLAIN, "7:::0"),
        };
        match *request.method() {
            Method::POST => bring(connection, &mut request, &wrapping),
            Method::GET => receive(&self.server, connection, &request, &wrapping),
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    }

    /// Gives a client its id.
    fn handshake(&self, query: &Query, request: &Request) -> Response {
        let wrapping = match &query.jsonp {
            Some(_) if !self.config.jsonp => Wrapping::Plain,
            Some(index) => Wrapping::script(Some(index)),
            None => Wrapping::Plain,
        };
        if let Some(gate) = &self.modern.config().gate
            && gate(request).is_err()
        {
            return wrapping.refuse(StatusCode::FORBIDDEN, "handshake unauthorized");
        }
        let Ok(id) = self.register(request) else {
            return wrapping.refuse(StatusCode::SERVICE_UNAVAILABLE, "service unavailable");
        };
        let times = &self.commons.times;
        let (heartbeat, close) = (times.heartbeat_timeout, times.close_timeout);
        let transports = self.config.transports();
        let hello = format!(
            "{id}:{}:{}:{transports}",
            heartbeat.as_secs(),
            close.as_secs()
        );
        wrapping.answer(&hello)
    }

    fn register(&self, request: &Request) -> Result<Arc<str>, Overloaded> {
        let place = self.modern.take_place()?;
        let (id, handshake) = (secret()?, Handshake::new(request));
        let connection = Connection::new(id.clone(), handshake, &self.commons, place);
        self.commons.registry.insert(&connection);
        Ok(id)
    }

    fn websocket(&self, connection: Option<Arc<Connection>>, mut request: Request) -> Response {
        let server = self.server.clone();
        take_for_own(request.headers_mut());
        self.websocket.upgrade(request, move |ws| {
            let (sender, mut receiver) = ws.split();
            let begun = connection.filter(|it| it.begin_websocket(sender.clone()).is_ok());
            let Some(connection) = begun else {
                sender.send(NOT_HANDSHAKEN)?;
                return sender.close(websocket::code::NORMAL, "");
            };
            wire::open(&server, &connection);
            read(&connection, &mut receiver);
            Ok(())
        })
    }
}

/// In Node such a client says its origin is the server's address without a scheme. No page has such an origin.
fn take_for_own(headers: &mut HeaderMap) {
    if headers.contains_key(ORIGIN) && headers.get(ORIGIN) == headers.get(HOST) {
        headers.remove(ORIGIN);
    }
}

/// Reads a client that goes over a websocket, to its end.
fn read(connection: &Connection, receiver: &mut websocket::Receiver) {
    let _lost = Lost(connection);
    let reason = loop {
        match receiver.receive() {
            Ok(Some(websocket::Message::Text(text))) => connection.receive(&text),
            Ok(Some(websocket::Message::Binary(_))) => break CloseReason::ParseError,
            Ok(None) => break CloseReason::TransportClose,
            Err(error) => {
                log::debug!("socket.io 0.9: {error}");
                break CloseReason::TransportError;
            }
        }
    };
    connection.close(reason);
}

/// Ends the client when its reader unwinds, too.
struct Lost<'a>(&'a Connection);

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        self.0.close(CloseReason::TransportError);
    }
}

/// Answers a poll, once there is something.
fn receive(
    server: &Arc<Shared>,
    connection: Option<Arc<Connection>>,
    request: &Request,
    wrapping: &Wrapping,
) -> Response {
    let poll = |connection: Arc<Connection>| {
        let poll = connection.poll(Peer::of(request).cloned()).ok()?;
        Some((connection, poll))
    };
    let Some((connection, poll)) = connection.and_then(poll) else {
        return wrapping.answer(NOT_HANDSHAKEN);
    };
    if poll.is_first() {
        wire::open(server, &connection);
    }
    // Nobody reads the answer to one who has hung up.
    wrapping.answer(&Poll::answer(poll).unwrap_or_default())
}

/// Takes the packets of a request, one after the other.
fn bring(
    connection: Option<Arc<Connection>>,
    request: &mut Request,
    wrapping: &Wrapping,
) -> Response {
    let Some(connection) = connection.filter(|connection| connection.is_polled()) else {
        return answer(StatusCode::BAD_REQUEST, PLAIN, NOT_HANDSHAKEN);
    };
    let _turn = connection.turn_to_send();
    let body = match wrapping.read(request) {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    let Ok(packets) = payload::decode(&body) else {
        return answer(StatusCode::BAD_REQUEST, PLAIN, "7::");
    };
    for packet in packets {
        connection.receive(packet);
    }
    with_protection(answer(StatusCode::OK, PLAIN, "1"))
}

/// How what a poll is told is written.
enum Wrapping {
    Plain,
    /// As a script, which calls `io.j[…]`.
    Script(u32),
}

impl Wrapping {
    /// Whatever is no number is the first function, and no script of somebody else's.
    fn script(index: Option<&str>) -> Wrapping {
        let index = index.and_then(|index| index.parse().ok());
        Wrapping::Script(index.unwrap_or(0))
    }

    fn answer(&self, text: &str) -> Response {
        match self {
            Wrapping::Plain => answer(StatusCode::OK, PLAIN, text.to_owned()),
            Wrapping::Script(index) => {
                let script = format!("io.j[{index}]({});", quoted(text));
                with_protection(answer(StatusCode::OK, SCRIPT, script))
            }
        }
    }

    fn refuse(&self, status: StatusCode, text: &'static str) -> Response {
        match self {
            Wrapping::Plain => answer(status, PLAIN, text),
            // A browser would not run the script of an error.
            Wrapping::Script(index) => {
                let script = format!("io.j[{index}](new Error({}));", quoted(text));
                with_protection(answer(StatusCode::OK, SCRIPT, script))
            }
        }
    }

    /// The payload in a request: a form has it as a string of JSON, since browsers change line ends there.
    fn read(&self, request: &mut Request) -> Result<String, Error> {
        #[derive(Deserialize)]
        struct Form {
            d: String,
        }

        match self {
            Wrapping::Plain => request.body_mut().read_text(),
            Wrapping::Script(_) => {
                let form: Form = request.form()?;
                // What is no JSON is no payload either.
                Ok(serde_json::from_str(&form.d).unwrap_or(form.d))
            }
        }
    }
}

/// A text as a string of JavaScript, of which two line separators are no part in older versions.
fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// Tells browsers to take an answer for no more than it says it is, and old ones not to look for attacks in it.
fn with_protection(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let protection = HeaderName::from_static("x-xss-protection");
    headers.insert(protection, HeaderValue::from_static("0"));
    response
}
