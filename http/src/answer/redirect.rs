//! Redirects as answers.

use crate::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a `Location` cannot hold as it is.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\');

/// Sends the client elsewhere. The address may be relative; spaces, control characters and what is not ASCII are
/// percent-encoded, so that it cannot break out of its header.
///
/// Where it comes from a request, check it: `//host/` leads to another host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Redirect {
    status: StatusCode,
    location: String,
}

impl Redirect {
    /// 303 See Other: to be fetched by `GET`, as after a form.
    pub fn to(location: impl AsRef<str>) -> Redirect {
        Redirect::new(StatusCode::SEE_OTHER, location.as_ref())
    }

    /// 307 Temporary Redirect: the same request, for once.
    pub fn temporary(location: impl AsRef<str>) -> Redirect {
        Redirect::new(StatusCode::TEMPORARY_REDIRECT, location.as_ref())
    }

    /// 308 Permanent Redirect: the same request, from now on.
    pub fn permanent(location: impl AsRef<str>) -> Redirect {
        Redirect::new(StatusCode::PERMANENT_REDIRECT, location.as_ref())
    }

    fn new(status: StatusCode, location: &str) -> Redirect {
        let location = utf8_percent_encode(location, ENCODED).to_string();
        Redirect { status, location }
    }
}

impl IntoResponse for Redirect {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        // What could not be in a header has been encoded.
        if let Ok(location) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}
