//! What a program gives a server: a handler, and what a handler may return.

use crate::{Body, Request, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

/// Answers requests. WSGI's `application(environ, start_response)`; any
/// `Fn(Request) -> impl IntoResponse` is one, and a middleware is one that holds another.
///
/// `call` runs on the green thread of the request's connection and may take as long as it likes:
/// other connections go on meanwhile, and the next request on this one waits. When it returns, the
/// response is sent; a body that is read or written piece by piece is so after the return, on the
/// same green thread. What of the request's body was not read then is lost, unless the response's
/// body reads it.
///
/// # Panics
/// A panic is logged and answered with 500, and this connection is closed. The handler must bear
/// being called again, as threads that share data must bear it.
///
/// # Cancellation
/// A cancelled green thread unwinds through `call`; its connection is closed without an answer.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request.
    fn call(&self, request: Request) -> Response;
}

impl<F, R> Handler for F
where
    F: Fn(Request) -> R + Send + Sync + 'static,
    R: IntoResponse,
{
    fn call(&self, request: Request) -> Response {
        self(request).into_response()
    }
}

/// What a handler function may return.
pub trait IntoResponse {
    /// Makes the response.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

/// 200 with this body and no `Content-Type`.
impl IntoResponse for Body {
    fn into_response(self) -> Response {
        Response::new(self)
    }
}

/// 204 No Content.
impl IntoResponse for () {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// This status with an empty body.
impl IntoResponse for StatusCode {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = self;
        response
    }
}

/// `text/plain; charset=utf-8`.
impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        typed(self, "text/plain; charset=utf-8")
    }
}

/// `text/plain; charset=utf-8`.
impl IntoResponse for String {
    fn into_response(self) -> Response {
        typed(self, "text/plain; charset=utf-8")
    }
}

/// `application/octet-stream`.
impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        typed(self, "application/octet-stream")
    }
}

/// `application/octet-stream`.
impl IntoResponse for Bytes {
    fn into_response(self) -> Response {
        typed(self, "application/octet-stream")
    }
}

/// As the second, with this status.
impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

/// Either way a response: this is what makes `?` work in handlers.
impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

/// `None` is 404.
impl<T: IntoResponse> IntoResponse for Option<T> {
    fn into_response(self) -> Response {
        match self {
            Some(value) => value.into_response(),
            None => (StatusCode::NOT_FOUND, "not found").into_response(),
        }
    }
}

/// A page: `text/html; charset=utf-8`.
#[must_use]
pub fn html(page: impl Into<Body>) -> Response {
    typed(page, "text/html; charset=utf-8")
}

fn typed(body: impl Into<Body>, content_type: &'static str) -> Response {
    let mut response = Response::new(body.into());
    set_content_type(&mut response, content_type);
    response
}

pub(crate) fn set_content_type(response: &mut Response, content_type: &'static str) {
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
}
