//! A status or headers beside a value.

use crate::{IntoResponse, Response, spare};
use cookie::Cookie;
use http::header::{HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, StatusCode};

/// As the second, with this status.
impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        *response.status_mut() = self.0;
        response
    }
}

/// As the second, with these headers in place of its own of the same names.
impl<T: IntoResponse> IntoResponse for (HeaderMap, T) {
    #[inline]
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        match response.headers().is_empty() {
            true => *response.headers_mut() = self.0,
            false => response.headers_mut().extend(self.0),
        }
        response
    }
}

/// As the second, with these headers in place of its own of the same names. 500 if one is not allowed, as a value
/// with a line end in it; that is logged.
impl<N, V, T, const COUNT: usize> IntoResponse for ([(N, V); COUNT], T)
where
    N: TryInto<HeaderName>,
    V: TryInto<HeaderValue>,
    T: IntoResponse,
{
    fn into_response(self) -> Response {
        let mut headers = spare::headers();
        for pair in self.0 {
            let Some((name, value)) = header(pair) else {
                return not_allowed();
            };
            headers.append(name, value);
        }
        (headers, self.1).into_response()
    }
}

/// As the second, with this cookie, percent-encoded. 500 if an attribute of it is not allowed; that is logged.
impl<T: IntoResponse> IntoResponse for (Cookie<'_>, T) {
    fn into_response(self) -> Response {
        let Ok(cookie) = HeaderValue::try_from(self.0.encoded().to_string()) else {
            return not_allowed();
        };
        let mut response = self.1.into_response();
        response.headers_mut().append(SET_COOKIE, cookie);
        response
    }
}

/// As the third, with this status and these headers.
impl<H, T> IntoResponse for (StatusCode, H, T)
where
    (H, T): IntoResponse,
{
    fn into_response(self) -> Response {
        let (status, headers, value) = self;
        (status, (headers, value)).into_response()
    }
}

fn not_allowed() -> Response {
    log::error!("handler's answer has a header that is not allowed");
    (StatusCode::INTERNAL_SERVER_ERROR, "internal server error").into_response()
}

fn header<N, V>((name, value): (N, V)) -> Option<(HeaderName, HeaderValue)>
where
    N: TryInto<HeaderName>,
    V: TryInto<HeaderValue>,
{
    Some((name.try_into().ok()?, value.try_into().ok()?))
}
