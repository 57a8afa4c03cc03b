//! A limit to how long a handler may take.

use crate::{Handler, IntoResponse, Request, Response};
use greenwire_runtime::time;
use http::StatusCode;
use std::time::Duration;

/// Cuts a handler short that takes longer than a limit, and answers with 503. It is unwound at its next wait, as
/// [`time::timeout`] says; one that only computes is not. What the handler sends after it has returned, as a
/// body that comes by and by or an upgraded connection, may take any time.
#[derive(Clone, Debug)]
#[must_use]
pub struct Timeout<H> {
    handler: H,
    limit: Duration,
}

impl<H: Handler> Timeout<H> {
    /// Limits `handler`.
    pub fn new(handler: H, limit: Duration) -> Timeout<H> {
        Timeout { handler, limit }
    }
}

impl<H: Handler> Handler for Timeout<H> {
    fn call(&self, request: Request) -> Response {
        let answer = time::timeout(self.limit, || self.handler.call(request));
        answer.unwrap_or_else(|time::Elapsed| {
            (StatusCode::SERVICE_UNAVAILABLE, "this took too long\n").into_response()
        })
    }
}
