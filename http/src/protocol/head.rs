//! Bytes to request heads: the rules of RFC 9112, strictly. No I/O, no clock.
//!
//! Strict, since whatever two parsers on one path read differently lets a client smuggle a request
//! past the first of them. So what is ambiguous is refused, never repaired.

use super::headers::{Found, HeaderLines, Seen, is_host};
use crate::config::Config;
use crate::error::Refusal;
use crate::spare;
use bytes::{Buf, Bytes};
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
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
    pub(crate) asked: Box<Asked>,
    pub(crate) framing: Framing,
    pub(crate) keep_alive: bool,
    pub(crate) expects_continue: bool,
}

/// What is asked for, with the header lines as they came.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) lines: HeaderLines,
}

impl Asked {
    /// The headers, in `headers`, which are empty.
    pub(crate) fn collect_headers(&self, mut headers: HeaderMap) -> HeaderMap {
        self.lines.collect_into(&mut headers);
        // The host of the target is what counts (RFC 9112 §3.2.2).
        let authority = self
            .uri
            .authority()
            .map(|it| HeaderValue::from_str(it.as_str()));
        if let Some(Ok(host)) = authority {
            headers.insert(HOST, host);
        }
        headers
    }
}

/// So many header lines are found without an allocation.
const FEW: usize = 24;

/// Parses the head at the front of `bytes`, and tells where it ends. `None` if there is not all of it, or anything
/// unusual about it: a [`Scanner`](super::scanner::Scanner) finds out.
pub(crate) fn parse_at_once(
    bytes: &[u8],
    config: &Config,
) -> Option<(Result<Head, Refusal>, usize)> {
    let mut room = [const { MaybeUninit::uninit() }; FEW];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, &mut room) {
        Ok(httparse::Status::Complete(end)) if is_usual(&request, &bytes[..end], config) => {
            Some((assess(&request, &bytes[..end]), end))
        }
        _ => None,
    }
}

/// Whether a head begins at once, has its limits kept, and only lines that end in CR LF, which httparse does not
/// insist on. Between the end of a value and the next name it lets only white space pass, with one line end.
#[inline]
fn is_usual(request: &httparse::Request<'_, '_>, head: &[u8], config: &Config) -> bool {
    let place = |text: &str| text.as_ptr().addr() - head.as_ptr().addr();
    let mut names = request.headers.iter().map(|line| place(line.name));
    let first = names.clone().next().unwrap_or(head.len() - 2);
    request.method.is_some_and(|method| place(method) == 0)
        && head[0].is_ascii_alphabetic()
        && head.ends_with(b"\r\n\r\n")
        && names.all(|at| head[..at].ends_with(b"\r\n"))
        && first - 2 <= config.max_request_line
        && head.len() <= config.max_head
        && request.headers.len() <= config.max_headers
}

/// Parses a head that a [`Scanner`](super::scanner::Scanner) found complete and that has `count` header lines.
pub(crate) fn parse(head: &[u8], count: usize) -> Result<Head, Refusal> {
    if count <= FEW {
        parse_with(head, &mut [const { MaybeUninit::uninit() }; FEW])
    } else {
        parse_with(head, &mut vec![MaybeUninit::uninit(); count])
    }
}

/// The room for the lines is filled by none before there are lines: most of it would be touched in vain.
fn parse_with<'b>(
    head: &'b [u8],
    lines: &mut [MaybeUninit<httparse::Header<'b>>],
) -> Result<Head, Refusal> {
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(head, lines) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => assess(&request, head),
        Ok(_) => Err(Refusal::bad_request("malformed request head")),
        Err(error) => Err(refusal(error)),
    }
}

/// Checks what httparse does not, and makes of a head what a server acts on.
#[inline]
fn assess(request: &httparse::Request<'_, '_>, head: &[u8]) -> Result<Head, Refusal> {
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(MALFORMED_REQUEST_LINE);
    };
    let version = match minor {
        0 => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    let found = Found {
        version,
        lines: request.headers,
    };
    let place = |text: &str| text.as_ptr().addr() - head.as_ptr().addr();
    let seen = Seen::among(found);
    let mut asked = spare::asked();
    asked.version = version;
    asked.method = parse_method(method)?;
    let mut lines = spare::keep(head);
    let target = lines.slice(place(target)..place(target) + target.len());
    asked.uri = parse_target(&asked.method, target)?;
    seen.check_hosts(version)?;
    let first = found.lines.first();
    lines.advance(first.map_or(head.len(), |line| place(line.name)));
    asked.lines = HeaderLines::new(lines);
    Ok(Head {
        framing: seen.framing(found)?,
        keep_alive: seen.keep_alive(found),
        expects_continue: seen.expects_continue(found)?,
        asked,
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

pub(super) const MALFORMED_REQUEST_LINE: Refusal = Refusal::bad_request("malformed request line");
const MALFORMED_NAME: Refusal = Refusal::bad_request("malformed header name");
const MALFORMED_VALUE: Refusal = Refusal::bad_request("malformed header value");
pub(super) const TOO_MANY: Refusal = Refusal::new(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "too many header lines",
);

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

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
