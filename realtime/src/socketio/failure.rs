//! What goes wrong in handlers.

use super::Error;
use std::fmt;

/// What went wrong in a handler of a client.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// A handler returned an error, or could not be called with these arguments, or the event was refused before.
    Error {
        /// The event, or `connect` or `disconnect`.
        event: Option<String>,
        /// What it returned.
        error: Error,
    },
    /// A handler panicked.
    Panic {
        /// The event, or `connect` or `disconnect`.
        event: Option<String>,
        /// What it panicked with.
        message: String,
    },
}

impl Failure {
    /// The event that was handled; `None` if it was the answer to one of the server's.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        match self {
            Failure::Error { event, .. } | Failure::Panic { event, .. } => event.as_deref(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.event().unwrap_or("answer");
        match self {
            Failure::Error { error, .. } => write!(f, "handler of {event:?}: {error}"),
            Failure::Panic { message, .. } => write!(f, "handler of {event:?} panicked: {message}"),
        }
    }
}
