//! What answers at one path: a handler for each method, or one that is mounted and answers all.

use crate::{Handler, IntoResponse, Request, Response};
use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};

/// The handlers of one route.
#[derive(Default)]
pub(super) struct Endpoint {
    by_method: Vec<(Method, Box<dyn Handler>)>,
    any: Option<Box<dyn Handler>>,
    is_mounted: bool,
}

impl Endpoint {
    /// One whose handler sees the path without the prefix.
    pub(super) fn mounted(handler: Box<dyn Handler>) -> Endpoint {
        Endpoint {
            any: Some(handler),
            is_mounted: true,
            ..Endpoint::default()
        }
    }

    pub(super) fn is_mounted(&self) -> bool {
        self.is_mounted
    }

    pub(super) fn set(&mut self, method: Method, path: &str, handler: Box<dyn Handler>) {
        let is_new = !self.is_mounted && self.find(&method).is_none();
        assert!(is_new, "{method} {path:?} has a handler already");
        self.by_method.push((method, handler));
    }

    pub(super) fn set_any(&mut self, path: &str, handler: Box<dyn Handler>) {
        assert!(self.any.is_none(), "{path:?} has a handler for all already");
        self.any = Some(handler);
    }

    pub(super) fn call(&self, request: Request) -> Response {
        let method = request.method();
        if let Some(handler) = self.find(method).or(self.any.as_deref()) {
            return handler.call(request);
        }
        if *method == Method::HEAD
            && let Some(handler) = self.find(&Method::GET)
        {
            return handler.call(request);
        }
        let status = match *method {
            Method::OPTIONS => StatusCode::NO_CONTENT,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        with_allow(status, self.methods())
    }

    fn find(&self, method: &Method) -> Option<&dyn Handler> {
        let mut handlers = self.by_method.iter();
        let found = handlers.find(|(of, _)| of == method);
        found.map(|(_, handler)| &**handler)
    }

    fn methods(&self) -> impl Iterator<Item = &Method> {
        self.by_method.iter().map(|(method, _)| method)
    }
}

/// The answer to `OPTIONS *`.
pub(super) fn allowed_somewhere(endpoints: &[Endpoint]) -> Response {
    let methods = endpoints.iter().flat_map(Endpoint::methods);
    with_allow(StatusCode::NO_CONTENT, methods)
}

/// An answer that says which methods there are, with those that every route has.
fn with_allow<'a>(status: StatusCode, methods: impl Iterator<Item = &'a Method>) -> Response {
    let mut names: Vec<&str> = methods.map(Method::as_str).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.sort_unstable();
    names.dedup();
    let mut response = match status {
        StatusCode::METHOD_NOT_ALLOWED => (status, "method not allowed\n").into_response(),
        _ => status.into_response(),
    };
    // The names of methods are tokens, which a header value may hold.
    if let Ok(allow) = HeaderValue::try_from(names.join(", ")) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}
