//! The one error type of the crate.

use crate::Violation;
use std::{fmt, io};

/// Why a connection stopped working. A clean close is not an error:
/// [`receive`](crate::WebSocket::receive) returns `Ok(None)`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The stream failed: reset, end of stream without a close frame (`UnexpectedEof`), or a peer
    /// that took nothing for the stall limit (`TimedOut`). The connection is gone.
    Io(io::Error),
    /// The peer broke RFC 6455, or sent more than a limit allows. It has been told by a close frame.
    Protocol(Violation),
    /// The connection is closed, or closing: nothing can be sent or received on it any more.
    Closed,
    /// The peer read so slowly that the connection was closed with 1013, as
    /// [`SlowReader::Disconnect`](crate::SlowReader::Disconnect) says.
    SlowReader,
    /// The opening handshake of a client failed.
    Handshake(HandshakeError),
}

/// Why a client's opening handshake failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The URL, or a header or subprotocol to be sent, is not valid; the text says what.
    Invalid(&'static str),
    /// The URL's scheme cannot be used; `wss` needs the feature `tls`.
    UnsupportedScheme(String),
    /// The server answered with this status instead of 101.
    Status(u16),
    /// The server wants the client to ask elsewhere. It is not done: a page that can redirect must not
    /// be able to choose whom the credentials in the request go to. Connect there if you trust it.
    Redirect {
        /// The status, 300 to 399.
        status: u16,
        /// The `Location` as it came, if there was one.
        location: Option<String>,
    },
    /// The proxy did not open a tunnel; its status.
    Proxy(u16),
    /// The server's 101 is not an answer to this handshake; the text says why.
    BadResponse(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io(error) => write!(f, "websocket stream: {error}"),
            Error::Protocol(violation) => write!(f, "websocket peer: {violation}"),
            Error::Closed => f.write_str("websocket is closed"),
            Error::SlowReader => f.write_str("websocket peer reads too slowly"),
            Error::Handshake(error) => write!(f, "websocket handshake: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(error) => Some(error),
            Error::Protocol(violation) => Some(violation),
            Error::Handshake(error) => Some(error),
            Error::Closed | Error::SlowReader => None,
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandshakeError::Invalid(what) => write!(f, "invalid {what}"),
            HandshakeError::UnsupportedScheme(scheme) => write!(f, "unsupported scheme {scheme:?}"),
            HandshakeError::Status(status) => write!(f, "the server answered {status}"),
            HandshakeError::Redirect { status, location } => {
                let location = location.as_deref().unwrap_or("nowhere");
                write!(f, "the server redirects to {location} ({status})")
            }
            HandshakeError::Proxy(status) => write!(f, "the proxy answered {status}"),
            HandshakeError::BadResponse(why) => write!(f, "bad response: {why}"),
        }
    }
}

impl std::error::Error for HandshakeError {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Io(error)
    }
}

/// For `Read` and `Write`: of kind `InvalidData` if the peer broke the rules, `BrokenPipe` if the
/// connection is closed.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match error {
            Error::Io(error) => return error,
            Error::Protocol(_) => io::ErrorKind::InvalidData,
            Error::Closed | Error::SlowReader => io::ErrorKind::BrokenPipe,
            Error::Handshake(_) => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Error {
        Error::Protocol(violation)
    }
}

impl From<HandshakeError> for Error {
    fn from(error: HandshakeError) -> Error {
        Error::Handshake(error)
    }
}
