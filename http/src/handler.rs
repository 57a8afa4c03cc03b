//! What a program gives a server: a handler.

use crate::{IntoResponse, Request, Response};

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
