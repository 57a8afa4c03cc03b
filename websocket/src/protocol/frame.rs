//! Frame headers (RFC 6455 §5.2), both ways.

use super::{Role, mask, violation::Violation};

/// The longest header: two bytes, a 64-bit length, a mask.
pub(crate) const MAX_HEADER: usize = 14;

/// The longest payload of a control frame.
pub(crate) const MAX_CONTROL: usize = 125;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    pub(crate) fn is_control(self) -> bool {
        self as u8 >= Opcode::Close as u8
    }

    fn from_bits(bits: u8) -> Result<Opcode, Violation> {
        Ok(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            other => return Err(Violation::ReservedOpcode(other)),
        })
    }
}

/// What the first byte of a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) opcode: Opcode,
    /// The last frame of its message.
    pub(crate) fin: bool,
    /// The first frame of a compressed message (RFC 7692 §6).
    pub(crate) compressed: bool,
}

/// What the reader of a frame goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) role: Role,
    /// Compression was agreed on.
    pub(crate) deflate: bool,
}

/// A parsed frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) first: First,
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) payload: u64,
}

impl First {
    /// Of a message in one frame, or a control frame.
    pub(crate) const fn whole(opcode: Opcode) -> First {
        First {
            opcode,
            fin: true,
            compressed: false,
        }
    }

    #[inline]
    fn parse(byte: u8, rules: Rules) -> Result<First, Violation> {
        let first = First {
            opcode: Opcode::from_bits(byte & 0x0f)?,
            fin: byte & 0x80 != 0,
            compressed: byte & 0x40 != 0,
        };
        let starts_message = matches!(first.opcode, Opcode::Text | Opcode::Binary);
        if byte & 0x30 != 0 || first.compressed && !(rules.deflate && starts_message) {
            return Err(Violation::ReservedBits);
        }
        if first.opcode.is_control() && !first.fin {
            return Err(Violation::FragmentedControl);
        }
        Ok(first)
    }

    fn byte(self) -> u8 {
        let fin = if self.fin { 0x80 } else { 0 };
        let rsv1 = if self.compressed { 0x40 } else { 0 };
        fin | rsv1 | self.opcode as u8
    }
}

impl Header {
    /// Reads the header at the start of `bytes`, with its length; `None` while more bytes are needed.
    /// What can be refused is refused as soon as its byte is there.
    #[inline]
    pub(crate) fn parse(bytes: &[u8], rules: Rules) -> Result<Option<(Header, usize)>, Violation> {
        let [first, rest @ ..] = bytes else {
            return Ok(None);
        };
        let first = First::parse(*first, rules)?;
        let [second, rest @ ..] = rest else {
            return Ok(None);
        };
        let masked = second & 0x80 != 0;
        match (rules.role, masked) {
            (Role::Server, false) => return Err(Violation::Unmasked),
            (Role::Client, true) => return Err(Violation::Masked),
            _ => {}
        }
        let short = second & 0x7f;
        if first.opcode.is_control() && usize::from(short) > MAX_CONTROL {
            return Err(Violation::LongControl);
        }
        let Some((payload, rest)) = parse_length(short, rest)? else {
            return Ok(None);
        };
        let (key, rest) = match (masked, rest) {
            (false, _) => (None, rest),
            (true, [a, b, c, d, rest @ ..]) => (Some([*a, *b, *c, *d]), rest),
            _ => return Ok(None),
        };
        Ok(Some((
            Header {
                first,
                key,
                payload,
            },
            bytes.len() - rest.len(),
        )))
    }
}

/// Appends one frame to `out`, masked if there is a key.
#[inline]
pub(crate) fn encode(out: &mut Vec<u8>, first: First, payload: &[u8], key: Option<[u8; 4]>) {
    out.reserve(MAX_HEADER + payload.len());
    encode_header(out, first, payload.len(), key);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask::apply(key, &mut out[start..]);
    }
}

/// Appends the header of a frame.
#[inline]
pub(crate) fn encode_header(out: &mut Vec<u8>, first: First, len: usize, key: Option<[u8; 4]>) {
    let mask_bit = if key.is_some() { 0x80 } else { 0 };
    out.push(first.byte());
    if len < 126 {
        out.push(mask_bit | len as u8);
    } else if let Ok(len) = u16::try_from(len) {
        out.push(mask_bit | 126);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(mask_bit | 127);
        out.extend_from_slice(&(len as u64).to_be_bytes());
    }
    if let Some(key) = key {
        out.extend_from_slice(&key);
    }
}

/// The payload length and what follows it; it must have been written in the fewest bytes.
#[inline]
fn parse_length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    let (length, least, rest) = match short {
        126 => match rest.split_first_chunk() {
            Some((bytes, rest)) => (u64::from(u16::from_be_bytes(*bytes)), 126, rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((bytes, rest)) => (u64::from_be_bytes(*bytes), 1 << 16, rest),
            None => return Ok(None),
        },
        short => (u64::from(short), 0, rest),
    };
    if length < least || length >> 63 != 0 {
        return Err(Violation::BadLength);
    }
    Ok(Some((length, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_by(rules: Rules, bytes: &[u8], expected: &str) {
        let actual = match Header::parse(bytes, rules) {
            Ok(None) => "need more".to_owned(),
            Ok(Some((h, n))) => {
                let packed = if h.first.compressed {
                    " compressed"
                } else {
                    ""
                };
                format!(
                    "{:?}{packed} fin={} len={} key={:?} in {n}",
                    h.first.opcode, h.first.fin, h.payload, h.key
                )
            }
            Err(violation) => violation.to_string(),
        };
        assert_eq!(actual, expected, "{bytes:x?}");
    }

    #[track_caller]
    fn check(role: Role, bytes: &[u8], expected: &str) {
        let deflate = false;
        check_by(Rules { role, deflate }, bytes, expected);
    }

    #[test]
    fn compression_marks_the_first_frame_of_a_message_only() {
        let rules = Rules {
            role: Role::Client,
            deflate: true,
        };
        check_by(
            rules,
            b"\xc1\x00",
            "Text compressed fin=true len=0 key=None in 2",
        );
        check_by(
            rules,
            b"\x42\x00",
            "Binary compressed fin=false len=0 key=None in 2",
        );
        for bytes in [b"\xc0\x00", b"\xc9\x00", b"\xe1\x00", b"\xd1\x00"] {
            check_by(rules, bytes, "reserved bit set");
        }
    }

    #[test]
    fn a_client_reads() {
        let check = |bytes: &[u8], expected| check(Role::Client, bytes, expected);
        check(b"", "need more");
        check(b"\x81", "need more");
        check(b"\x81\x05", "Text fin=true len=5 key=None in 2");
        check(b"\x02\x00", "Binary fin=false len=0 key=None in 2");
        check(b"\x82\x7e\x00", "need more");
        check(b"\x82\x7e\x00\x7e", "Binary fin=true len=126 key=None in 4");
        check(b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00", "need more");
        check(
            b"\x82\x7f\0\0\0\0\0\x01\0\0",
            "Binary fin=true len=65536 key=None in 10",
        );
        check(b"\x81\x85", "masked frame from a server");
    }

    #[test]
    fn a_server_reads() {
        let check = |bytes: &[u8], expected| check(Role::Server, bytes, expected);
        check(b"\x81\x85\x01\x02\x03", "need more");
        check(
            b"\x89\x85\x01\x02\x03\x04",
            "Ping fin=true len=5 key=Some([1, 2, 3, 4]) in 6",
        );
        check(b"\x81\x05", "unmasked frame from a client");
    }

    #[test]
    fn bad_headers() {
        let check = |bytes: &[u8], expected| check(Role::Client, bytes, expected);
        for bits in [0x40, 0x20, 0x10, 0x70] {
            check(&[0x81 | bits], "reserved bit set");
        }
        check(b"\x83", "reserved opcode 3");
        check(b"\x8f", "reserved opcode 15");
        check(b"\x09", "fragmented control frame");
        check(b"\x88\x7e", "control frame over 125 bytes");
        check(b"\x82\x7e\x00\x7d", "badly encoded length");
        check(b"\x82\x7f\0\0\0\0\0\0\xff\xff", "badly encoded length");
        check(b"\x82\x7f\x80\0\0\0\0\x01\0\0", "badly encoded length");
    }

    #[test]
    fn what_is_encoded_parses_back() {
        for len in [0, 1, 125, 126, 127, 65535, 65536, 70000] {
            for key in [None, Some([9, 8, 7, 6])] {
                let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
                let mut bytes = vec![0xaa];
                let first = First {
                    compressed: len % 2 == 0,
                    ..First::whole(Opcode::Binary)
                };
                encode(&mut bytes, first, &payload, key);
                let role = if key.is_some() {
                    Role::Server
                } else {
                    Role::Client
                };
                let rules = Rules {
                    role,
                    deflate: true,
                };
                let (header, size) = Header::parse(&bytes[1..], rules).unwrap().unwrap();
                assert_eq!((header.first, header.payload), (first, len as u64));
                assert_eq!(header.key, key);
                mask::apply(key.unwrap_or_default(), &mut bytes[1 + size..]);
                assert_eq!(bytes[1 + size..], payload);
            }
        }
    }
}
