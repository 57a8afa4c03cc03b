//! Responses to bytes: which framing, which headers, and the body.

use crate::Response;
use crate::body::writer::{BodyWriter, Framing};
use crate::body::{self, Kind};
use crate::connection::output::Output;
use crate::protocol::head;
use crate::spare;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Version};
use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
pub(crate) fn send(
    output: &Arc<Output>,
    mut response: Response,
    context: Context,
) -> io::Result<bool> {
    let body = match response.status() {
        // RFC 9110 §15.3.6: it has no content, and says so.
        StatusCode::RESET_CONTENT => Kind::Empty,
        _ => body::take(response.body_mut()),
    };
    if response.status().is_informational() {
        log::error!(
            "handler returned {}, which only an upgrade may",
            response.status()
        );
        response = Response::default();
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    let told = Told::by(response.headers());
    let framing = choose_framing(response.status(), told.length, &body, context);
    let keep_alive = context.keep_alive && framing != Framing::UntilClose && !told.close;
    let context = Context {
        keep_alive,
        ..context
    };
    let bare = context.is_head || framing == Framing::Bare;
    let at_once = match &body {
        Kind::Bytes(bytes) if !bare => &bytes[..],
        _ => b"",
    };
    output.append(at_once, |pending| {
        write_head(pending, &response, told, framing, context);
    })?;
    spare::reuse(std::mem::take(response.headers_mut()));
    match body {
        Kind::Empty | Kind::Upgrade(_) | Kind::Bytes(_) => {}
        streamed if !bare => stream(output, framing, streamed)?,
        _ => {}
    }
    Ok(keep_alive)
}

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

/// What the handler's headers say about the message.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    length: Option<u64>,
    close: bool,
    date: bool,
}

impl Told {
    /// One look at each header costs less than a search for every one of these.
    fn by(headers: &HeaderMap) -> Told {
        let mut told = Told::default();
        for (name, value) in headers {
            if name == CONTENT_LENGTH {
                told.length = told.length.or(head::parse_length(value.as_bytes()));
            } else if name == CONNECTION {
                told.close = head::has_option(headers, "close");
            } else if name == DATE {
                told.date = true;
            }
        }
        told
    }
}

fn choose_framing(
    status: StatusCode,
    promised: Option<u64>,
    body: &Kind,
    context: Context,
) -> Framing {
    if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
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

/// The handler's headers without those that frame the message: those are the server's.
fn write_head(
    out: &mut Vec<u8>,
    response: &Response,
    told: Told,
    framing: Framing,
    context: Context,
) {
    out.reserve(256);
    write_status(out, response.status());
    for (name, value) in response.headers() {
        let framing = name == CONTENT_LENGTH || name == TRANSFER_ENCODING || name == CONNECTION;
        if !framing || (name == CONTENT_LENGTH && response.status() == StatusCode::NOT_MODIFIED) {
            write_header(out, name, value.as_bytes());
        }
    }
    if !told.date {
        write_date(out);
    }
    match framing {
        Framing::Length(length) => write_length(out, length),
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::Bare | Framing::UntilClose => {}
    }
    if !context.keep_alive {
        out.extend_from_slice(b"connection: close\r\n");
    } else if context.version == Version::HTTP_10 {
        out.extend_from_slice(b"connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
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

pub(crate) fn write_header(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The `Date` header, formatted once a second on each OS thread.
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
