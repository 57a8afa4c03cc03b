//! Why a client went.

use crate::engineio::CloseReason;
use std::fmt;

/// Why a client is not connected to a namespace any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Its connection ended.
    Connection(CloseReason),
    /// It left the namespace itself.
    ClientDisconnect,
    /// The server had it leave the namespace.
    ServerDisconnect,
    /// The server closed its whole connection.
    ServerClose,
}

impl Reason {
    /// As servers in JavaScript call it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Connection(reason) => reason.as_str(),
            Reason::ClientDisconnect => "client namespace disconnect",
            Reason::ServerDisconnect => "server namespace disconnect",
            Reason::ServerClose => "forced server close",
        }
    }

    /// Whether the client may come back as who it was.
    pub(crate) fn is_recoverable(self) -> bool {
        matches!(self, Reason::Connection(reason) if reason != CloseReason::ParseError)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
