//! Why reading a request's body failed, and the refusals that the parsers give.

use crate::{Body, IntoResponse, Response};
use http::StatusCode;
use std::{error, fmt, io};

/// Why a handler could not have what it asked for.
///
/// Returned from a handler with `?` it becomes the response that fits: see the variants.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Input or output failed for a reason that is not the client's fault: 500.
    Io(io::Error),
    /// The request's body is larger than allowed: 413.
    BodyTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The connection ended before the request's body did: 400.
    Truncated,
    /// The client stopped sending the request's body: 408.
    TimedOut,
    /// The request's body breaks RFC 9112 §7.1: 400.
    MalformedBody(&'static str),
    /// The request's body was to be text and is not UTF-8: 400.
    NotUtf8,
    /// The request is not what the handler asked for, as JSON with other fields: 400.
    Malformed {
        /// What it was to be.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The request's body is of another type than the handler asked for: 415.
    UnsupportedType {
        /// The type that it should have.
        expected: &'static str,
    },
    /// The response has been sent, so its request's body can be read no more: 500.
    RequestOver,
}

impl Error {
    /// The status that a client gets to see.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Error::Io(_) | Error::RequestOver => StatusCode::INTERNAL_SERVER_ERROR,
            Error::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Truncated
            | Error::MalformedBody(_)
            | Error::NotUtf8
            | Error::Malformed { .. } => StatusCode::BAD_REQUEST,
            Error::UnsupportedType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::TimedOut => StatusCode::REQUEST_TIMEOUT,
        }
    }

    pub(crate) fn malformed(what: &'static str, reason: &dyn fmt::Display) -> Error {
        Error::Malformed {
            what,
            reason: reason.to_string(),
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Error::Io(error) => error.kind(),
            Error::BodyTooLarge { .. } => io::ErrorKind::FileTooLarge,
            Error::Truncated => io::ErrorKind::UnexpectedEof,
            Error::TimedOut => io::ErrorKind::TimedOut,
            Error::MalformedBody(_)
            | Error::NotUtf8
            | Error::Malformed { .. }
            | Error::UnsupportedType { .. } => io::ErrorKind::InvalidData,
            Error::RequestOver => io::ErrorKind::BrokenPipe,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(error) => error.fmt(f),
            Error::BodyTooLarge { limit } => write!(f, "request body exceeds {limit} bytes"),
            Error::Truncated => f.write_str("connection ended within the request body"),
            Error::TimedOut => f.write_str("client stopped sending the request body"),
            Error::MalformedBody(reason) => write!(f, "malformed request body: {reason}"),
            Error::NotUtf8 => f.write_str("request body is not UTF-8"),
            Error::Malformed { what, reason } => write!(f, "malformed {what}: {reason}"),
            Error::UnsupportedType { expected } => write!(f, "the body must be {expected}"),
            Error::RequestOver => f.write_str("the request has been answered already"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Io(error) => error.source(),
            _ => None,
        }
    }
}

/// Gives back the [`Error`] that a body's `Read` wrapped.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        error.downcast::<Error>().unwrap_or_else(Error::Io)
    }
}

/// Keeps the error within, of the fitting `ErrorKind`.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        match error {
            Error::Io(error) => error,
            other => io::Error::new(other.kind(), other),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        let text = if status.is_server_error() {
            log::error!("handler failed: {self}");
            "internal server error".to_owned()
        } else {
            self.to_string()
        };
        (status, text).into_response()
    }
}

impl IntoResponse for io::Error {
    fn into_response(self) -> Response {
        Error::from(self).into_response()
    }
}

/// A request that is answered without asking the handler; the connection ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
}

impl Refusal {
    pub(crate) const fn new(status: StatusCode, reason: &'static str) -> Refusal {
        Refusal { status, reason }
    }

    pub(crate) const fn bad_request(reason: &'static str) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, reason)
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.reason));
        *response.status_mut() = self.status;
        crate::answer::set_content_type(&mut response, "text/plain; charset=utf-8");
        response
    }
}
