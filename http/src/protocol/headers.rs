//! What a server acts on in header lines: hosts, framing, options of the connection; and what may trail a body.
//! No I/O, no clock.

use super::head::Framing;
use crate::error::Refusal;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, COOKIE, EXPECT, HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, MAX_FORWARDS, RANGE, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};

/// The header lines of a head that was found right, as they came: most handlers ask for none or few of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeaderLines(Bytes);

impl HeaderLines {
    pub(super) fn new(lines: Bytes) -> HeaderLines {
        HeaderLines(lines)
    }

    /// Adds them to a map, as slices of the one head: no allocation for each.
    pub(crate) fn collect_into(&self, headers: &mut HeaderMap) {
        let lines = self.0.split_inclusive(|&byte| byte == b'\n');
        for line in lines {
            let Some(colon) = memchr::memchr(b':', line) else {
                continue;
            };
            let value = self.0.slice_ref(line[colon + 1..].trim_ascii());
            let name = HeaderName::from_bytes(&line[..colon]);
            // What httparse lets through these types take, and a head has not room for more lines than a map.
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_maybe_shared(value)) {
                let _ = headers.try_append(name, value);
            }
        }
    }
}

/// Those that a server acts on; what is not there need not be looked for again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    hosts: usize,
    malformed_host: bool,
    framing: bool,
    connection: bool,
    expect: bool,
}

/// Lines that httparse has found, and the version of their head.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) version: Version,
    pub(super) lines: &'a [httparse::Header<'a>],
}

impl Seen {
    #[inline]
    pub(super) fn among(found: Found<'_>) -> Seen {
        let mut seen = Seen::default();
        for line in found.lines {
            let is = |name: &str| line.name.eq_ignore_ascii_case(name);
            match line.name.len() {
                4 if is("host") => {
                    seen.hosts += 1;
                    seen.malformed_host |= !is_host(line.value);
                }
                6 => seen.expect |= is("expect"),
                10 => seen.connection |= is("connection"),
                14 => seen.framing |= is("content-length"),
                17 => seen.framing |= is("transfer-encoding"),
                _ => {}
            }
        }
        seen
    }

    /// RFC 9112 §3.2: exactly one `Host` in HTTP/1.1, and a valid one.
    pub(super) fn check_hosts(self, version: Version) -> Result<(), Refusal> {
        match self.hosts {
            0 if version == Version::HTTP_10 => Ok(()),
            0 => Err(Refusal::bad_request("missing Host header")),
            1 if self.malformed_host => Err(Refusal::bad_request("malformed Host header")),
            1 => Ok(()),
            _ => Err(Refusal::bad_request("more than one Host header")),
        }
    }

    pub(super) fn framing(self, found: Found<'_>) -> Result<Framing, Refusal> {
        match self.framing {
            true => found.parse_framing(),
            false => Ok(Framing::Empty),
        }
    }

    pub(super) fn keep_alive(self, found: Found<'_>) -> bool {
        match self.connection {
            true => found.wants_keep_alive(),
            false => found.version == Version::HTTP_11,
        }
    }

    pub(super) fn expects_continue(self, found: Found<'_>) -> Result<bool, Refusal> {
        match self.expect && found.version == Version::HTTP_11 {
            true => found.parse_expect().map(|()| true),
            false => Ok(false),
        }
    }
}

impl<'a> Found<'a> {
    /// The values of all lines of this name.
    fn values(self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |line: &&httparse::Header<'_>| line.name.eq_ignore_ascii_case(name);
        self.lines.iter().filter(named).map(|line| line.value)
    }

    fn parse_framing(self) -> Result<Framing, Refusal> {
        let coded = self.values("transfer-encoding").next().is_some();
        let mut lengths = self.values("content-length");
        match (coded, lengths.next(), lengths.next()) {
            (false, None, _) => Ok(Framing::Empty),
            (false, Some(length), None) => match parse_length(length) {
                Some(0) => Ok(Framing::Empty),
                Some(length) => Ok(Framing::Length(length)),
                None => Err(Refusal::bad_request("malformed Content-Length")),
            },
            (false, Some(_), Some(_)) => Err(Refusal::bad_request("more than one Content-Length")),
            (true, Some(_), _) => Err(Refusal::bad_request(
                "both Content-Length and Transfer-Encoding",
            )),
            (true, None, _) if self.version == Version::HTTP_10 => {
                Err(Refusal::bad_request("Transfer-Encoding in HTTP/1.0"))
            }
            (true, None, _) => self.check_transfer_encoding().map(|()| Framing::Chunked),
        }
    }

    /// Only `chunked` is spoken; it must come last, and once (RFC 9112 §6.1).
    fn check_transfer_encoding(self) -> Result<(), Refusal> {
        let codings: Vec<&[u8]> = elements(self.values("transfer-encoding")).collect();
        let chunked = |coding: &&&[u8]| coding.eq_ignore_ascii_case(b"chunked");
        if codings.last().as_ref().is_none_or(|last| !chunked(last)) {
            return Err(Refusal::bad_request(
                "Transfer-Encoding does not end in chunked",
            ));
        }
        if codings.iter().filter(chunked).count() > 1 || codings.iter().any(|c| c.is_empty()) {
            return Err(Refusal::bad_request("malformed Transfer-Encoding"));
        }
        if codings.len() > 1 {
            let status = StatusCode::NOT_IMPLEMENTED;
            return Err(Refusal::new(status, "transfer codings other than chunked"));
        }
        Ok(())
    }

    /// RFC 9112 §9.3: `close` wins over all.
    fn wants_keep_alive(self) -> bool {
        let has = |option| has_option(self.values("connection"), option);
        !has("close") && (self.version == Version::HTTP_11 || has("keep-alive"))
    }

    fn parse_expect(self) -> Result<(), Refusal> {
        if elements(self.values("expect")).all(|e| e.eq_ignore_ascii_case(b"100-continue")) {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::EXPECTATION_FAILED,
            "unknown expectation",
        ))
    }
}

/// Whether these values of `Connection` have this option.
pub(crate) fn has_option<'a>(values: impl Iterator<Item = &'a [u8]>, option: &str) -> bool {
    elements(values).any(|o| o.eq_ignore_ascii_case(option.as_bytes()))
}

/// The elements of a list header, over all its lines (RFC 9110 §5.6.1).
fn elements<'a>(values: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
    values
        .flat_map(|value| value.split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
}

/// A name or an address, and perhaps a port (RFC 9110 §7.2). Nothing at all is one, too: that is what clients
/// send for a target without a host.
pub(super) fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value {
        [b'[', rest @ ..] => match memchr::memchr(b']', rest) {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => return false,
        },
        _ => {
            let end = value
                .iter()
                .position(|&byte| !NAME_BYTES[usize::from(byte)]);
            value.split_at(end.unwrap_or(value.len()))
        }
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let is_address = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':' || *byte == b'.';
    is_port && (!value.starts_with(b"[") || host.iter().all(is_address))
}

/// What a name may consist of (RFC 3986 §3.2.2), as a table, since every request has one.
const NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b"-._~%!$&'()*+;=";
    let mut index = 0;
    while index < marks.len() {
        table[marks[index] as usize] = true;
        index += 1;
    }
    let mut byte = 0;
    while byte < 128 {
        table[byte] |= (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    table
};

/// Digits alone: no sign, no list, no white space.
pub(crate) fn parse_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The trailers of a chunked body, from its trailer section with the empty line that ends it. What
/// may not trail is left out.
pub(crate) fn parse_trailers(section: &[u8]) -> HeaderMap {
    let mut lines = vec![httparse::EMPTY_HEADER; memchr::memchr_iter(b'\n', section).count()];
    let mut trailers = HeaderMap::new();
    // The decoder has refused what is malformed.
    if let Ok(httparse::Status::Complete((_, lines))) = httparse::parse_headers(section, &mut lines)
    {
        for line in lines {
            let name = HeaderName::from_bytes(line.name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(line.value))
                && may_trail(&name)
            {
                trailers.append(name, value);
            }
        }
    }
    trailers
}

/// Whether a header may come after the body: not if it frames or routes the message, says who asks,
/// or how to read what came before (RFC 9110 §6.5.1).
pub(crate) fn may_trail(name: &HeaderName) -> bool {
    const HEAD_ONLY: [HeaderName; 22] = [
        AUTHORIZATION,
        CACHE_CONTROL,
        CONNECTION,
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        CONTENT_RANGE,
        CONTENT_TYPE,
        COOKIE,
        EXPECT,
        HOST,
        IF_MATCH,
        IF_MODIFIED_SINCE,
        IF_NONE_MATCH,
        IF_RANGE,
        IF_UNMODIFIED_SINCE,
        MAX_FORWARDS,
        RANGE,
        SET_COOKIE,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    !HEAD_ONLY.contains(name)
}
