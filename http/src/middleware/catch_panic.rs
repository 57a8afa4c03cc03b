//! Panics as answers.

use crate::{Handler, IntoResponse, Request, Response};
use greenwire_runtime::thread;
use http::StatusCode;
use std::any::Any;
use std::panic::AssertUnwindSafe;

/// Answers with 500 when a handler panics. The server does so itself, and closes the connection; with this the
/// middlewares outside of it see the answer, the access log among them, and the connection goes on. The message
/// goes to the log, not to the client. Cancellations and timeouts are passed on.
#[derive(Clone, Debug)]
#[must_use]
pub struct CatchPanic<H>(H);

impl<H: Handler> CatchPanic<H> {
    /// Catches the panics of `handler`, which must bear being called again after one.
    pub fn new(handler: H) -> CatchPanic<H> {
        CatchPanic(handler)
    }
}

impl<H: Handler> Handler for CatchPanic<H> {
    fn call(&self, request: Request) -> Response {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        thread::catch_panic(AssertUnwindSafe(|| self.0.call(request))).unwrap_or_else(|payload| {
            log::error!("handler panicked at {method} {uri}: {}", message(&*payload));
            (StatusCode::INTERNAL_SERVER_ERROR, "internal server error").into_response()
        })
    }
}

/// What a panic says, if it is text.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message")
}
