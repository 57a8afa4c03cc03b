//! `BodyWriter`: where the body of a response is written, piece by piece.

use crate::connection::output::Output;
use crate::connection::response::write_header;
use crate::protocol::headers;
use http::HeaderMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// How the client finds the end of the response (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// By the status or method: nothing follows, and no length is told.
    Bare,
    Length(u64),
    Chunked,
    UntilClose,
}

/// Where the function of [`Body::writer`](crate::Body::writer) writes: one chunk for each write,
/// gathered and sent when the green thread parks or 64 KiB are there, and on `flush`. On an
/// ordinary OS thread each write is sent at once.
pub struct BodyWriter<'a> {
    sink: Sink<'a>,
    trailers: HeaderMap,
}

enum Sink<'a> {
    Connection(Arc<Output>, Framing),
    /// A middleware, or whoever else calls [`Body::write_to`](crate::Body::write_to).
    Other(&'a mut dyn Write),
}

impl BodyWriter<'_> {
    /// Has these headers follow the body (RFC 9110 §6.5): a checksum of what was written, say. They
    /// are sent to an HTTP/1.1 client if the body is chunked, and dropped otherwise; the client may
    /// drop them, too. Those that frame or route a message are not sent. A `Trailer` header of the response may
    /// announce them. The last call counts.
    ///
    /// ```
    /// use greenwire_http::{Body, HeaderMap, HeaderValue};
    /// use std::io::Write;
    ///
    /// let body = Body::writer(|out| {
    ///     out.write_all(b"all of it")?;
    ///     let mut trailers = HeaderMap::new();
    ///     trailers.insert("x-rows", HeaderValue::from(1));
    ///     out.set_trailers(trailers);
    ///     Ok(())
    /// });
    /// # let _ = body;
    /// ```
    pub fn set_trailers(&mut self, trailers: HeaderMap) {
        self.trailers = trailers;
    }

    pub(crate) fn to(out: &mut dyn Write) -> BodyWriter<'_> {
        BodyWriter {
            sink: Sink::Other(out),
            trailers: HeaderMap::new(),
        }
    }

    pub(crate) fn to_connection(output: Arc<Output>, framing: Framing) -> BodyWriter<'static> {
        BodyWriter {
            sink: Sink::Connection(output, framing),
            trailers: HeaderMap::new(),
        }
    }

    pub(crate) fn into_trailers(self) -> HeaderMap {
        self.trailers
    }

    /// Tells the client that this was all.
    pub(crate) fn finish(self) -> io::Result<()> {
        let Sink::Connection(output, framing) = self.sink else {
            return Ok(());
        };
        match framing {
            Framing::Chunked => output.append(b"\r\n", |pending| {
                pending.extend_from_slice(b"0\r\n");
                let trailers = self.trailers.iter();
                for (name, value) in trailers.filter(|(name, _)| headers::may_trail(name)) {
                    write_header(pending, name, value.as_bytes());
                }
            }),
            Framing::Length(1..) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "body shorter than its Content-Length",
            )),
            _ => Ok(()),
        }
    }
}

impl Write for BodyWriter<'_> {
    /// # Errors
    /// Those of the socket; `InvalidInput` beyond the `Content-Length` that the handler set.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        match &mut self.sink {
            Sink::Connection(output, framing) => write_framed(output, framing, buf),
            Sink::Other(out) => out.write(buf),
        }
    }

    /// Waits until the socket has taken all that was written.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Connection(output, _) => output.flush(),
            Sink::Other(out) => out.flush(),
        }
    }
}

fn write_framed(output: &Arc<Output>, framing: &mut Framing, buf: &[u8]) -> io::Result<usize> {
    match framing {
        Framing::Chunked => output.append_framed(buf, b"\r\n", |pending| {
            // Writing to a Vec cannot fail.
            let _ = write!(pending, "{:x}\r\n", buf.len());
        })?,
        Framing::Length(rest) => {
            *rest = rest.checked_sub(buf.len() as u64).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "body exceeds its Content-Length",
                )
            })?;
            output.append(buf, |_| {})?;
        }
        Framing::UntilClose | Framing::Bare => output.append(buf, |_| {})?,
    }
    output.flush_before_park()?;
    Ok(buf.len())
}

impl fmt::Debug for BodyWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyWriter")
            .field("trailers", &self.trailers)
            .finish_non_exhaustive()
    }
}
