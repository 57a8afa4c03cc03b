//! Names for requests, to find them again in logs.

use crate::{Handler, Request, Response};
use http::header::{HeaderName, HeaderValue};
use std::hash::{BuildHasher, Hasher, RandomState};

const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a request.
const LONGEST: usize = 128;

/// Gives each request an [`Id`], in its extensions and in the header `x-request-id` of the response.
///
/// ```
/// use greenwire_http::middleware::{Id, RequestId};
/// use greenwire_http::Request;
///
/// let app = RequestId::new(|request: Request| {
///     let id = request.extensions().get::<Id>().map_or("", Id::as_str);
///     log::info!("{id}: somebody asks for {}", request.uri());
///     "done"
/// });
/// # let _ = app;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequestId<H> {
    handler: H,
    trusts_clients: bool,
}

impl<H: Handler> RequestId<H> {
    /// Names the requests to `handler`: 16 random hexadecimal digits.
    pub fn new(handler: H) -> RequestId<H> {
        RequestId {
            handler,
            trusts_clients: false,
        }
    }

    /// Whether to take over the `x-request-id` of a request: up to 128 letters, digits, `-`, `_`, `.`. Default: no. For
    /// servers behind a proxy that names requests.
    pub fn trust_clients(mut self, trusts_clients: bool) -> RequestId<H> {
        self.trusts_clients = trusts_clients;
        self
    }

    fn name(&self, request: &Request) -> Id {
        let given = request.headers().get(NAME).filter(|_| self.trusts_clients);
        given.and_then(Id::taken_over).unwrap_or_else(Id::random)
    }
}

impl<H: Handler> Handler for RequestId<H> {
    fn call(&self, mut request: Request) -> Response {
        let id = self.name(&request);
        let header = HeaderValue::try_from(id.as_str());
        request.extensions_mut().insert(id);
        let mut response = self.handler.call(request);
        if let Ok(header) = header {
            response.headers_mut().insert(NAME, header);
        }
        response
    }
}

/// The name of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(String);

impl Id {
    /// As it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn random() -> Id {
        Id(format!(
            "{:016x}",
            RandomState::new().build_hasher().finish()
        ))
    }

    fn taken_over(value: &HeaderValue) -> Option<Id> {
        let text = value.to_str().ok()?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_id = (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain);
        is_id.then(|| Id(text.to_owned()))
    }
}
