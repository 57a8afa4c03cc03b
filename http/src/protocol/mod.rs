//! The rules of HTTP/1.1 (RFC 9112) as functions from bytes to heads and bodies. No I/O, no clock.

pub(crate) mod chunked;
pub(crate) mod forwarded;
pub(crate) mod head;
pub(crate) mod headers;
pub(crate) mod scanner;
