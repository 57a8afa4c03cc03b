//! Compressed responses.

mod negotiate;

use crate::body::Kind;
use crate::{Body, BodyWriter, Handler, Request, Response};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use greenwire_runtime::unblock;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, HeaderValue, VARY,
};
use http::{HeaderMap, Method, StatusCode};
use negotiate::Coding;
use std::io::{self, Write};

/// Shorter bodies fit into the packet anyway.
const WORTH_IT: u64 = 1024;

/// Compressing more than this at once would hold up the other green threads of the worker for too long.
const MUCH: usize = 16 << 10;

/// What is compressed at once of a body that comes by and by.
const MOST: usize = 128 << 10;

/// Compresses what is worth it, by gzip or deflate, whichever the client wants (RFC 9110 §12.5.3).
///
/// * Compressed are text, JSON, JavaScript, XML, SVG and WebAssembly, of at least 1 KiB if the length is
///   known. Not compressed are parts (206), server-sent events, what is encoded already, and what says
///   `Cache-Control: no-transform`.
/// * A strong `ETag` becomes a weak one, and `Accept-Ranges` is dropped: the bytes are others.
/// * More than 16 KiB at once are compressed on the pool of [`unblock`]. A body that comes by and by is compressed
///   as it comes, and gathered: `flush` sends what there is.
///
/// A page that shows a secret beside something that the client chose should not be compressed: the length
/// tells of the secret (the attack called BREACH).
#[derive(Clone, Debug)]
#[must_use]
pub struct Compress<H> {
    handler: H,
    level: Compression,
}

impl<H: Handler> Compress<H> {
    /// Compresses the responses of `handler`.
    pub fn new(handler: H) -> Compress<H> {
        Compress {
            handler,
            level: Compression::new(6),
        }
    }

    /// How much to compress: from 1, fast, to 9, small. Default 6.
    ///
    /// # Panics
    /// If it is none of these.
    pub fn level(mut self, level: u32) -> Compress<H> {
        assert!((1..=9).contains(&level), "there is no level {level}");
        self.level = Compression::new(level);
        self
    }
}

impl<H: Handler> Handler for Compress<H> {
    fn call(&self, request: Request) -> Response {
        let coding = Coding::choose(request.headers());
        let is_head = request.method() == Method::HEAD;
        let mut response = self.handler.call(request);
        if !is_compressible(&response) {
            return response;
        }
        let vary = HeaderValue::from_static("accept-encoding");
        response.headers_mut().append(VARY, vary);
        let Some(coding) = coding else {
            return response;
        };
        describe(response.headers_mut(), coding);
        let body = std::mem::take(response.body_mut());
        *response.body_mut() = match is_head {
            // The length is known only to who compresses.
            true => Body::writer(|_| Ok(())),
            false => compress(body, coding, self.level),
        };
        response
    }
}

fn is_compressible(response: &Response) -> bool {
    let headers = response.headers();
    let no_transform = headers.get_all(CACHE_CONTROL).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|text| text.contains("no-transform"))
    });
    let without_body = [
        StatusCode::NO_CONTENT,
        StatusCode::NOT_MODIFIED,
        StatusCode::PARTIAL_CONTENT,
    ];
    !no_transform
        && !response.status().is_informational()
        && !without_body.contains(&response.status())
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(CONTENT_RANGE)
        && is_worth_it(response)
        && headers.get(CONTENT_TYPE).is_some_and(shrinks)
}

fn is_worth_it(response: &Response) -> bool {
    let promised = response.headers().get(CONTENT_LENGTH);
    let promised = promised.and_then(|value| value.to_str().ok()?.parse().ok());
    let length = response.body().length().filter(|length| *length > 0);
    length
        .or(promised)
        .is_none_or(|length: u64| length >= WORTH_IT)
}

/// Whether this type of content becomes smaller, and may wait until there is enough of it.
fn shrinks(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default();
    let media = text.split(';').next().unwrap_or_default();
    let media = media.trim().to_ascii_lowercase();
    let subtype = media.strip_prefix("application/");
    let of_application = subtype.is_some_and(|subtype| {
        ["json", "javascript", "xml", "wasm", "x-ndjson"].contains(&subtype)
            || subtype.ends_with("+json")
            || subtype.ends_with("+xml")
    });
    of_application
        || (media.starts_with("text/") && media != "text/event-stream")
        || media == "image/svg+xml"
}

fn describe(headers: &mut HeaderMap, coding: Coding) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    let strong = headers.get(ETAG).map(HeaderValue::as_bytes);
    let strong = strong.filter(|tag| !tag.starts_with(b"W/"));
    let weak = strong.map(|tag| HeaderValue::try_from([b"W/", tag].concat()));
    if let Some(Ok(weak)) = weak {
        headers.insert(ETAG, weak);
    }
}

fn compress(body: Body, coding: Coding, level: Compression) -> Body {
    match body.into_kind() {
        Kind::Bytes(bytes) if bytes.len() > MUCH => {
            unblock(move || compressed(&bytes, coding, level)).into()
        }
        Kind::Bytes(bytes) => compressed(&bytes, coding, level).into(),
        kind => Body::writer(move |out| {
            let encoder = Some(Encoder::new(coding, level));
            let mut compressed = Compressed { encoder, out };
            let trailers = Body::of_kind(kind).write_to(&mut compressed)?;
            compressed.finish(trailers)
        }),
    }
}

fn compressed(bytes: &[u8], coding: Coding, level: Compression) -> Vec<u8> {
    let mut encoder = Encoder::new(coding, level);
    let done = encoder.write_all(bytes).and_then(|()| encoder.finish());
    done.expect("writing to a Vec cannot fail")
}

/// Compresses what is written, and sends what comes of it.
struct Compressed<'a, 'b> {
    /// `None` while it is on another OS thread, and once that has failed.
    encoder: Option<Encoder>,
    out: &'a mut BodyWriter<'b>,
}

impl Compressed<'_, '_> {
    fn finish(self, trailers: HeaderMap) -> io::Result<()> {
        if let Some(encoder) = self.encoder {
            self.out.write_all(&encoder.finish()?)?;
        }
        self.out.set_trailers(trailers);
        Ok(())
    }

    fn send(&mut self, mut encoder: Encoder) -> io::Result<()> {
        self.out.write_all(encoder.done())?;
        encoder.done().clear();
        self.encoder = Some(encoder);
        Ok(())
    }
}

impl Write for Compressed<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let mut encoder = self.encoder.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let piece = &buf[..buf.len().min(MOST)];
        if piece.len() > MUCH {
            let piece = piece.to_vec();
            encoder = unblock(move || encoder.write_all(&piece).map(|()| encoder))?;
        } else {
            encoder.write_all(piece)?;
        }
        self.send(encoder)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut encoder = self.encoder.take().ok_or(io::ErrorKind::BrokenPipe)?;
        encoder.flush()?;
        self.send(encoder)?;
        self.out.flush()
    }
}

/// Compresses to a buffer.
enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
}

impl Encoder {
    fn new(coding: Coding, level: Compression) -> Encoder {
        match coding {
            Coding::Gzip => Encoder::Gzip(GzEncoder::new(Vec::new(), level)),
            Coding::Deflate => Encoder::Deflate(ZlibEncoder::new(Vec::new(), level)),
        }
    }

    /// What is compressed so far.
    fn done(&mut self) -> &mut Vec<u8> {
        match self {
            Encoder::Gzip(encoder) => encoder.get_mut(),
            Encoder::Deflate(encoder) => encoder.get_mut(),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Deflate(encoder) => encoder.finish(),
        }
    }
}

impl Write for Encoder {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Encoder::Gzip(encoder) => encoder.write(buf),
            Encoder::Deflate(encoder) => encoder.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Encoder::Gzip(encoder) => encoder.flush(),
            Encoder::Deflate(encoder) => encoder.flush(),
        }
    }
}
