//! The serving end: from an HTTP request to a handler that talks over a websocket.

use crate::config::Settings;
use crate::connection::{Agreed, Connection};
use crate::protocol::handshake::{self, Acceptance, Refusal};
use crate::protocol::{Role, close::code};
use crate::{Config, Error, WebSocket};
use greenwire_http::{Body, Request, Response};
use greenwire_net::Stream;
use greenwire_runtime::thread;
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Answers an upgrade request with the default [`Config`]: runs `handler` on the websocket after the
/// 101 has gone out, or refuses the request with 400, 403 (`Origin`) or 426 (version).
///
/// When the handler returns, the connection is closed with 1000, or 1011 if it returned an error or
/// panicked, or 1001 if it was cancelled, unless it is closing already. Its error is logged at debug
/// level.
///
/// ```
/// use greenwire_http::{Request, Response};
/// use greenwire_websocket as websocket;
///
/// fn echo(request: Request) -> Response {
///     websocket::upgrade(request, |mut ws| {
///         while let Some(message) = ws.receive()? {
///             ws.send(message)?;
///         }
///         Ok(())
///     })
/// }
/// ```
pub fn upgrade(
    request: Request,
    handler: impl FnOnce(WebSocket) -> Result<(), Error> + Send + 'static,
) -> Response {
    Config::default().upgrade(request, handler)
}

impl Config {
    /// As [`upgrade`], with these settings.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a handler answers the request it owns"
    )]
    pub fn upgrade(
        &self,
        request: Request,
        handler: impl FnOnce(WebSocket) -> Result<(), Error> + Send + 'static,
    ) -> Response {
        let ours = self.compression;
        let accepted =
            handshake::check_request(&request, &self.origins, &self.protocols, ours.as_ref());
        let acceptance = match accepted {
            Ok(acceptance) => acceptance,
            Err(refusal) => {
                log::debug!("websocket: handshake refused: {refusal:?}");
                return refuse(refusal);
            }
        };
        let response = switching(&acceptance);
        let agreement = acceptance.compression.map(|(agreement, _)| agreement);
        let agreed = Agreed {
            protocol: acceptance.protocol,
            compression: agreement.zip(ours),
        };
        let settings = self.settings.clone();
        greenwire_http::upgrade(response, move |upgraded| {
            let (stream, early) = upgraded.into_parts();
            serve(stream, early, agreed, settings, handler);
        })
    }

    /// Runs `handler` on a stream whose opening handshake was done by other means, and ends the
    /// connection after it, as [`upgrade`] does. `early` are the bytes that were read beyond the
    /// request's head.
    ///
    /// # Panics
    /// If the handler does, after the connection was closed.
    pub fn serve_upgraded(
        &self,
        stream: impl Into<Stream>,
        early: Vec<u8>,
        handler: impl FnOnce(WebSocket) -> Result<(), Error>,
    ) {
        serve(
            stream.into(),
            early,
            Agreed::default(),
            self.settings.clone(),
            handler,
        );
    }
}

fn serve(
    stream: Stream,
    early: Vec<u8>,
    agreed: Agreed,
    settings: Arc<Settings>,
    handler: impl FnOnce(WebSocket) -> Result<(), Error>,
) {
    let websocket = match Connection::start(stream, early, Role::Server, agreed, settings) {
        Ok(receiver) => WebSocket::new(receiver),
        Err(error) => return log::debug!("websocket: not started: {error}"),
    };
    let connection = websocket.connection();
    // A panic, or a cancellation, goes on after the peer was told.
    match catch_unwind(AssertUnwindSafe(|| handler(websocket))) {
        Ok(Ok(())) => connection.conclude(code::NORMAL),
        Ok(Err(error)) => {
            log::debug!("websocket: the handler ended with: {error}");
            connection.conclude(code::INTERNAL_ERROR);
        }
        Err(panic) => {
            let cancelled = thread::is_cancellation(&*panic);
            connection.conclude(if cancelled {
                code::GOING_AWAY
            } else {
                code::INTERNAL_ERROR
            });
            thread::resume_cancellation(panic);
        }
    }
}

/// The 101 (RFC 6455 §4.2.2).
fn switching(acceptance: &Acceptance) -> Response {
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let mut set = |name: HeaderName, value: &str| {
        // Base64 is always a header value; a subprotocol was found in a header; the rest is ours.
        let value = HeaderValue::from_str(value).expect("a valid header value");
        response.headers_mut().insert(name, value);
    };
    set(header::UPGRADE, "websocket");
    set(header::CONNECTION, "Upgrade");
    set(header::SEC_WEBSOCKET_ACCEPT, &acceptance.key);
    if let Some(protocol) = &acceptance.protocol {
        set(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    if let Some((_, answer)) = &acceptance.compression {
        set(header::SEC_WEBSOCKET_EXTENSIONS, answer);
    }
    response
}

fn refuse(refusal: Refusal) -> Response {
    let (status, text) = match refusal {
        Refusal::Bad(reason) => (StatusCode::BAD_REQUEST, reason),
        Refusal::Version => (StatusCode::UPGRADE_REQUIRED, "websocket version 13 only"),
        Refusal::Origin => (StatusCode::FORBIDDEN, "origin not allowed"),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    if refusal == Refusal::Version {
        let headers = response.headers_mut();
        headers.insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
    }
    response
}
