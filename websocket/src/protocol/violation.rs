//! What a peer can do wrong, and the close code each wrong is answered with.

use super::close::code;
use std::fmt;

/// How the peer broke RFC 6455. The connection was closed with [`close_code`](Self::close_code).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit was set that no extension gives a meaning to (RFC 6455 §5.2).
    ReservedBits,
    /// A reserved opcode was used (RFC 6455 §5.2).
    ReservedOpcode(u8),
    /// A control frame was fragmented (RFC 6455 §5.5).
    FragmentedControl,
    /// A control frame carried more than 125 bytes (RFC 6455 §5.5).
    LongControl,
    /// A client sent an unmasked frame (RFC 6455 §5.1).
    Unmasked,
    /// A server sent a masked frame (RFC 6455 §5.1).
    Masked,
    /// A length was not encoded in the fewest bytes, or had its top bit set (RFC 6455 §5.2).
    BadLength,
    /// A continuation came without a message to continue (RFC 6455 §5.4).
    StrayContinuation,
    /// A new message began before the previous one ended (RFC 6455 §5.4).
    UnfinishedMessage,
    /// A close frame carried one byte, or a code that must not be sent (RFC 6455 §7.4).
    BadClose,
    /// Text or a close reason was not UTF-8 (RFC 6455 §8.1).
    InvalidUtf8,
    /// A compressed message does not decompress (RFC 7692 §7.2.2).
    BadDeflate,
    /// A frame or message was longer than the limit that is given, in bytes.
    TooBig {
        /// The limit that was passed.
        limit: usize,
    },
}

impl Violation {
    /// The code of the close frame that answers it: 1002, 1007 or 1009 (RFC 6455 §7.4.1).
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Violation::InvalidUtf8 | Violation::BadDeflate => code::INVALID_DATA,
            Violation::TooBig { .. } => code::TOO_BIG,
            _ => code::PROTOCOL_ERROR,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Violation::ReservedBits => "reserved bit set",
            Violation::ReservedOpcode(opcode) => return write!(f, "reserved opcode {opcode}"),
            Violation::FragmentedControl => "fragmented control frame",
            Violation::LongControl => "control frame over 125 bytes",
            Violation::Unmasked => "unmasked frame from a client",
            Violation::Masked => "masked frame from a server",
            Violation::BadLength => "badly encoded length",
            Violation::StrayContinuation => "continuation of nothing",
            Violation::UnfinishedMessage => "new message inside an unfinished one",
            Violation::BadClose => "invalid close frame",
            Violation::InvalidUtf8 => "invalid utf-8",
            Violation::BadDeflate => "invalid compressed data",
            Violation::TooBig { limit } => return write!(f, "longer than {limit} bytes"),
        };
        f.write_str(text)
    }
}

impl std::error::Error for Violation {}
