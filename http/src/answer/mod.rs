//! What a handler may return, and how it becomes a response.

mod json;
mod pairs;
mod redirect;

use crate::{Body, Response, spare};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

pub use json::Json;
pub use redirect::Redirect;

/// What a handler function may return.
///
/// | value | response |
/// |---|---|
/// | [`Response`], [`Body`] | itself |
/// | `&'static str`, `String` | `text/plain; charset=utf-8` |
/// | `Vec<u8>`, [`Bytes`], `&'static [u8]`, `fs::File` | `application/octet-stream` |
/// | [`html`] | `text/html; charset=utf-8` |
/// | [`Json`] | `application/json` |
/// | [`Redirect`] | 303, 307 or 308 with `Location` |
/// | [`StatusCode`], `()` | that status without a body, 204 |
/// | `(StatusCode, T)` | `T` with that status |
/// | `(headers, T)`, `(StatusCode, headers, T)` | `T` with these headers: a [`HeaderMap`](http::HeaderMap) or an array of pairs |
/// | `(Cookie, T)` | `T` with that cookie |
/// | `Result<T, E>`, `Option<T>` | that of the value, of the error, or 404 |
///
/// ```
/// use greenwire_http::{IntoResponse, Json, Redirect, Request, StatusCode};
///
/// fn old(_: Request) -> Redirect {
///     Redirect::permanent("/new")
/// }
///
/// fn made(_: Request) -> impl IntoResponse {
///     (StatusCode::CREATED, [("location", "/users/7")], Json(["ann"]))
/// }
/// # let _ = (old, made);
/// ```
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

/// `application/octet-stream`.
impl IntoResponse for &'static [u8] {
    fn into_response(self) -> Response {
        typed(self, "application/octet-stream")
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
    *response.headers_mut() = spare::headers();
    set_content_type(&mut response, content_type);
    response
}

pub(crate) fn set_content_type(response: &mut Response, content_type: &'static str) {
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
}
