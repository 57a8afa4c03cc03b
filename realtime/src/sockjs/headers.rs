//! The headers that the protocol asks for: who may read a response, who may keep it, and the cookie.
//!
//! `middleware::Cors` is not used: it rightly never lets every origin in together with its cookies, which is what
//! SockJS's clients need by default. [`Config::allow_origins`](super::Config::allow_origins) is for those who mind.

use super::Config;
use super::protocol::route::Route;
use greenwire_http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    CACHE_CONTROL, COOKIE, EXPIRES, HOST, ORIGIN, SET_COOKIE, VARY,
};
use greenwire_http::{HeaderMap, HeaderValue, IntoResponse, Request, Response, StatusCode};
use std::time::{Duration, SystemTime};

const YEAR: Duration = Duration::from_secs(31_536_000);
const NEVER_KEEP: HeaderValue =
    HeaderValue::from_static("no-store, no-cache, no-transform, must-revalidate, max-age=0");

/// What the responses to a request have to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    origin: Option<HeaderValue>,
    /// The cookie that the answer sets.
    cookie: Option<HeaderValue>,
}

impl Asked {
    pub(crate) fn by(request: &Request, config: &Config) -> Asked {
        let headers = request.headers();
        Asked {
            origin: headers.get(ORIGIN).cloned(),
            cookie: config.cookie.then(|| session_cookie(headers)),
        }
    }

    /// Lets pages of all origins read the response. `null` stands for files and the like.
    pub(crate) fn let_read(&self, headers: &mut HeaderMap) {
        let any = HeaderValue::from_static("*");
        if self.origin.is_some() {
            headers.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
        headers.insert(
            ACCESS_CONTROL_ALLOW_ORIGIN,
            self.origin.clone().unwrap_or(any),
        );
        headers.append(VARY, HeaderValue::from_static("origin"));
    }

    /// Has the browser remember the server, for a load balancer.
    pub(crate) fn set_cookie(&self, headers: &mut HeaderMap) {
        headers.extend(self.cookie.clone().map(|cookie| (SET_COOKIE, cookie)));
    }
}

/// The value that the client has already, or one that says that it is here.
fn session_cookie(headers: &HeaderMap) -> HeaderValue {
    let values = headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).map(str::trim);
    let value = pairs
        .find_map(|pair| pair.strip_prefix("JSESSIONID="))
        .unwrap_or("dummy");
    // A piece of a header's value is one.
    HeaderValue::try_from(format!("JSESSIONID={value}; path=/"))
        .unwrap_or(HeaderValue::from_static("JSESSIONID=dummy; path=/"))
}

/// Whether the page that asks may use the service.
pub(crate) fn is_allowed(request: &Request, config: &Config) -> bool {
    let headers = request.headers();
    let (Some(allowed), Some(origin)) = (&config.origins, headers.get(ORIGIN)) else {
        return true;
    };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin.split_once("://").map(|(_, authority)| authority);
    own.is_some_and(|own| host.is_some_and(|host| host.eq_ignore_ascii_case(own)))
        || allowed
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(origin))
}

/// Nobody may keep the response.
pub(crate) fn forbid_keeping(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, NEVER_KEEP);
}

/// Everybody may keep the response for a year.
pub(crate) fn let_keep(headers: &mut HeaderMap) {
    let expires = httpdate::fmt_http_date(SystemTime::now() + YEAR);
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000"),
    );
    // A date has no characters that a header may not have.
    headers.extend(
        HeaderValue::try_from(expires)
            .ok()
            .map(|expires| (EXPIRES, expires)),
    );
}

/// The answer to `OPTIONS`: what pages of other origins may do.
pub(crate) fn preflight(request: &Request, route: Route<'_>, asked: &Asked) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let_keep(headers);
    asked.let_read(headers);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(YEAR.as_secs()));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, allow(route));
    let wanted = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS);
    if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}

/// The methods that are answered.
pub(crate) fn allow(route: Route<'_>) -> HeaderValue {
    // Names of methods are header values.
    HeaderValue::try_from(route.methods().join(", ")).unwrap_or(HeaderValue::from_static(""))
}
