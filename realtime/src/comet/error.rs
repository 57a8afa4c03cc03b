//! What can be wrong with a call.

use std::fmt;

/// Why a call on a [`Comet`](super::Comet) did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is no client of this id, or the key is not its own. Create it again.
    UnknownClient,
    /// The name of a client or a channel is empty, or longer than 512 bytes.
    BadName,
    /// The message is longer than [`Config::max_message`](super::Config::max_message).
    MessageTooLarge {
        /// The most bytes that it may have.
        most: usize,
    },
    /// There are as many clients as [`Config::max_clients`](super::Config::max_clients) allows. Those that nobody
    /// uses are collected after a minute.
    TooManyClients {
        /// So many there may be.
        most: usize,
    },
    /// There are as many channels as [`Config::max_channels`](super::Config::max_channels) allows.
    TooManyChannels {
        /// So many there may be.
        most: usize,
    },
    /// The system gives no random bytes for a key.
    NoRandomness,
}

impl Error {
    /// The `code` of a JSON-RPC 2.0 error; the range is that of servers' own errors.
    pub(super) fn code(self) -> i64 {
        match self {
            Error::UnknownClient => -32001,
            Error::BadName => -32002,
            Error::MessageTooLarge { .. } => -32003,
            Error::TooManyClients { .. } => -32004,
            Error::TooManyChannels { .. } => -32005,
            Error::NoRandomness => -32006,
        }
    }

    /// The `type` of a JSON-RPC 1 error.
    pub(super) fn name(self) -> &'static str {
        match self {
            Error::UnknownClient => "UnknownClient",
            Error::BadName => "BadName",
            Error::MessageTooLarge { .. } => "MessageTooLarge",
            Error::TooManyClients { .. } => "TooManyClients",
            Error::TooManyChannels { .. } => "TooManyChannels",
            Error::NoRandomness => "NoRandomness",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::UnknownClient => f.write_str("unknown client, or not its key"),
            Error::BadName => f.write_str("a name has 1 to 512 bytes"),
            Error::MessageTooLarge { most } => write!(f, "a message has at most {most} bytes"),
            Error::TooManyClients { most } => write!(f, "there are {most} clients already"),
            Error::TooManyChannels { most } => write!(f, "there are {most} channels already"),
            Error::NoRandomness => f.write_str("no random bytes for a key"),
        }
    }
}

impl std::error::Error for Error {}
