//! Close frames: their codes, their payload, and which of them may appear on the wire.

use super::violation::Violation;

/// The registered close codes (RFC 6455 §7.4.1 and the IANA registry).
pub mod code {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: u16 = 1000;
    /// The peer goes away: a server stops, a browser leaves the page.
    pub const GOING_AWAY: u16 = 1001;
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: u16 = 1002;
    /// The peer sent a kind of data that is not accepted.
    pub const UNSUPPORTED_DATA: u16 = 1003;
    /// Never on the wire: the close frame that arrived had no code.
    pub const NO_STATUS: u16 = 1005;
    /// Text was not UTF-8.
    pub const INVALID_DATA: u16 = 1007;
    /// The peer broke the rules of the application.
    pub const POLICY: u16 = 1008;
    /// A message was too big.
    pub const TOO_BIG: u16 = 1009;
    /// The server could not do what was asked.
    pub const INTERNAL_ERROR: u16 = 1011;
    /// The service restarts; connect again.
    pub const RESTART: u16 = 1012;
    /// The service is overloaded; connect again later.
    pub const TRY_AGAIN_LATER: u16 = 1013;
}

/// What the peer's close frame said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    code: u16,
    reason: String,
}

impl CloseReason {
    /// The close code; [`code::NO_STATUS`] if the frame had none. See [`code`] for the known ones;
    /// 3000 to 4999 belong to libraries and applications.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The text, up to 123 bytes, often empty.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Reads the payload of a close frame (RFC 6455 §5.5.1).
    pub(crate) fn parse(payload: &[u8]) -> Result<CloseReason, Violation> {
        let (code, reason) = match payload {
            [] => (code::NO_STATUS, &[][..]),
            [_] => return Err(Violation::BadClose),
            [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        };
        if !payload.is_empty() && !may_send(code) {
            return Err(Violation::BadClose);
        }
        let reason = std::str::from_utf8(reason).map_err(|_| Violation::InvalidUtf8)?;
        Ok(CloseReason {
            code,
            reason: reason.to_owned(),
        })
    }
}

/// Whether a close frame may carry `code` (RFC 6455 §7.4).
pub(crate) fn may_send(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The payload of a close frame; a reason over 123 bytes is cut at a character boundary.
/// [`code::NO_STATUS`] gives the empty payload.
pub(crate) fn payload(code: u16, reason: &str) -> Vec<u8> {
    if code == code::NO_STATUS {
        return Vec::new();
    }
    let mut bytes = code.to_be_bytes().to_vec();
    bytes.extend_from_slice(&reason.as_bytes()[..reason.floor_char_boundary(123)]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<(u16, &str), Violation>) {
        let expected = expected.map(|(code, reason)| CloseReason {
            code,
            reason: reason.into(),
        });
        assert_eq!(CloseReason::parse(bytes), expected);
    }

    #[test]
    fn payloads() {
        check(b"", Ok((1005, "")));
        check(b"\x03", Err(Violation::BadClose));
        check(b"\x03\xe8", Ok((1000, "")));
        check(b"\x03\xe8bye", Ok((1000, "bye")));
        check(b"\x03\xe8\xff", Err(Violation::InvalidUtf8));
    }

    #[test]
    fn codes() {
        for good in [
            1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999,
        ] {
            check(&u16::to_be_bytes(good), Ok((good, "")));
        }
        for bad in [
            0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
        ] {
            check(&u16::to_be_bytes(bad), Err(Violation::BadClose));
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let payload = payload(1000, &"ä".repeat(100));
        assert_eq!(payload.len(), 2 + 122);
        check(&payload, Ok((1000, &"ä".repeat(61))));
    }
}
