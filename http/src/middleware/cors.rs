//! Cross-origin requests: which other sites' pages may use this server (Fetch Standard, section 3.3).

use crate::{Handler, IntoResponse, Request, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Method, StatusCode};
use std::time::Duration;

/// Tells browsers which other origins' pages may use a handler. Without any [`origin`](Cors::origin) nobody may,
/// as without this.
///
/// ```
/// use greenwire_http::middleware::Cors;
/// use greenwire_http::{Method, Router};
/// use std::time::Duration;
///
/// let api = Router::new().get("/items", |_| "[]").delete("/items/{id}", |_| ());
/// let api = Cors::new(api)
///     .origin("https://app.example")
///     .methods([Method::GET, Method::DELETE])
///     .headers(["authorization", "content-type"])
///     .max_age(Duration::from_secs(600));
/// # let _ = api;
/// ```
///
/// A preflight, which is an `OPTIONS` with `Origin` and `Access-Control-Request-Method`, is answered here, with 204;
/// the handler does not see it. Everything else goes to the handler, also from origins that are not allowed: it is
/// the browser that keeps the answer from them. So this is no protection of the server.
#[derive(Clone, Debug)]
#[must_use]
pub struct Cors<H> {
    handler: H,
    origins: Origins,
    /// What a preflight is told.
    preflight: HeaderMap,
    /// What every answer to an allowed origin tells.
    always: HeaderMap,
}

#[derive(Clone, Debug)]
enum Origins {
    Any,
    These(Vec<HeaderValue>),
}

impl<H: Handler> Cors<H> {
    /// Allows nothing yet. The methods are `GET`, `HEAD` and `POST`, which need no permission, until
    /// [`methods`](Cors::methods) says otherwise.
    pub fn new(handler: H) -> Cors<H> {
        Cors {
            handler,
            origins: Origins::These(Vec::new()),
            preflight: HeaderMap::new(),
            always: HeaderMap::new(),
        }
    }

    /// Allows an origin, as `https://app.example` or `http://localhost:5173`: without a path.
    ///
    /// # Panics
    /// If it cannot be in a header, or has a path.
    pub fn origin(mut self, origin: &str) -> Cors<H> {
        let host = origin.split_once("://").map(|(_, host)| host);
        let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains('/'));
        assert!(is_origin, "{origin:?} is no origin: scheme://host");
        let value = header_value(origin);
        match &mut self.origins {
            Origins::Any => {}
            Origins::These(origins) => origins.push(value),
        }
        self
    }

    /// Allows all origins. Never with [`credentials`](Cors::credentials).
    ///
    /// # Panics
    /// After [`credentials`](Cors::credentials).
    pub fn any_origin(mut self) -> Cors<H> {
        self.origins = Origins::Any;
        self.check()
    }

    /// The methods that a preflight is told.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Cors<H> {
        let names = methods.into_iter().map(|method| method.to_string());
        let value = list(names);
        self.preflight.insert(ACCESS_CONTROL_ALLOW_METHODS, value);
        self
    }

    /// The headers that a page may send, beside those that need no permission.
    ///
    /// # Panics
    /// If one is no header's name.
    pub fn headers<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Cors<H> {
        let value = list_of_names(names);
        self.preflight.insert(ACCESS_CONTROL_ALLOW_HEADERS, value);
        self
    }

    /// The headers of an answer that a page may read, beside those that need no permission.
    ///
    /// # Panics
    /// If one is no header's name.
    pub fn expose<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Cors<H> {
        let value = list_of_names(names);
        self.always.insert(ACCESS_CONTROL_EXPOSE_HEADERS, value);
        self
    }

    /// Allows pages to send cookies.
    ///
    /// # Panics
    /// After [`any_origin`](Cors::any_origin): every site could act for every visitor.
    pub fn credentials(mut self) -> Cors<H> {
        let value = HeaderValue::from_static("true");
        self.always.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, value);
        self.check()
    }

    /// How long a browser may remember the answer to a preflight. Default: not said, so that browsers take five
    /// seconds.
    pub fn max_age(mut self, age: Duration) -> Cors<H> {
        let value = HeaderValue::from(age.as_secs());
        self.preflight.insert(ACCESS_CONTROL_MAX_AGE, value);
        self
    }

    fn check(self) -> Cors<H> {
        let trusts_all = matches!(self.origins, Origins::Any);
        let has_credentials = self.always.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        assert!(
            !(trusts_all && has_credentials),
            "all origins, with credentials: name the origins instead"
        );
        self
    }

    /// What `Access-Control-Allow-Origin` says to this origin.
    fn allowed(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        match &self.origins {
            Origins::Any => origin.map(|_| HeaderValue::from_static("*")),
            Origins::These(origins) => origin.filter(|origin| origins.contains(origin)).cloned(),
        }
    }
}

impl<H: Handler> Handler for Cors<H> {
    fn call(&self, request: Request) -> Response {
        let allowed = self.allowed(request.headers().get(ORIGIN));
        let is_preflight = is_preflight(&request);
        let mut response = match is_preflight {
            true => StatusCode::NO_CONTENT.into_response(),
            false => self.handler.call(request),
        };
        let headers = response.headers_mut();
        if let Origins::These(_) = self.origins {
            // Also where the origin is not allowed: a cache must not give that answer to one that is.
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.extend(self.always.clone());
            if is_preflight {
                headers.extend(self.preflight.clone());
            }
        }
        response
    }
}

fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn list_of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> HeaderValue {
    list(names.into_iter().map(|name| {
        let parsed = HeaderName::try_from(name);
        let parsed = parsed.unwrap_or_else(|_| panic!("{name:?} is no header's name"));
        parsed.to_string()
    }))
}

fn list(items: impl Iterator<Item = String>) -> HeaderValue {
    header_value(&items.collect::<Vec<_>>().join(", "))
}

fn header_value(text: &str) -> HeaderValue {
    let value = HeaderValue::try_from(text);
    value.unwrap_or_else(|_| panic!("{text:?} cannot be in a header"))
}
