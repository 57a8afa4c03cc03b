//! As much of RFC 6455 as an echo needs: each frame comes back as it is, unmasked.

use crate::http::head_length;
use crate::protocol::{Next, Progress};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// A longer frame closes the connection.
const LONGEST_PAYLOAD: u64 = 16 << 20;

const PING: u8 = 0x89;
const PONG: u8 = 0x8A;
const CLOSE: u8 = 0x88;

/// Answers the opening handshake (RFC 6455 §4.2).
pub fn shake_hands(input: &[u8], output: &mut Vec<u8>) -> Progress {
    let Some(length) = head_length(input) else {
        return Progress {
            consumed: 0,
            next: Next::Read,
        };
    };
    let Some(key) = key(&input[..length]) else {
        output.extend_from_slice(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        return Progress {
            consumed: length,
            next: Next::Close,
        };
    };
    let accept = Sha1::new()
        .chain_update(key)
        .chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
        .finalize();
    let accept = STANDARD.encode(accept);
    output.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n");
    output.extend_from_slice(b"connection: Upgrade\r\nsec-websocket-accept: ");
    output.extend_from_slice(accept.as_bytes());
    output.extend_from_slice(b"\r\n\r\n");
    Progress {
        consumed: length,
        next: Next::Read,
    }
}

fn key(head: &[u8]) -> Option<&str> {
    let head = str::from_utf8(head).ok()?;
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let (_, key) = headers.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))?;
    Some(key.trim())
}

/// Sends back the complete frames in `input`.
pub fn echo(input: &[u8], output: &mut Vec<u8>) -> Progress {
    let mut consumed = 0;
    loop {
        let rest = &input[consumed..];
        let header = match Header::parse(rest) {
            Ok(Some(header)) if rest.len() >= header.length + header.payload => header,
            Ok(_) => {
                return Progress {
                    consumed,
                    next: Next::Read,
                };
            }
            Err(Malformed) => {
                return Progress {
                    consumed,
                    next: Next::Close,
                };
            }
        };
        let frame = &rest[..header.length + header.payload];
        consumed += frame.len();
        if frame[0] != PONG {
            send_back(frame, &header, output);
        }
        if frame[0] == CLOSE {
            return Progress {
                consumed,
                next: Next::Close,
            };
        }
    }
}

struct Malformed;

/// What the first bytes of a frame say (RFC 6455 §5.2).
struct Header {
    /// With the length of the payload and the mask.
    length: usize,
    payload: usize,
    mask: [u8; 4],
}

impl Header {
    /// `None` if it is not complete yet.
    fn parse(input: &[u8]) -> Result<Option<Header>, Malformed> {
        let [_, second, rest @ ..] = input else {
            return Ok(None);
        };
        if second & 0x80 == 0 {
            return Err(Malformed);
        }
        let (payload, rest) = match second & 0x7F {
            126 => match rest.split_first_chunk() {
                Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk() {
                Some((length, rest)) => (u64::from_be_bytes(*length), rest),
                None => return Ok(None),
            },
            short => (u64::from(short), rest),
        };
        if payload > LONGEST_PAYLOAD {
            return Err(Malformed);
        }
        let Some((mask, payload_and_more)) = rest.split_first_chunk() else {
            return Ok(None);
        };
        Ok(Some(Header {
            length: input.len() - payload_and_more.len(),
            payload: payload as usize,
            mask: *mask,
        }))
    }
}

fn send_back(frame: &[u8], header: &Header, output: &mut Vec<u8>) {
    let first = if frame[0] == PING { PONG } else { frame[0] };
    let mask_bit = 0x80;
    let without_mask = header.length - 4;
    output.extend_from_slice(&[first, frame[1] & !mask_bit]);
    output.extend_from_slice(&frame[2..without_mask]);
    let start = output.len();
    output.extend_from_slice(&frame[header.length..]);
    unmask(&mut output[start..], header.mask);
}

/// Eight bytes at a time, which the compiler turns into vector instructions.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}
