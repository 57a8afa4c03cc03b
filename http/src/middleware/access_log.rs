//! The access log: a line for each response, as Apache writes it.

use crate::{Body, BodyWriter, Handler, Peer, Request, Response};
use http::header::{HeaderName, HeaderValue, REFERER, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::SystemTime;

type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Logs each response in the Common or the Combined Log Format, which every analyser reads:
///
/// ```text
/// 127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /index.html HTTP/1.1" 200 2326 "http://a/" "curl/8.0"
/// ```
///
/// The line is logged when the response's body is complete or has failed, with the bytes of the body that were
/// written; at the level `info` and the target `access`, or to a function of your own ([`to`](AccessLog::to)). The
/// time is that of the request, in UTC. Quotes, backslashes and what cannot be printed are escaped, so that no client
/// can forge a line.
///
/// An upgraded connection is logged at its beginning, with no bytes.
#[derive(Clone)]
#[must_use]
pub struct AccessLog<H> {
    handler: H,
    is_combined: bool,
    sink: Sink,
}

impl<H: Handler> AccessLog<H> {
    /// The Common Log Format: address, time, request line, status, bytes.
    pub fn common(handler: H) -> AccessLog<H> {
        AccessLog {
            handler,
            is_combined: false,
            sink: Arc::new(|line| log::info!(target: "access", "{line}")),
        }
    }

    /// The Combined Log Format: the same, with the page that led here, and the client's name.
    pub fn combined(handler: H) -> AccessLog<H> {
        AccessLog {
            is_combined: true,
            ..AccessLog::common(handler)
        }
    }

    /// Gives the lines, without their ends, to a function. It runs on the connection's thread: a slow one holds up
    /// its next request.
    ///
    /// ```
    /// use greenwire_http::{Request, middleware::AccessLog};
    /// use greenwire_runtime::sync::mpsc;
    ///
    /// let (sender, lines) = mpsc::channel();
    /// let app = AccessLog::common(|_: Request| "hello").to(move |line| {
    ///     let _ = sender.send(line.to_owned());
    /// });
    /// # let _ = (app, lines);
    /// ```
    pub fn to(mut self, sink: impl Fn(&str) + Send + Sync + 'static) -> AccessLog<H> {
        self.sink = Arc::new(sink);
        self
    }
}

impl<H: Handler> Handler for AccessLog<H> {
    fn call(&self, request: Request) -> Response {
        let mut entry = Entry::new(&request, self.is_combined, &self.sink);
        let has_body = request.method() != Method::HEAD;
        let mut response = self.handler.call(request);
        entry.status = Some(response.status());
        let bytes = match has_body && may_have_body(response.status()) {
            true => response.body().length(),
            false => Some(0),
        };
        match bytes {
            Some(bytes) => entry.bytes = bytes,
            None => follow(&mut response, entry),
        }
        response
    }
}

fn may_have_body(status: StatusCode) -> bool {
    let without = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
    !status.is_informational() && !without.contains(&status)
}

/// Counts the bytes of a body whose length is not known yet.
fn follow(response: &mut Response, entry: Entry) {
    let body = std::mem::take(response.body_mut());
    *response.body_mut() = Body::writer(move |out| {
        let mut counted = Counted { out, entry };
        let trailers = body.write_to(&mut counted)?;
        counted.out.set_trailers(trailers);
        Ok(())
    });
}

/// Counts what is written. Its end, good or bad, is the end of the entry.
struct Counted<'a, 'b> {
    out: &'a mut BodyWriter<'b>,
    entry: Entry,
}

impl Write for Counted<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let count = self.out.write(buf)?;
        self.entry.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What is known of a request. Logged when it is dropped, however that comes.
struct Entry {
    /// All of the line before the status.
    begin: String,
    /// `None` if the handler unwound: the server answers with 500, or not at all.
    status: Option<StatusCode>,
    bytes: u64,
    /// The last two fields, if there are any.
    end: String,
    sink: Sink,
}

impl Entry {
    fn new(request: &Request, is_combined: bool, sink: &Sink) -> Entry {
        let mut begin = String::with_capacity(128);
        // Writing to a String cannot fail.
        let _ = match Peer::of(request).and_then(Peer::ip) {
            Some(ip) => write!(begin, "{ip}"),
            None => write!(begin, "-"),
        };
        let time = Time(SystemTime::now());
        let target = request.uri().to_string();
        let _ = write!(
            begin,
            " - - [{time}] \"{} {} {:?}\"",
            request.method(),
            Escaped(target.as_bytes()),
            request.version()
        );
        let end = match is_combined {
            true => combined(request.headers()),
            false => String::new(),
        };
        Entry {
            begin,
            status: None,
            bytes: 0,
            end,
            sink: sink.clone(),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let status = self.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let Entry { begin, end, .. } = self;
        let line = match self.bytes {
            0 => format!("{begin} {} -{end}", status.as_u16()),
            bytes => format!("{begin} {} {bytes}{end}", status.as_u16()),
        };
        (self.sink)(&line);
    }
}

fn combined(headers: &HeaderMap) -> String {
    let field = |name: HeaderName| {
        let value = headers.get(name).map(HeaderValue::as_bytes);
        Escaped(value.unwrap_or(b"-"))
    };
    format!(" \"{}\" \"{}\"", field(REFERER), field(USER_AGENT))
}

/// `10/Oct/2026:13:55:36 +0000`.
struct Time(SystemTime);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = httpdate::fmt_http_date(self.0);
        // "Sat, 10 Oct 2026 13:55:36 GMT"
        let mut words = date.split(' ').skip(1);
        let mut next = || words.next().unwrap_or_default();
        write!(f, "{}/{}/{}:{} +0000", next(), next(), next(), next())
    }
}

/// Bytes of a client, in quotes: as Apache escapes them.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| match byte {
            b'"' | b'\\' => write!(f, "\\{}", char::from(byte)),
            b' '..=b'~' => f.write_char(char::from(byte)),
            _ => write!(f, "\\x{byte:02x}"),
        })
    }
}

impl<H> fmt::Debug for AccessLog<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("AccessLog");
        debug.field("is_combined", &self.is_combined);
        debug.finish_non_exhaustive()
    }
}
