//! Forms with files: `multipart/form-data` (RFC 7578). Plain forms are read by
//! [`RequestExt::form`](crate::RequestExt::form).
//!
//! ```
//! use greenwire_http::{Error, Request, RequestExt};
//! use std::io::copy;
//!
//! fn upload(mut request: Request) -> Result<String, Error> {
//!     request.body_mut().set_limit(1 << 30);
//!     let mut form = request.multipart()?;
//!     let mut said = String::new();
//!     while let Some(mut field) = form.next_field()? {
//!         let name = field.name().unwrap_or_default().to_owned();
//!         // Anything may be in a file; it comes as it is read, and is not in memory.
//!         let size = copy(&mut field, &mut std::io::sink())?;
//!         said += &format!("{name}: {size} bytes\n");
//!     }
//!     Ok(said)
//! }
//! # let _ = upload;
//! ```
//!
//! The parser is `multer`, which is made for `async`: it is polled, and reads from the request's body, which parks
//! the green thread, so it is always ready.

use crate::{Body, Error, Request};
use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_TYPE;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

/// How much of the body is read at a time.
const STEP: usize = 8 << 10;

/// How much may lie between the data of two fields: the boundary and the headers. All of it is kept in memory.
const MOST_BETWEEN: usize = 64 << 10;

/// The fields of a form, one after the other, in the order in which they come.
///
/// The whole body counts against its limit ([`Body::set_limit`]); the headers of one field may have 64 KiB.
#[derive(Debug)]
pub struct Multipart {
    parser: multer::Multipart<'static>,
    current: Option<Current>,
    /// How much was read since it was set to 0.
    read: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Current {
    field: multer::Field<'static>,
    /// Data that was parsed and not read yet.
    chunk: Bytes,
}

impl Multipart {
    /// Takes the body out of the request.
    pub(crate) fn new(request: &mut Request) -> Result<Multipart, Error> {
        let content_type = request.headers().get(CONTENT_TYPE);
        let text = content_type.and_then(|value| value.to_str().ok());
        let boundary = match multer::parse_boundary(text.unwrap_or_default()) {
            Ok(boundary) => boundary,
            Err(multer::Error::NoBoundary) => {
                return Err(Error::malformed("form", &"there is no boundary"));
            }
            Err(_) => {
                let expected = "multipart/form-data";
                return Err(Error::UnsupportedType { expected });
            }
        };
        let read = Arc::new(AtomicUsize::new(0));
        let stream = Steps {
            body: std::mem::take(request.body_mut()),
            read: read.clone(),
            pauses: false,
        };
        Ok(Multipart {
            parser: multer::Multipart::new(stream, boundary),
            current: None,
            read,
        })
    }

    /// The next field; what is left of the one before it is read over. `None` at the end of the form.
    ///
    /// # Errors
    /// [`Error::Malformed`], and those of reading a [`Body`].
    pub fn next_field(&mut self) -> Result<Option<Field<'_>>, Error> {
        if let Some(mut current) = self.current.take() {
            while current.next_chunk()? {}
        }
        self.read.store(0, Ordering::Relaxed);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(field) = self.parser.poll_next_field(&mut context) {
                let current = field.map_err(error_of)?.map(|field| Current {
                    field,
                    chunk: Bytes::new(),
                });
                self.current = current;
                return Ok(self.current.as_mut().map(Field));
            }
            if self.read.load(Ordering::Relaxed) > MOST_BETWEEN {
                return Err(Error::malformed("form", &"a field's headers are too long"));
            }
        }
    }
}

/// A field of a form: its data is what it reads.
#[derive(Debug)]
pub struct Field<'a>(&'a mut Current);

impl Field<'_> {
    /// The name of the field in the form.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.field.name()
    }

    /// What the client calls the file. Never a path to write to: it may be `../../etc/passwd`.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.0.field.file_name()
    }

    /// What the client says that the file is.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.0.field.content_type().map(AsRef::as_ref)
    }

    /// Reads all that is left of the field.
    ///
    /// # Errors
    /// As [`Multipart::next_field`].
    pub fn read_to_vec(&mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads all that is left of the field as text.
    ///
    /// # Errors
    /// As [`Multipart::next_field`], and [`Error::NotUtf8`].
    pub fn read_text(&mut self) -> Result<String, Error> {
        String::from_utf8(self.read_to_vec()?).map_err(|_| Error::NotUtf8)
    }
}

/// Its errors hold an [`Error`] of this crate, as those of [`Body`] do.
impl Read for Field<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.0.chunk.is_empty() && !buf.is_empty() {
            if !self.0.next_chunk()? {
                return Ok(0);
            }
        }
        let count = buf.len().min(self.0.chunk.len());
        buf[..count].copy_from_slice(&self.0.chunk.split_to(count));
        Ok(count)
    }
}

impl Current {
    /// Gets the next data, which may be empty. False at the end of the field.
    fn next_chunk(&mut self) -> Result<bool, Error> {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match Pin::new(&mut self.field).poll_next(&mut context) {
                Poll::Ready(Some(chunk)) => {
                    self.chunk = chunk.map_err(error_of)?;
                    return Ok(true);
                }
                Poll::Ready(None) => return Ok(false),
                Poll::Pending => {}
            }
        }
    }
}

/// A body as a stream that pauses after each piece, since the parser would take all pieces that there are.
struct Steps {
    body: Body,
    read: Arc<AtomicUsize>,
    pauses: bool,
}

impl Stream for Steps {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if std::mem::take(&mut self.pauses) {
            return Poll::Pending;
        }
        let mut buf = [0; STEP];
        Poll::Ready(match self.body.read(&mut buf) {
            Ok(0) => None,
            Ok(count) => {
                self.pauses = true;
                self.read.fetch_add(count, Ordering::Relaxed);
                Some(Ok(Bytes::copy_from_slice(&buf[..count])))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

fn error_of(error: multer::Error) -> Error {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) => Error::from(*cause),
            Err(cause) => Error::Io(io::Error::other(cause)),
        },
        other => Error::malformed("form", &other),
    }
}
