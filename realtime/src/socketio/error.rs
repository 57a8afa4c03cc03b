//! The one error type of the module.

use serde::de::Error as _;
use std::fmt;

/// Why something could not be sent, received or answered.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The client is gone, or has left the namespace.
    Closed,
    /// An argument is not what it was to be, or cannot be JSON.
    Json(serde_json::Error),
    /// The name of an event is one of those that mean something else: `connect`, `connect_error`, `disconnect`,
    /// `disconnecting`, `newListener`, `removeListener`.
    Reserved(String),
    /// Nobody answered in time. With it, what had been answered until then by others.
    Timeout(Vec<super::Args>),
    /// The other servers of the cluster cannot be reached, or one of them did not answer.
    Cluster(String),
    /// A program's own: what it says of a client, an event or a packet that it does not want.
    Refused(Refusal),
}

/// What a client is told that is not let in, and what the error hook is told of a refused event.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// For people: the `message` of the client's error.
    pub message: String,
    /// For programs: its `data`. Left out if it is null.
    pub data: serde_json::Value,
}

impl Error {
    /// A program's own error, with a message for the client.
    pub fn refused(message: impl Into<String>) -> Error {
        Error::refused_with(message, serde_json::Value::Null)
    }

    /// A program's own error, with a message and data for the client.
    pub fn refused_with(message: impl Into<String>, data: serde_json::Value) -> Error {
        let message = message.into();
        Error::Refused(Refusal { message, data })
    }

    pub(crate) fn not_json(what: &str) -> Error {
        Error::Json(serde_json::Error::custom(what))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Closed => f.write_str("the client is disconnected"),
            Error::Json(error) => write!(f, "arguments: {error}"),
            Error::Reserved(name) => write!(f, "{name:?} is no name for an event"),
            Error::Timeout(_) => f.write_str("no answer in time"),
            Error::Cluster(what) => write!(f, "the other servers: {what}"),
            Error::Refused(refusal) => f.write_str(&refusal.message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Json(error) => Some(error),
            _ => None,
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Error {
        Error::Json(error)
    }
}
