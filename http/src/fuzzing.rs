//! What the targets in `fuzz/` call: properties of the protocol core, for any input. Compiled for them
//! only (`--cfg fuzzing`), and with the tests, which try each with some thousand inputs.

use crate::config::Config;
use crate::protocol::chunked::{Decoder, Progress};
use crate::protocol::head::{self, Framing, Head};
use crate::protocol::headers as lines;
use crate::protocol::scanner::Scanner;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};

/// Any bytes, as a client may send them: the same head comes out in one piece and in many, or none; and
/// one that comes out is nothing that two servers could read differently.
pub fn head(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else {
        return;
    };
    let config = Config::default()
        .max_request_line(300)
        .max_head(1000)
        .max_headers(20);
    let whole = scan(bytes, bytes.len().max(1), &config);
    let pieces = scan(bytes, usize::from(*cut) + 1, &config);
    assert_eq!(whole.as_ref().map(describe), pieces.as_ref().map(describe));
    if let Some((at_once, end)) = head::parse_at_once(bytes, &config) {
        assert_eq!(
            at_once.as_ref().ok().map(describe),
            whole.as_ref().map(describe)
        );
        assert!(bytes[..end].ends_with(b"\r\n\r\n"));
    }
    if let Some(head) = whole {
        check(&head, bytes);
    }
}

/// The first head, of bytes that arrive in pieces.
fn scan(bytes: &[u8], cut: usize, config: &Config) -> Option<Head> {
    let mut scanner = Scanner::default();
    let mut end = 0;
    while end < bytes.len() {
        end = (end + cut).min(bytes.len());
        if let Some(extent) = scanner.scan(&bytes[..end], config).ok()? {
            return head::parse(&bytes[extent.start..extent.end], extent.headers).ok();
        }
    }
    None
}

/// All of a head, its headers as a map.
fn describe(head: &Head) -> String {
    format!(
        "{head:?} {:?}",
        head.asked.collect_headers(HeaderMap::new())
    )
}

fn check(head: &Head, bytes: &[u8]) {
    let headers = head.asked.collect_headers(HeaderMap::new());
    let count = |name| headers.get_all(name).iter().count();
    match head.framing {
        Framing::Chunked => assert_eq!((count(CONTENT_LENGTH), count(TRANSFER_ENCODING)), (0, 1)),
        Framing::Length(length) => {
            assert_eq!((count(CONTENT_LENGTH), count(TRANSFER_ENCODING)), (1, 0));
            assert_eq!(
                lines::parse_length(headers[CONTENT_LENGTH].as_bytes()),
                Some(length)
            );
        }
        Framing::Empty => assert_eq!(count(TRANSFER_ENCODING), 0),
    }
    assert!(count(HOST) <= 1);
    assert!(
        headers.len() <= 20 + 1,
        "more than allowed, and the host of the target"
    );
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let lines = &bytes[..end.expect("a head ends in an empty line")];
    assert!(!lines.contains(&0) && !lines.ends_with(b"\r"));
    let bare = |at: usize| lines[at] == b'\n' && (at == 0 || lines[at - 1] != b'\r');
    assert!(!(0..lines.len()).any(bare), "a bare line feed");
}

/// Any bytes, as a chunked body: the same data and trailers come out in one piece and in many, up to the
/// same place.
pub fn chunked(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else {
        return;
    };
    let whole = decode(bytes, bytes.len().max(1));
    assert_eq!(whole, decode(bytes, usize::from(*cut) + 1));
    if let Some((data, trailers, used)) = whole {
        assert!(data.len() + trailers.len() <= used);
        let _ = lines::parse_trailers(&trailers);
    }
}

/// Data, trailers, and how many bytes they took; nothing unless the body is complete.
fn decode(bytes: &[u8], cut: usize) -> Option<(Vec<u8>, Vec<u8>, usize)> {
    let (mut decoder, mut data) = (Decoder::new(), Vec::new());
    let (mut at, mut end) = (0, 0);
    loop {
        let (used, progress) = decoder.advance(&bytes[at..end]).ok()?;
        at += used;
        match progress {
            Progress::Done => return Some((data, decoder.trailers().to_vec(), at)),
            Progress::Data(length) if at < end => {
                let count = (end - at).min(usize::try_from(length).unwrap_or(usize::MAX));
                data.extend_from_slice(&bytes[at..at + count]);
                decoder.take(count as u64);
                at += count;
            }
            _ if end == bytes.len() => return None,
            _ => end = (end + cut).min(bytes.len()),
        }
    }
}

#[cfg(test)]
#[path = "../../fuzz/near.rs"]
mod near;

#[cfg(test)]
mod tests {
    use super::near::try_around;
    use super::*;

    const BYTES: &[u8] = b"\r\n\t :;,0123456789afAFhH/*-+_\0\x0b\x7f\x80\xff";
    const HEADS: [&str; 5] = [
        "\0",
        "\u{1}\r\n0 / HTTP/1.0\r\n\r\n",
        "\u{1}GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "\u{2}\r\nPOST http://a/ HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "\u{3}PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: h\r\nConnection: close\r\n\r\n",
    ];
    const BODIES: [&str; 4] = [
        "\0",
        "\u{1}5\r\nhello\r\n0\r\nA: b\r\n\r\nmore",
        "\u{2}5;a=b\r\nhello\r\nA\r\n",
        "\u{3}ffffffffffffffff\r\n",
    ];

    #[test]
    fn heads() {
        try_around(&HEADS, BYTES, head);
    }

    #[test]
    fn chunked_bodies() {
        try_around(&BODIES, BYTES, chunked);
    }
}
