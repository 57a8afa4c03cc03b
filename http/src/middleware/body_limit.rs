//! A limit to the bodies of requests.

use crate::{Error, Handler, IntoResponse, Request, Response};

/// Limits how many bytes of a request's body a handler may read, in place of the server's
/// [`Config::max_body`](crate::Config::max_body): for the one handler that takes uploads, or the one that must not.
/// A body that is known to be larger is refused with 413 at once.
#[derive(Clone, Debug)]
#[must_use]
pub struct BodyLimit<H> {
    handler: H,
    limit: u64,
}

impl<H: Handler> BodyLimit<H> {
    /// Limits what `handler` may read to this many bytes.
    pub fn new(handler: H, bytes: u64) -> BodyLimit<H> {
        BodyLimit {
            handler,
            limit: bytes,
        }
    }
}

impl<H: Handler> Handler for BodyLimit<H> {
    fn call(&self, mut request: Request) -> Response {
        let limit = self.limit;
        if request.body().length().is_some_and(|length| length > limit) {
            return Error::BodyTooLarge { limit }.into_response();
        }
        request.body_mut().set_limit(limit);
        self.handler.call(request)
    }
}
