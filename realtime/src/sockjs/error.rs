//! The one error type of the module.

use greenwire_websocket::{self as websocket, Violation};
use std::{fmt, io};

/// Why a session stopped working. Its end is not an error: [`receive`](crate::sockjs::Session::receive) returns
/// `Ok(None)`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The websocket under the session failed.
    Io(io::Error),
    /// The client broke RFC 6455, or sent more than a limit allows. The session is closed.
    Protocol(Violation),
    /// The client sent a websocket message that is not SockJS's. The session is closed.
    Malformed,
    /// The session is closed: nothing can be sent on it any more.
    Closed,
    /// The client took its messages so slowly that the session was closed, as
    /// [`SlowReader::Disconnect`](crate::sockjs::SlowReader::Disconnect) says.
    SlowReader,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(error) => write!(f, "sockjs connection: {error}"),
            Error::Protocol(violation) => write!(f, "sockjs client: {violation}"),
            Error::Malformed => f.write_str("sockjs client: broken JSON encoding"),
            Error::Closed => f.write_str("sockjs session is closed"),
            Error::SlowReader => f.write_str("sockjs client reads too slowly"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(error) => Some(error),
            Error::Protocol(violation) => Some(violation),
            Error::Malformed | Error::Closed | Error::SlowReader => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Io(error)
    }
}

impl From<websocket::Error> for Error {
    fn from(error: websocket::Error) -> Error {
        match error {
            websocket::Error::Io(error) => Error::Io(error),
            websocket::Error::Protocol(violation) => Error::Protocol(violation),
            websocket::Error::Closed => Error::Closed,
            websocket::Error::SlowReader => Error::SlowReader,
            other => Error::Io(io::Error::other(other)),
        }
    }
}
