//! Which handler answers: by path, then by method. Knows nothing of connections.

mod endpoint;
mod params;

use crate::{Handler, IntoResponse, Request, Response};
use endpoint::Endpoint;
use http::uri::PathAndQuery;
use http::{Method, StatusCode, Uri};
use params::Undecodable;
use std::collections::HashMap;
use std::fmt;

pub use params::Params;

/// The name under which a mounted handler's part of the path is matched. No route may use it.
const REST: &str = "_rest_of_path";

/// Chooses a handler by the path and the method of a request. It is itself a [`Handler`], so routers can be
/// [mounted](Router::mount) in routers, and middlewares can hold them.
///
/// ```
/// use greenwire_http::{Json, Request, RequestExt, Router, StatusCode};
///
/// fn user(request: Request) -> String {
///     format!("user {}", request.param("id").unwrap_or_default())
/// }
///
/// let app = Router::new()
///     .get("/", |_| "welcome")
///     .get("/users/{id}", user)
///     .post("/users", |_| (StatusCode::CREATED, Json(["ann", "ben"])))
///     .mount("/admin", Router::new().get("/", |_| "the admin's page"));
/// # let _ = app;
/// // Server::bind("127.0.0.1:8080")?.serve_handler(app)
/// ```
///
/// # Paths
///
/// * `/users/{id}` matches one segment that is not empty; `/{*path}`, at the end, all that is left, which is
///   not empty either. Of several routes the most literal one is chosen. `{{` and `}}` are braces.
/// * Routes match the path as the client sent it. What a parameter caught is percent-decoded afterwards, so
///   `%2F` never makes a segment, and a literal route is written as clients encode it, `/caf%C3%A9`. A parameter
///   that is not UTF-8 is answered with 400.
/// * `/users` and `/users/` are two routes.
///
/// # Methods
///
/// * No route for the path: 404, or [the fallback](Router::fallback).
/// * A route, but not for the method: 405, with `Allow`.
/// * `HEAD` is answered by the handler of `GET`, unless it has one of its own; the server sends no body.
/// * `OPTIONS` is answered with 204 and `Allow`, unless it has a handler of its own; `OPTIONS *` with all methods
///   that some route has.
#[must_use]
#[derive(Default)]
pub struct Router {
    tree: matchit::Router<usize>,
    /// The place in `endpoints` of each route, by its text.
    places: HashMap<String, usize>,
    endpoints: Vec<Endpoint>,
    fallback: Option<Box<dyn Handler>>,
}

/// The URI as the client sent it, in the extensions of a request that went through [`Router::mount`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalUri(pub Uri);

macro_rules! by_method {
    ($($name:ident $method:ident;)*) => {$(
        #[doc = concat!("Answers `", stringify!($method), "` at `path` with a function.")]
        ///
        /// # Panics
        /// As [`route`](Router::route).
        pub fn $name<F, R>(self, path: &str, handler: F) -> Router
        where
            F: Fn(Request) -> R + Send + Sync + 'static,
            R: IntoResponse,
        {
            self.route(Method::$method, path, handler)
        }
    )*};
}

impl Router {
    /// A router that answers everything with 404.
    pub fn new() -> Router {
        Router::default()
    }

    by_method! {
        get GET;
        post POST;
        put PUT;
        patch PATCH;
        delete DELETE;
    }

    /// Answers `method` at `path` with `handler`.
    ///
    /// # Panics
    /// If `path` does not begin with `/` or is malformed, if it cannot be told from another route, or if this
    /// method has a handler there already.
    pub fn route(mut self, method: Method, path: &str, handler: impl Handler) -> Router {
        self.endpoint(path).set(method, path, Box::new(handler));
        self
    }

    /// Answers every method at `path` that has no handler of its own there with a function.
    ///
    /// # Panics
    /// As [`route`](Router::route).
    pub fn any<F, R>(mut self, path: &str, handler: F) -> Router
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.endpoint(path).set_any(path, Box::new(handler));
        self
    }

    /// Gives everything at `prefix` and below it to `handler`, which sees the path without the prefix, `/` at
    /// least, and the [`OriginalUri`] in the extensions. WSGI does the same with `SCRIPT_NAME` and `PATH_INFO`.
    ///
    /// The prefix may have parameters. Routes of this router are more literal, and come first.
    ///
    /// ```
    /// use greenwire_http::{Request, RequestExt, Router};
    ///
    /// fn page(request: Request) -> String {
    ///     let name = |name| request.param(name).unwrap_or_default();
    ///     format!("page {} of {}, at {}", name("page"), name("book"), request.uri())
    /// }
    ///
    /// // "/books/emma/pages/7" is answered "page 7 of emma, at /pages/7".
    /// let books = Router::new().get("/pages/{page}", page);
    /// let app = Router::new().mount("/books/{book}", books);
    /// # let _ = app;
    /// ```
    ///
    /// # Panics
    /// If the prefix ends with `/`, and as [`route`](Router::route).
    pub fn mount(mut self, prefix: &str, handler: impl Handler) -> Router {
        assert!(!prefix.ends_with('/'), "the prefix {prefix:?} ends with /");
        let mounted = Endpoint::mounted(Box::new(handler));
        let place = self.endpoints.len();
        self.endpoints.push(mounted);
        if !prefix.is_empty() {
            self.insert(prefix, place);
        }
        self.insert(&format!("{prefix}/"), place);
        self.insert(&format!("{prefix}/{{*{REST}}}"), place);
        self
    }

    /// Answers, in place of 404, where no route matches. Replaces an earlier one.
    pub fn fallback(mut self, handler: impl Handler) -> Router {
        self.fallback = Some(Box::new(handler));
        self
    }

    fn endpoint(&mut self, path: &str) -> &mut Endpoint {
        let place = self.places.get(path).copied().unwrap_or_else(|| {
            self.endpoints.push(Endpoint::default());
            self.insert(path, self.endpoints.len() - 1);
            self.endpoints.len() - 1
        });
        &mut self.endpoints[place]
    }

    fn insert(&mut self, path: &str, place: usize) {
        assert!(
            path.starts_with('/'),
            "the route {path:?} lacks its first /"
        );
        if let Err(error) = self.tree.insert(path, place) {
            panic!("the route {path:?} cannot be added: {error}");
        }
        self.places.insert(path.to_owned(), place);
    }

    fn not_found(&self, request: Request) -> Response {
        match &self.fallback {
            Some(handler) => handler.call(request),
            None => (StatusCode::NOT_FOUND, "not found\n").into_response(),
        }
    }
}

impl Handler for Router {
    fn call(&self, mut request: Request) -> Response {
        if request.uri().path() == "*" {
            return endpoint::allowed_somewhere(&self.endpoints);
        }
        let uri = request.uri().clone();
        let Ok(found) = self.tree.at(uri.path()) else {
            return self.not_found(request);
        };
        let endpoint = &self.endpoints[*found.value];
        let mut rest = None;
        let params = request.extensions_mut().get_or_insert_default::<Params>();
        for (name, value) in found.params.iter() {
            if name == REST {
                rest = Some(value);
            } else if let Err(Undecodable) = params.add(name, value) {
                return (StatusCode::BAD_REQUEST, "path is not UTF-8\n").into_response();
            }
        }
        if endpoint.is_mounted() {
            strip_prefix(&mut request, rest.unwrap_or_default());
        }
        endpoint.call(request)
    }
}

/// Leaves `rest` of the path, with the query.
fn strip_prefix(request: &mut Request, rest: &str) {
    let original = request.uri().clone();
    let path = match original.query() {
        Some(query) => format!("/{rest}?{query}"),
        None => format!("/{rest}"),
    };
    // A piece of a valid URI behind a slash is valid.
    if let Ok(path) = PathAndQuery::try_from(path) {
        *request.uri_mut() = Uri::from(path);
    }
    let extensions = request.extensions_mut();
    if extensions.get::<OriginalUri>().is_none() {
        extensions.insert(OriginalUri(original));
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut routes: Vec<&String> = self.places.keys().collect();
        routes.sort();
        f.debug_struct("Router").field("routes", &routes).finish()
    }
}
