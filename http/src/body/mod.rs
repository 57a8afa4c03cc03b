//! The body of a request or response: bytes, or a way to get or to give them.

pub(crate) mod incoming;
pub(crate) mod writer;

use crate::error::Error;
use crate::upgrade::Upgrade;
use bytes::Bytes;
use http::HeaderMap;
use incoming::Incoming;
use std::io::{self, Cursor, Read, Write};
use std::{fmt, mem};
pub use writer::BodyWriter;

/// The body of a [`Request`](crate::Request) or a [`Response`](crate::Response).
///
/// A request's body is read from the connection as the handler reads it, by `Read` or
/// [`read_to_vec`](Body::read_to_vec), never more than its limit ([`Config::max_body`], 2 MiB). It
/// may be moved to another thread, or become the body of the response. What the handler leaves
/// unread is read over, or ends the connection if it is long.
///
/// A response's body is bytes (`Body::from`), which are sent with their length, or comes by and by
/// ([`from_reader`](Body::from_reader), [`from_iter`](Body::from_iter),
/// [`writer`](Body::writer)): chunked to an HTTP/1.1 client, ended by the end of the connection to
/// an HTTP/1.0 client, or of the length that the handler's `Content-Length` promises. If it fails
/// midway, the connection is cut, so that a client cannot take a part for the whole; only an
/// HTTP/1.0 client has no means to tell. For a `HEAD` request it is not run at all. A
/// [`writer`](Body::writer) may end with [trailers](BodyWriter::set_trailers).
///
/// [`Config::max_body`]: crate::Config::max_body
///
/// # Errors
/// Reading gives `io::Error`s that hold an [`Error`] of this crate: `Error::from` gets it out.
#[derive(Default)]
pub struct Body(Kind);

/// The function of [`Body::writer`].
pub(crate) type WriteFn = Box<dyn FnOnce(&mut BodyWriter<'_>) -> io::Result<()> + Send>;

#[derive(Default)]
pub(crate) enum Kind {
    #[default]
    Empty,
    Bytes(Bytes),
    Incoming(Incoming),
    /// With its length, if that is known.
    Reader(Box<dyn Read + Send>, Option<u64>),
    Writer(WriteFn),
    Upgrade(Upgrade),
}

impl Body {
    /// No bytes.
    #[must_use]
    pub fn empty() -> Body {
        Body(Kind::Empty)
    }

    /// All that `reader` gives, read while it is sent.
    #[must_use]
    pub fn from_reader(reader: impl Read + Send + 'static) -> Body {
        Body(Kind::Reader(Box::new(reader), None))
    }

    /// The first `length` bytes that `reader` gives, sent with this length. If there are fewer, the
    /// connection is cut.
    #[must_use]
    pub fn from_sized_reader(reader: impl Read + Send + 'static, length: u64) -> Body {
        Body(Kind::Reader(Box::new(reader.take(length)), Some(length)))
    }

    /// The items one after the other, each sent before the green thread parks for the next.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator is kept, not collected"
    )]
    pub fn from_iter<I>(items: I) -> Body
    where
        I: IntoIterator<Item: AsRef<[u8]>, IntoIter: Send + 'static>,
    {
        let items = items.into_iter();
        Body::writer(move |out| {
            for item in items {
                io::Write::write_all(out, item.as_ref())?;
            }
            Ok(())
        })
    }

    /// What `write` writes, on the green thread of the connection, after the handler has returned.
    ///
    /// ```
    /// use greenwire_http::{Body, Response};
    /// use std::{io::Write, thread, time::Duration};
    ///
    /// fn ticks() -> Response {
    ///     Response::new(Body::writer(|out| {
    ///         for n in 1..=3 {
    ///             writeln!(out, "tick {n}")?; // leaves when the thread sleeps
    ///             thread::sleep(Duration::from_millis(1));
    ///         }
    ///         Ok(())
    ///     }))
    /// }
    /// # let _ = ticks();
    /// ```
    #[must_use]
    pub fn writer(
        write: impl FnOnce(&mut BodyWriter<'_>) -> io::Result<()> + Send + 'static,
    ) -> Body {
        Body(Kind::Writer(Box::new(write)))
    }

    /// Sets how many bytes may be read in all, for a request's body; replaces
    /// [`Config::max_body`](crate::Config::max_body). Nothing for others.
    pub fn set_limit(&mut self, bytes: u64) {
        if let Kind::Incoming(incoming) = &mut self.0 {
            incoming.set_limit(bytes);
        }
    }

    /// The number of bytes left, if it is known before they are there.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match &self.0 {
            Kind::Empty | Kind::Upgrade(_) => Some(0),
            Kind::Bytes(bytes) => Some(bytes.len() as u64),
            Kind::Incoming(incoming) => incoming.length(),
            Kind::Reader(_, length) => *length,
            Kind::Writer(_) => None,
        }
    }

    /// Reads all that is left.
    ///
    /// # Errors
    /// [`Error::BodyTooLarge`], [`Error::Truncated`], [`Error::TimedOut`],
    /// [`Error::MalformedBody`], and whatever a reader gives.
    pub fn read_to_vec(&mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads all that is left as text.
    ///
    /// # Errors
    /// As [`read_to_vec`](Body::read_to_vec), and [`Error::NotUtf8`].
    pub fn read_text(&mut self) -> Result<String, Error> {
        String::from_utf8(self.read_to_vec()?).map_err(|_| Error::NotUtf8)
    }

    /// The trailers of a request's body, which a chunked one may have: there once the body has been
    /// read to its end, none before. Those that frame or route a message are left out.
    #[must_use]
    pub fn trailers(&self) -> HeaderMap {
        match &self.0 {
            Kind::Incoming(incoming) => incoming.trailers(),
            _ => HeaderMap::new(),
        }
    }

    /// Writes the whole body to `out`, whatever its kind, and gives the trailers: what a middleware
    /// needs that changes bodies, and a test that looks at them.
    ///
    /// ```
    /// use greenwire_http::Body;
    /// use std::io::Write;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut bytes = Vec::new();
    /// Body::writer(|out| write!(out, "tick")).write_to(&mut bytes)?;
    /// assert_eq!(bytes, b"tick");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of reading the body and of writing to `out`; `UnexpectedEof` if a reader gives less than
    /// the length that was told.
    pub fn write_to(self, out: &mut dyn Write) -> io::Result<HeaderMap> {
        let mut out = BodyWriter::to(out);
        write_kind(self.0, &mut out)?;
        Ok(out.into_trailers())
    }

    pub(crate) fn incoming(incoming: Incoming) -> Body {
        Body(Kind::Incoming(incoming))
    }

    pub(crate) fn upgrade(upgrade: Upgrade) -> Body {
        Body(Kind::Upgrade(upgrade))
    }

    /// Whether sending it runs code of whoever made it.
    pub(crate) fn runs_code(&self) -> bool {
        matches!(self.0, Kind::Reader(..) | Kind::Writer(_))
    }

    /// Whether it is not there as a whole.
    pub(crate) fn is_streamed(&self) -> bool {
        matches!(self.0, Kind::Incoming(_)) || self.runs_code()
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0
    }

    pub(crate) fn of_kind(kind: Kind) -> Body {
        Body(kind)
    }

    pub(crate) fn into_kind(self) -> Kind {
        self.0
    }
}

/// A body of [`Body::writer`] cannot be read (`ErrorKind::Unsupported`).
impl Read for Body {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Empty | Kind::Upgrade(_) => Ok(0),
            Kind::Bytes(bytes) => {
                let mut cursor = Cursor::new(&bytes[..]);
                let count = cursor.read(buf)?;
                drop(bytes.split_to(count));
                Ok(count)
            }
            Kind::Incoming(incoming) => incoming.read(buf).map_err(io::Error::from),
            Kind::Reader(reader, _) => reader.read(buf),
            Kind::Writer(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body(Kind::Bytes(bytes))
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Body {
        Bytes::from_static(bytes).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Body {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Body {
        text.into_bytes().into()
    }
}

impl From<()> for Body {
    fn from((): ()) -> Body {
        Body::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.0 {
            Kind::Empty => "Empty",
            Kind::Bytes(bytes) => return write!(f, "Body({} bytes)", bytes.len()),
            Kind::Incoming(_) => "Incoming",
            Kind::Reader(..) => "Reader",
            Kind::Writer(_) => "Writer",
            Kind::Upgrade(_) => "Upgrade",
        };
        write!(f, "Body({name})")
    }
}

/// Writes a body of any kind.
pub(crate) fn write_kind(body: Kind, out: &mut BodyWriter<'_>) -> io::Result<()> {
    match body {
        Kind::Empty | Kind::Upgrade(_) => Ok(()),
        Kind::Bytes(bytes) => out.write_all(&bytes),
        Kind::Incoming(mut incoming) => {
            copy(|buf| incoming.read(buf).map_err(io::Error::from), out)?;
            out.set_trailers(incoming.trailers());
            Ok(())
        }
        Kind::Reader(mut reader, length) => {
            let copied = copy(|buf| reader.read(buf), out)?;
            match length {
                Some(length) if copied < length => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(()),
            }
        }
        Kind::Writer(write) => write(out),
    }
}

/// As `io::copy`, in pieces that fit a green thread's stack.
fn copy(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    out: &mut BodyWriter<'_>,
) -> io::Result<u64> {
    let mut buf = [0; 8192];
    let mut copied = 0;
    loop {
        match read(&mut buf) {
            Ok(0) => return Ok(copied),
            Ok(count) => {
                out.write_all(&buf[..count])?;
                copied += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Takes the body out of a response and leaves an empty one.
pub(crate) fn take(body: &mut Body) -> Kind {
    mem::take(body).into_kind()
}
