//! Why a session ended, and the one error of the module.

use std::fmt;

/// Why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client said that it closes.
    ClientClosed,
    /// The websocket was closed.
    TransportClose,
    /// A connection was lost, or requests came that no client makes.
    TransportError,
    /// The client sent what is no packet, or none that it may send.
    ParseError,
    /// The client did not answer a ping in time.
    PingTimeout,
    /// The server closed the session.
    ForcedClose,
    /// The server closed all sessions.
    ServerShutdown,
}

impl CloseReason {
    /// As clients and servers in JavaScript call it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CloseReason::ClientClosed | CloseReason::TransportClose => "transport close",
            CloseReason::TransportError => "transport error",
            CloseReason::ParseError => "parse error",
            CloseReason::PingTimeout => "ping timeout",
            CloseReason::ForcedClose => "forced close",
            CloseReason::ServerShutdown => "server shutting down",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The session is closed: nothing can be sent on it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session is closed")
    }
}

impl std::error::Error for Closed {}
