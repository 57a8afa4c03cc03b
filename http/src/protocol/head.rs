//! Bytes to request heads: the rules of RFC 9112, strictly. No I/O, no clock.
//!
//! Strict, since whatever two parsers on one path read differently lets a client smuggle a request
//! past the first of them. So what is ambiguous is refused, never repaired.

use crate::config::Config;
use crate::error::Refusal;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, COOKIE, EXPECT, HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, MAX_FORWARDS, RANGE, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use std::mem::MaybeUninit;

/// How the end of a request's body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Empty,
    Length(u64),
    Chunked,
}

/// A request head and what it says about the connection.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) parts: Parts,
    pub(crate) framing: Framing,
    pub(crate) keep_alive: bool,
    pub(crate) expects_continue: bool,
}

/// Finds the end of a head, looking at every byte once however they trickle in.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// Where the head starts: behind the one tolerated empty line.
    start: usize,
    /// Bytes looked at.
    seen: usize,
    /// Where the current line starts.
    line: usize,
    /// Lines ended, the request line included.
    lines: usize,
}

/// Where a complete head lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) headers: usize,
}

impl Scanner {
    /// Looks at what was added to `bytes` since the last call; `None` asks for more.
    pub(crate) fn scan(
        &mut self,
        bytes: &[u8],
        config: &Config,
    ) -> Result<Option<Extent>, Refusal> {
        if self.seen == 0 && !self.skip_empty_line(bytes)? {
            return Ok(None);
        }
        while let Some(at) = memchr::memchr(b'\n', &bytes[self.seen..]) {
            let end = self.seen + at;
            if end == self.line || bytes[end - 1] != b'\r' {
                return Err(Refusal::bad_request("a line must end in CR LF"));
            }
            self.seen = end + 1;
            let line = &bytes[self.line..end - 1];
            self.line = self.seen;
            self.check_size(config, line.len())?;
            if line.is_empty() {
                return self.finish(config).map(Some);
            }
            if self.lines == 0 {
                check_version(line)?;
            }
            self.lines += 1;
        }
        self.seen = bytes.len();
        let part = &bytes[self.line..];
        self.check_size(config, part.strip_suffix(b"\r").unwrap_or(part).len())?;
        Ok(None)
    }

    /// Tolerates one empty line before the head (RFC 9112 §2.2). False while that is undecided.
    fn skip_empty_line(&mut self, bytes: &[u8]) -> Result<bool, Refusal> {
        self.start = match bytes {
            [] | [b'\r'] => return Ok(false),
            [b'\r', b'\n', ..] => 2,
            _ => 0,
        };
        (self.seen, self.line) = (self.start, self.start);
        match bytes.get(self.start) {
            Some(byte) if !byte.is_ascii_alphabetic() && !b"!#$%&'*+-.^_`|~".contains(byte) => {
                Err(Refusal::bad_request("a request must start with a method"))
            }
            _ => Ok(true),
        }
    }

    fn check_size(&self, config: &Config, line: usize) -> Result<(), Refusal> {
        let too_large = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        if self.lines == 0 && line > config.max_request_line.min(config.max_head) {
            return Err(Refusal::new(
                StatusCode::URI_TOO_LONG,
                "request line too long",
            ));
        }
        if self.seen - self.start > config.max_head {
            return Err(Refusal::new(too_large, "request head too large"));
        }
        if self.lines > config.max_headers + 1 {
            return Err(TOO_MANY);
        }
        Ok(())
    }

    fn finish(&self, config: &Config) -> Result<Extent, Refusal> {
        if self.lines == 0 {
            return Err(Refusal::bad_request("empty lines instead of a request"));
        }
        let headers = self.lines - 1;
        if headers > config.max_headers {
            return Err(TOO_MANY);
        }
        Ok(Extent {
            start: self.start,
            end: self.seen,
            headers,
        })
    }
}

const TOO_MANY: Refusal = Refusal::new(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "too many header lines",
);

/// Parses a head that a [`Scanner`] found complete and that has `count` header lines, into `headers`, which are
/// empty.
pub(crate) fn parse_head(head: &Bytes, count: usize, headers: HeaderMap) -> Result<Head, Refusal> {
    const FEW: usize = 32;
    if count <= FEW {
        parse_with(head, &mut [const { MaybeUninit::uninit() }; FEW], headers)
    } else {
        parse_with(head, &mut vec![MaybeUninit::uninit(); count], headers)
    }
}

/// The room for the lines is filled by none before there are lines: most of it would be touched in vain.
fn parse_with<'b>(
    head: &'b Bytes,
    lines: &mut [MaybeUninit<httparse::Header<'b>>],
    headers: HeaderMap,
) -> Result<Head, Refusal> {
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(head, lines) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Refusal::bad_request("malformed request head")),
        Err(error) => return Err(refusal(error)),
    }
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(MALFORMED_REQUEST_LINE);
    };
    let version = match minor {
        0 => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = parse_method(method)?;
    parts.version = version;
    parts.headers = headers;
    let seen = collect(head, request.headers, &mut parts.headers)?;
    parts.uri = parse_target(&parts.method, head.slice_ref(target.as_bytes()))?;
    check_hosts(version, seen)?;
    if let Some(authority) = parts.uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| MALFORMED_TARGET)?;
        parts.headers.insert(HOST, host);
    }
    Ok(Head {
        framing: match seen.framing {
            true => parse_framing(version, &parts.headers)?,
            false => Framing::Empty,
        },
        keep_alive: match seen.connection {
            true => wants_keep_alive(version, &parts.headers),
            false => version == Version::HTTP_11,
        },
        expects_continue: seen.expect && parse_expect(version, &parts.headers)?,
        parts,
    })
}

fn refusal(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::HeaderName => MALFORMED_NAME,
        httparse::Error::HeaderValue => MALFORMED_VALUE,
        httparse::Error::Token | httparse::Error::Version => MALFORMED_REQUEST_LINE,
        _ => Refusal::bad_request("malformed request head"),
    }
}

const MALFORMED_REQUEST_LINE: Refusal = Refusal::bad_request("malformed request line");
const MALFORMED_NAME: Refusal = Refusal::bad_request("malformed header name");
const MALFORMED_VALUE: Refusal = Refusal::bad_request("malformed header value");

/// The last word of the request line; looked at early, as an HTTP/0.9 client sends nothing else.
fn check_version(line: &[u8]) -> Result<(), Refusal> {
    if line.ends_with(b" HTTP/1.1") {
        return Ok(());
    }
    match line.rsplit(|&byte| byte == b' ').next() {
        Some(b"HTTP/1.1" | b"HTTP/1.0") => Ok(()),
        Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor])
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            let status = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
            Err(Refusal::new(
                status,
                "only HTTP/1.0 and HTTP/1.1 are spoken here",
            ))
        }
        _ => Err(MALFORMED_REQUEST_LINE),
    }
}

fn parse_method(method: &str) -> Result<Method, Refusal> {
    match Method::from_bytes(method.as_bytes()) {
        Ok(Method::CONNECT) => Err(Refusal::new(
            StatusCode::NOT_IMPLEMENTED,
            "CONNECT is not implemented",
        )),
        Ok(method) => Ok(method),
        Err(_) => Err(Refusal::bad_request("malformed method")),
    }
}

/// Which of the headers that a server acts on are there: what is not need not be looked up.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    hosts: usize,
    malformed_host: bool,
    framing: bool,
    connection: bool,
    expect: bool,
}

impl Seen {
    fn note(&mut self, name: &HeaderName, value: &[u8]) {
        if name == HOST {
            self.hosts += 1;
            self.malformed_host |= !is_host(value);
        }
        self.framing |= name == CONTENT_LENGTH || name == TRANSFER_ENCODING;
        self.connection |= name == CONNECTION;
        self.expect |= name == EXPECT;
    }
}

/// The headers as slices of the one head: no allocation for each.
fn collect(
    head: &Bytes,
    lines: &[httparse::Header<'_>],
    headers: &mut HeaderMap,
) -> Result<Seen, Refusal> {
    let mut seen = Seen::default();
    headers.try_reserve(lines.len()).map_err(|_| TOO_MANY)?;
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| MALFORMED_NAME)?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(line.value))
            .map_err(|_| MALFORMED_VALUE)?;
        seen.note(&name, line.value);
        headers.try_append(name, value).map_err(|_| TOO_MANY)?;
    }
    Ok(seen)
}

const MALFORMED_TARGET: Refusal = Refusal::bad_request("malformed request target");

/// Origin, absolute and asterisk form (RFC 9112 §3.2).
fn parse_target(method: &Method, target: Bytes) -> Result<Uri, Refusal> {
    let (length, origin) = (target.len(), target.starts_with(b"/"));
    let asterisk = &target[..] == b"*" && *method == Method::OPTIONS;
    if !origin && target.contains(&b'#') {
        return Err(MALFORMED_TARGET);
    }
    let uri = Uri::from_maybe_shared(target).map_err(|_| MALFORMED_TARGET)?;
    // The type cuts a fragment off.
    let is_whole = || {
        uri.path_and_query()
            .is_some_and(|all| all.as_str().len() == length)
    };
    if asterisk || (origin && is_whole()) || is_web(&uri) {
        Ok(uri)
    } else {
        Err(MALFORMED_TARGET)
    }
}

/// An absolute form that this server can be asked for.
fn is_web(uri: &Uri) -> bool {
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    known
        && uri
            .authority()
            .is_some_and(|a| is_host(a.as_str().as_bytes()) && !a.host().is_empty())
}

/// RFC 9112 §3.2: exactly one `Host` in HTTP/1.1, and a valid one.
fn check_hosts(version: Version, seen: Seen) -> Result<(), Refusal> {
    match seen.hosts {
        0 if version == Version::HTTP_10 => Ok(()),
        0 => Err(Refusal::bad_request("missing Host header")),
        1 if seen.malformed_host => Err(Refusal::bad_request("malformed Host header")),
        1 => Ok(()),
        _ => Err(Refusal::bad_request("more than one Host header")),
    }
}

/// A name or an address, and perhaps a port (RFC 9110 §7.2). Nothing at all is one, too: that is what clients
/// send for a target without a host.
fn is_host(value: &[u8]) -> bool {
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

fn parse_framing(version: Version, headers: &HeaderMap) -> Result<Framing, Refusal> {
    let coded = headers.contains_key(TRANSFER_ENCODING);
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (coded, lengths.next(), lengths.next()) {
        (false, None, _) => Ok(Framing::Empty),
        (false, Some(length), None) => match parse_length(length.as_bytes()) {
            Some(0) => Ok(Framing::Empty),
            Some(length) => Ok(Framing::Length(length)),
            None => Err(Refusal::bad_request("malformed Content-Length")),
        },
        (false, Some(_), Some(_)) => Err(Refusal::bad_request("more than one Content-Length")),
        (true, Some(_), _) => Err(Refusal::bad_request(
            "both Content-Length and Transfer-Encoding",
        )),
        (true, None, _) if version == Version::HTTP_10 => {
            Err(Refusal::bad_request("Transfer-Encoding in HTTP/1.0"))
        }
        (true, None, _) => check_transfer_encoding(headers).map(|()| Framing::Chunked),
    }
}

/// Digits alone: no sign, no list, no white space.
pub(crate) fn parse_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Only `chunked` is spoken; it must come last, and once (RFC 9112 §6.1).
fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let codings: Vec<&[u8]> = elements(headers, TRANSFER_ENCODING).collect();
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

fn parse_expect(version: Version, headers: &HeaderMap) -> Result<bool, Refusal> {
    if version == Version::HTTP_10 || !headers.contains_key(EXPECT) {
        return Ok(false);
    }
    if elements(headers, EXPECT).all(|e| e.eq_ignore_ascii_case(b"100-continue")) {
        return Ok(true);
    }
    Err(Refusal::new(
        StatusCode::EXPECTATION_FAILED,
        "unknown expectation",
    ))
}

/// RFC 9112 §9.3: `close` wins over all.
fn wants_keep_alive(version: Version, headers: &HeaderMap) -> bool {
    let has = |option| has_option(headers, option);
    !has("close") && (version == Version::HTTP_11 || has("keep-alive"))
}

/// Whether the `Connection` header has this option.
pub(crate) fn has_option(headers: &HeaderMap, option: &str) -> bool {
    elements(headers, CONNECTION).any(|o| o.eq_ignore_ascii_case(option.as_bytes()))
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

/// The elements of a list header, over all its lines (RFC 9110 §5.6.1).
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(name).into_iter();
    lines
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
