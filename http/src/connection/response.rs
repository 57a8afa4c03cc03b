//! Responses to bytes: which framing, which headers, and the body.

use crate::body::writer::{BodyWriter, Framing};
use crate::body::{self, Kind};
use crate::connection::output::Output;
use crate::protocol::headers;
use crate::spare;
use crate::{Body, Response};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, TRANSFER_ENCODING};
use http::{HeaderValue, Method, StatusCode, Version};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{io, mem};

/// What the response has to know of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) is_head: bool,
    pub(crate) version: Version,
    /// Whether the connection may carry another request. A response may say no.
    pub(crate) keep_alive: bool,
}

impl Context {
    pub(crate) fn new(method: &Method, version: Version, keep_alive: bool) -> Context {
        Context {
            is_head: *method == Method::HEAD,
            version,
            keep_alive,
        }
    }
}

/// Gathers or sends a whole response; gives whether the connection may carry another request.
/// After an error it may not, and the client can tell that the response is not complete.
#[inline]
pub(crate) fn send(
    output: &Arc<Output>,
    response: &mut Response,
    context: Context,
) -> io::Result<bool> {
    if response.status() == StatusCode::RESET_CONTENT {
        // RFC 9110 §15.3.6: it has no content, and says so.
        *response.body_mut() = Body::empty();
    }
    if response.status().is_informational() {
        refuse_informational(response);
    }
    let bare = context.is_head || has_no_body(response.status());
    let at_once = match response.body().kind() {
        Kind::Bytes(bytes) if !bare => &bytes[..],
        _ => b"",
    };
    let sent = output.append(at_once, |pending| write_head(pending, response, context))?;
    spare::reuse(response.headers_mut());
    if response.body().is_streamed() {
        let body = body::take(response.body_mut());
        if !bare {
            stream(output, sent.framing, body)?;
        }
    }
    Ok(sent.keep_alive)
}

#[cold]
fn refuse_informational(response: &mut Response) {
    log::error!(
        "handler returned {}, which only an upgrade may",
        response.status()
    );
    *response = Response::new(mem::take(response.body_mut()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
}

#[inline(never)]
fn stream(output: &Arc<Output>, framing: Framing, body: Kind) -> io::Result<()> {
    output.flush_before_park()?;
    let mut out = BodyWriter::to_connection(output.clone(), framing);
    body::write_kind(body, &mut out)?;
    out.finish()
}

/// Sends the head of an upgrade, with the headers as they are.
pub(crate) fn send_upgrade(output: &Output, response: &Response) -> io::Result<()> {
    output.append(b"\r\n", |pending| {
        write_status(pending, response.status());
        for (name, value) in response.headers() {
            write_header(pending, name, value.as_bytes());
        }
    })?;
    output.flush()
}

/// What a head that was written says.
#[derive(Clone, Copy, Debug)]
struct Sent {
    framing: Framing,
    keep_alive: bool,
}

/// What the handler's headers say about the message.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    length: Option<u64>,
    close: bool,
    date: bool,
}

impl Told {
    /// Notes a header, and tells whether it is to be sent as it is: not if it frames the message, which is the
    /// server's to say.
    fn note(&mut self, name: &HeaderName, value: &HeaderValue, status: StatusCode) -> bool {
        if name == CONTENT_LENGTH {
            self.length = self.length.or(headers::parse_length(value.as_bytes()));
            return status == StatusCode::NOT_MODIFIED;
        }
        if name == CONNECTION {
            self.close |= headers::has_option([value.as_bytes()].into_iter(), "close");
            return false;
        }
        self.date |= name == DATE;
        name != TRANSFER_ENCODING
    }
}

/// Whether no body follows, and no length is told (RFC 9110 §8.6).
fn has_no_body(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

fn choose_framing(
    status: StatusCode,
    promised: Option<u64>,
    body: &Kind,
    context: Context,
) -> Framing {
    if has_no_body(status) {
        return Framing::Bare;
    }
    let length = match body {
        // The answer to HEAD tells the length only if it knows what GET would send.
        Kind::Empty if context.is_head => promised,
        Kind::Empty | Kind::Upgrade(_) => Some(0),
        Kind::Bytes(bytes) => Some(bytes.len() as u64),
        Kind::Incoming(incoming) => incoming.length().or(promised),
        Kind::Reader(_, length) => length.or(promised),
        Kind::Writer(_) => promised,
    };
    match length {
        Some(length) => Framing::Length(length),
        None if context.is_head => Framing::Bare,
        None if context.version == Version::HTTP_10 => Framing::UntilClose,
        None => Framing::Chunked,
    }
}

/// Writes the handler's headers without those that frame the message, and then the server's.
#[inline]
fn write_head(out: &mut Vec<u8>, response: &Response, context: Context) -> Sent {
    let status = response.status();
    out.reserve(256);
    write_status(out, status);
    let mut told = Told::default();
    for (name, value) in response.headers() {
        if told.note(name, value, status) {
            write_header(out, name, value.as_bytes());
        }
    }
    if !told.date {
        write_date(out);
    }
    let framing = choose_framing(status, told.length, response.body().kind(), context);
    match framing {
        Framing::Length(length) => write_length(out, length),
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::Bare | Framing::UntilClose => {}
    }
    let keep_alive = context.keep_alive && framing != Framing::UntilClose && !told.close;
    if !keep_alive {
        out.extend_from_slice(b"connection: close\r\n");
    } else if context.version == Version::HTTP_10 {
        out.extend_from_slice(b"connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Sent {
        framing,
        keep_alive,
    }
}

fn write_status(out: &mut Vec<u8>, status: StatusCode) {
    if status == StatusCode::OK {
        return out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// As `write!` would, which takes ten times as long.
#[inline]
fn write_length(out: &mut Vec<u8>, length: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = length;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(b"content-length: ");
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}

#[inline]
pub(crate) fn write_header(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The `Date` header, formatted once a second on each OS thread.
#[inline]
fn write_date(out: &mut Vec<u8>) {
    thread_local! {
        static LINE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    LINE.with_borrow_mut(|(second, line)| {
        if *second != now || line.is_empty() {
            let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(now));
            *line = format!("date: {date}\r\n");
            *second = now;
        }
        out.extend_from_slice(line.as_bytes());
    });
}
