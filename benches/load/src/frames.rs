//! Websocket messages of both directions, made ready in advance, and the opening handshake.
//!
//! The load generator does not use greenwire's websocket client where frames are counted by the
//! million: what is prepared once costs nothing later, and it must be cheaper than any server.

use crate::requests::Prepared;
use greenwire::net::TcpStream;
use std::hash::{BuildHasher, RandomState};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::sync::Arc;

/// The first byte of a whole text message, and of a whole binary one (RFC 6455 §5.2).
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;

/// In the second byte: the payload is masked.
const MASKED: u8 = 0x80;

/// Different messages, so that an answer in the wrong order is found, take this much memory.
const VARIETY: usize = 256 * 1024;
const MOST_DIFFERENT: usize = 1024;

/// The example of RFC 6455 §1.3: a key, and what a server makes of it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Longest response to the opening handshake.
const MAX_HEAD: usize = 4096;

/// Messages of one size, as a client sends them and as they come back.
pub(crate) struct Messages {
    pub(crate) requests: Prepared,
    pub(crate) answers: Arc<[u8]>,
    pub(crate) answer_length: usize,
}

/// Binary messages of `size` bytes, with random masks.
pub(crate) fn binary(size: usize) -> Messages {
    let count = (VARIETY / size).clamp(1, MOST_DIFFERENT);
    let (mut requests, mut answers) = (Vec::new(), Vec::new());
    let random = RandomState::new();
    for number in 0..count {
        let payload = payload(number, size);
        let mask = (random.hash_one(number) as u32).to_be_bytes();
        push_masked(&mut requests, BINARY, &payload, mask);
        push_header(&mut answers, BINARY, size, 0);
        answers.extend_from_slice(&payload);
    }
    Messages {
        requests: Prepared::new(requests.clone(), requests.len() / count),
        answer_length: answers.len() / count,
        answers: answers.into(),
    }
}

/// Messages without frames, for an echo of bytes.
pub(crate) fn bare(size: usize) -> Messages {
    let count = (VARIETY / size).clamp(1, MOST_DIFFERENT);
    let bytes: Vec<u8> = (0..count)
        .flat_map(|number| payload(number, size))
        .collect();
    Messages {
        requests: Prepared::new(bytes.clone(), size),
        answer_length: size,
        answers: bytes.into(),
    }
}

/// The content of a message: bytes that differ from those of its neighbours.
fn payload(number: usize, size: usize) -> Vec<u8> {
    let first = number.wrapping_mul(31);
    (0..size).map(|index| (first + index) as u8).collect()
}

/// Appends a frame as a client sends it.
pub(crate) fn push_masked(out: &mut Vec<u8>, first: u8, payload: &[u8], mask: [u8; 4]) {
    push_header(out, first, payload.len(), MASKED);
    out.extend_from_slice(&mask);
    let masks = mask.iter().cycle();
    out.extend(payload.iter().zip(masks).map(|(byte, mask)| byte ^ mask));
}

/// Appends the header of a frame, without a mask.
pub(crate) fn push_header(out: &mut Vec<u8>, first: u8, size: usize, masked: u8) {
    out.push(first);
    match size {
        0..126 => out.push(masked | size as u8),
        126..0x1_0000 => {
            out.push(masked | 126);
            out.extend_from_slice(&(size as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
}

/// Makes a websocket of a connection. No server speaks before its client does, so nothing comes after
/// the response but on a feed, which then begins with `early` bytes.
pub(crate) fn open(mut stream: &TcpStream, path: &str) -> Result<Vec<u8>> {
    let host = stream.peer_addr()?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::with_capacity(512);
    loop {
        let mut chunk = [0; 512];
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..read]);
        if let Some(early) = accepted(&bytes)? {
            return Ok(early);
        }
    }
}

/// The bytes after the head of the response; `None` while it is incomplete.
fn accepted(bytes: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let refused = |why: String| Err(Error::new(ErrorKind::InvalidData, why));
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => {
            if response.code != Some(101) {
                return refused(format!("no websocket but status {:?}", response.code));
            }
            let mut headers = response.headers.iter();
            if !headers.any(|header| header.value == ACCEPT.as_bytes()) {
                return refused("no answer to the key of the handshake".to_owned());
            }
            Ok(Some(bytes[length..].to_vec()))
        }
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => Ok(None),
        Ok(httparse::Status::Partial) => {
            refused("the response to the handshake is long".to_owned())
        }
        Err(error) => refused(format!("the response to the handshake: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6455 §5.7.
    #[test]
    fn frames_are_those_of_the_rfc() {
        let mut frame = Vec::new();
        push_masked(&mut frame, TEXT, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        let hello = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert_eq!(frame, hello);
        let mut header = Vec::new();
        push_header(&mut header, BINARY, 256, 0);
        assert_eq!(header, [0x82, 0x7e, 0x01, 0x00]);
        let mut header = Vec::new();
        push_header(&mut header, BINARY, 65536, 0);
        assert_eq!(header, [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn neighbours_differ() {
        let messages = binary(20);
        assert_eq!(messages.answer_length, 22);
        assert_eq!(messages.requests.count(), MOST_DIFFERENT);
        let mut answers = messages.answers.chunks(22);
        assert_ne!(answers.next(), answers.next());
    }

    #[test]
    fn only_the_right_answer_opens() {
        let head =
            |accept| format!("HTTP/1.1 101 Go\r\nSec-WebSocket-Accept: {accept}\r\n\r\nearly");
        assert_eq!(
            accepted(head(ACCEPT).as_bytes()).unwrap(),
            Some(b"early".to_vec())
        );
        assert_eq!(accepted(&head(ACCEPT).as_bytes()[..40]).unwrap(), None);
        assert!(accepted(head("x").as_bytes()).is_err());
        assert!(accepted(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
