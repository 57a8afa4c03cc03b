//! The end of a head, among bytes that come by and by. No I/O, no clock.

use super::head::{MALFORMED_REQUEST_LINE, TOO_MANY};
use crate::config::Config;
use crate::error::Refusal;
use http::StatusCode;

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
    /// Whether it has looked at anything.
    pub(crate) fn has_begun(&self) -> bool {
        self.seen > 0
    }

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
            [] | [b'\r'] | [b'\r', b'\n'] => return Ok(false),
            [b'\r', b'\n', ..] => 2,
            _ => 0,
        };
        (self.seen, self.line) = (self.start, self.start);
        let first = bytes[self.start];
        match first.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&first) {
            true => Ok(true),
            false => Err(Refusal::bad_request("a request must start with a method")),
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
