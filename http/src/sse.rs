//! Server-sent events: what a browser's `EventSource` reads (HTML Standard, section 9.2).
//!
//! ```
//! use greenwire_http::{Request, Response, sse};
//! use std::{thread, time::Duration};
//!
//! fn clock(request: Request) -> Response {
//!     let last = sse::last_event_id(&request).and_then(|id| id.parse().ok());
//!     let first = last.map_or(0, |last: u64| last + 1);
//!     sse::stream(move |events| {
//!         for n in first.. {
//!             events.send(sse::Event::new(format!("tick {n}")).id(n))?; // fails once nobody reads
//!             thread::sleep(Duration::from_secs(1));
//!         }
//!         Ok(())
//!     })
//! }
//! # let _ = clock;
//! ```
//!
//! A stream is two green threads: the function, and the connection's own, which sends what the function gives,
//! and a comment where nothing comes for a while ([`Config::heartbeat`]). That keeps proxies from closing the
//! connection, and finds out that the reader is gone: within two heartbeats, whatever the function waits for. It
//! is then cancelled at its wait, and a `send` fails. With OS threads in place of green ones nothing can be
//! cancelled; there only `send` fails.
//!
//! A slow reader holds up `send` once 16 events wait for it. When it takes nothing at all for the server's
//! [`Config::write_timeout`](crate::Config::write_timeout), it counts as gone.

use crate::{Body, IntoResponse, Request, Response};
use greenwire_runtime::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use greenwire_runtime::thread::{self, JoinHandle};
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::time::Duration;

/// How many events may wait for the reader.
const QUEUE: usize = 16;

/// Answers with the events that `run` sends, as [`Config::stream`] with the default settings.
#[must_use]
pub fn stream<F>(run: F) -> Response
where
    F: FnOnce(Sender) -> Result<(), Gone> + Send + 'static,
{
    Config::default().stream(run)
}

/// The id of the last event that the client had before it lost its connection. `None` at its first one.
#[must_use]
pub fn last_event_id(request: &Request) -> Option<&str> {
    request.headers().get("last-event-id")?.to_str().ok()
}

/// The settings of a stream.
#[derive(Clone, Debug)]
#[must_use]
pub struct Config {
    heartbeat: Duration,
    retry: Option<Duration>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            heartbeat: Duration::from_secs(15),
            retry: None,
        }
    }
}

impl Config {
    /// After how long without an event a comment is sent. Default 15 s, as the standard advises.
    pub fn heartbeat(mut self, period: Duration) -> Config {
        self.heartbeat = period.max(Duration::from_millis(1));
        self
    }

    /// How long a client waits before it connects again. Default: not said, so that browsers take some seconds.
    pub fn retry(mut self, pause: Duration) -> Config {
        self.retry = Some(pause);
        self
    }

    /// Answers with the events that `run` sends, on a green thread of its own. When it returns, the
    /// response is complete; a browser then connects again.
    ///
    /// # Panics
    /// A panic of `run` cuts the connection, as one of a body does.
    #[must_use]
    pub fn stream<F>(self, run: F) -> Response
    where
        F: FnOnce(Sender) -> Result<(), Gone> + Send + 'static,
    {
        let body = Body::writer(move |out| self.serve(run, out));
        let headers = [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            // What nginx needs to be told in order not to wait for more.
            ("x-accel-buffering", "no"),
        ];
        (headers, body).into_response()
    }

    fn serve<F>(self, run: F, out: &mut impl Write) -> io::Result<()>
    where
        F: FnOnce(Sender) -> Result<(), Gone> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(QUEUE);
        let builder = thread::Builder::new().name("events".to_owned());
        let source = Source(Some(builder.spawn(|| run(Sender(sender)))?));
        if let Some(pause) = self.retry {
            write!(out, "retry: {}\n\n", pause.as_millis())?;
        }
        relay(&receiver, out, self.heartbeat)?;
        source.finish();
        Ok(())
    }
}

/// Sends what comes until nothing more can come. What is there leaves in one write, and the flush tells of a lost
/// reader at once.
fn relay(events: &Receiver<Event>, out: &mut impl Write, heartbeat: Duration) -> io::Result<()> {
    loop {
        match events.recv_timeout(heartbeat) {
            Ok(event) => {
                for event in std::iter::once(event).chain(events.try_iter()) {
                    out.write_all(format!("{event}\n").as_bytes())?;
                }
            }
            Err(RecvTimeoutError::Timeout) => out.write_all(b":\n\n")?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        out.flush()?;
    }
}

/// The thread that makes the events. Cancelled when the connection ends before it does.
struct Source(Option<JoinHandle<Result<(), Gone>>>);

impl Source {
    /// Waits for its end; a panic goes on here.
    fn finish(mut self) {
        if let Some(Err(payload)) = self.0.take().map(JoinHandle::join)
            && !payload.is::<thread::Cancelled>()
        {
            resume_unwind(payload);
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            // Refused on OS threads, which notice it when they send.
            let _ = handle.cancel();
        }
    }
}

/// Gives events to one reader. Clones give to the same one.
#[derive(Clone, Debug)]
pub struct Sender(SyncSender<Event>);

impl Sender {
    /// Sends an event; text is an event with that data. Waits while 16 events wait for the reader.
    ///
    /// # Errors
    /// [`Gone`] once the connection has ended. An event that was taken before need not have arrived: that is what
    /// [`last_event_id`] is for.
    pub fn send(&self, event: impl Into<Event>) -> Result<(), Gone> {
        self.0.send(event.into()).map_err(|_| Gone)
    }
}

/// The reader is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reader of the events is gone")
    }
}

impl std::error::Error for Gone {}

/// One event. `Display` shows it as it is sent.
///
/// ```
/// use greenwire_http::sse::Event;
///
/// let event = Event::new("two\nlines").name("news").id(7);
/// assert_eq!(event.to_string(), "data: two\ndata: lines\nevent: news\nid: 7\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Event(String);

impl Event {
    /// An event with this data. The reader gets its lines; what kind of line ends they had, it does not learn.
    pub fn new(data: impl AsRef<str>) -> Event {
        let mut event = Event(String::new());
        for line in data.as_ref().replace("\r\n", "\n").split(['\n', '\r']) {
            event.add("data", &line);
        }
        event
    }

    /// The kind of event, by which a page listens for it; without it, `message`. Line ends are left out.
    pub fn name(mut self, name: impl AsRef<str>) -> Event {
        self.add("event", &name.as_ref().replace(['\n', '\r'], ""));
        self
    }

    /// What the client sends as its [`last_event_id`] after a lost connection. Line ends and NUL are left out.
    pub fn id(mut self, id: impl Display) -> Event {
        self.add("id", &id.to_string().replace(['\n', '\r', '\0'], ""));
        self
    }

    /// How long the client waits from now on before it connects again.
    pub fn retry(mut self, pause: Duration) -> Event {
        self.add("retry", &pause.as_millis());
        self
    }

    fn add(&mut self, field: &str, value: &dyn Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{field}: {value}");
    }
}

impl Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: AsRef<str>> From<T> for Event {
    fn from(data: T) -> Event {
        Event::new(data)
    }
}
