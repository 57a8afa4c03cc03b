//! The body of a request, read from its connection on demand.

use crate::config::Config;
use crate::connection::input::{Input, is_timeout};
use crate::connection::output::Output;
use crate::error::Error;
use crate::protocol::chunked::{Decoder, Progress};
use crate::protocol::head::Framing;
use crate::protocol::headers;
use greenwire_runtime::sync::Mutex;
use http::HeaderMap;
use std::io;
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// The request's end of the body; the connection holds a [`Lender`] of the same.
#[derive(Debug)]
pub(crate) struct Incoming(Shared);

/// The connection's end of the body: lends its input out and takes it back.
#[derive(Debug)]
pub(crate) struct Lender(Shared);

type Shared = Arc<Mutex<Option<Source>>>;

/// What is known of a body once its handler has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// The connection may carry another request, perhaps after [`Lender::reclaim`] has drained it.
    Usable,
    /// The connection must end.
    Unusable,
}

#[derive(Debug)]
struct Source {
    input: Input,
    output: Arc<Output>,
    state: State,
    limit: u64,
    delivered: u64,
    timeout: Duration,
    /// How much may be read over to save the connection.
    max_unread: u64,
    /// Whether the client waits for `100 Continue`.
    awaits_continue: bool,
    failed: bool,
}

#[derive(Debug)]
enum State {
    Length(u64),
    Chunked(Decoder),
}

/// Lends the input of a connection to the body of a request.
pub(crate) fn lend(
    input: Input,
    output: Arc<Output>,
    framing: Framing,
    awaits_continue: bool,
    config: &Config,
) -> (Incoming, Lender) {
    let state = match framing {
        Framing::Empty => State::Length(0),
        Framing::Length(length) => State::Length(length),
        Framing::Chunked => State::Chunked(Decoder::new()),
    };
    let source = Source {
        input,
        output,
        state,
        limit: config.max_body,
        delivered: 0,
        timeout: config.body_timeout,
        max_unread: config.max_unread,
        awaits_continue,
        failed: false,
    };
    let shared = Arc::new(Mutex::new(Some(source)));
    (Incoming(shared.clone()), Lender(shared))
}

impl Incoming {
    pub(crate) fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.as_mut().ok_or(Error::RequestOver)?.read(buf)
    }

    pub(crate) fn set_limit(&mut self, limit: u64) {
        if let Some(source) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            source.limit = limit;
        }
    }

    /// The length still to come, if the client told it.
    pub(crate) fn length(&self) -> Option<u64> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Source {
                state: State::Length(length),
                ..
            }) => Some(*length),
            _ => None,
        }
    }

    /// Those of a body that has been read to its end.
    pub(crate) fn trailers(&self) -> HeaderMap {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Source {
                state: State::Chunked(decoder),
                ..
            }) if decoder.is_done() => headers::parse_trailers(decoder.trailers()),
            _ => HeaderMap::new(),
        }
    }
}

impl Lender {
    /// To be called between the handler's return and the response's first byte, after which no
    /// `100 Continue` may be sent: whoever still holds the body gets it granted now.
    pub(crate) fn settle(&self) -> io::Result<Rest> {
        let held = Arc::strong_count(&self.0) > 1;
        let Ok(mut shared) = self.0.try_lock() else {
            return Ok(Rest::Unusable);
        };
        let Some(source) = &mut *shared else {
            return Ok(Rest::Unusable);
        };
        if source.is_complete() {
            return Ok(Rest::Usable);
        }
        if held && !source.failed {
            source.grant_continue()?;
            return Ok(Rest::Usable);
        }
        let long = matches!(source.state, State::Length(rest) if rest > source.max_unread);
        let lost = source.failed || source.awaits_continue || long;
        Ok(if lost { Rest::Unusable } else { Rest::Usable })
    }

    pub(crate) fn is_complete(&self) -> bool {
        let shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.as_ref().is_some_and(Source::is_complete)
    }

    /// Takes the input back, with whether it stands at the next request; reads over what is left of
    /// the body for that if `drain`. `None` if somebody is in the middle of a read.
    pub(crate) fn reclaim(self, drain: bool) -> Option<(Input, bool)> {
        let mut source = match self.0.try_lock() {
            Ok(mut shared) => shared.take()?,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take()?,
            Err(TryLockError::WouldBlock) => return None,
        };
        let ready = source.is_complete() || (drain && source.drain().is_ok());
        Some((source.input, ready))
    }
}

impl Source {
    fn is_complete(&self) -> bool {
        match &self.state {
            State::Length(rest) => *rest == 0,
            State::Chunked(decoder) => decoder.is_done(),
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        if buf.is_empty() {
            return Ok(0);
        }
        let count = self.read_data(buf).inspect_err(|_| self.failed = true)?;
        self.delivered += count as u64;
        Ok(count)
    }

    fn read_data(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let rest = self.next_data()?;
        if rest > self.limit.saturating_sub(self.delivered) {
            return Err(Error::BodyTooLarge { limit: self.limit });
        }
        let most = usize::try_from(rest).unwrap_or(usize::MAX).min(buf.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.read_raw(&mut buf[..most])?;
        match &mut self.state {
            State::Length(rest) => *rest -= count as u64,
            State::Chunked(decoder) => decoder.take(count as u64),
        }
        Ok(count)
    }

    /// Passes over framing: how many bytes of data come next, 0 at the end.
    fn next_data(&mut self) -> Result<u64, Error> {
        while let State::Chunked(decoder) = &mut self.state {
            let (used, progress) = decoder
                .advance(self.input.carry.unread())
                .map_err(Error::MalformedBody)?;
            self.input.carry.consume(used);
            match progress {
                Progress::Data(rest) => return Ok(rest),
                Progress::Done => return Ok(0),
                Progress::NeedMore => {
                    self.grant_continue()?;
                    if self.input.fill(self.timeout).map_err(wait_error)? == 0 {
                        return Err(Error::Truncated);
                    }
                }
            }
        }
        match self.state {
            State::Length(rest) => Ok(rest),
            State::Chunked(_) => Ok(0),
        }
    }

    /// Reads at least a byte: what came early, or straight from the socket.
    fn read_raw(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let early = self.input.carry.unread();
        if !early.is_empty() {
            let count = early.len().min(buf.len());
            buf[..count].copy_from_slice(&early[..count]);
            self.input.carry.consume(count);
            return Ok(count);
        }
        self.before_wait()?;
        match self.input.read_socket(buf).map_err(wait_error)? {
            0 => Err(Error::Truncated),
            count => Ok(count),
        }
    }

    fn before_wait(&mut self) -> io::Result<()> {
        self.grant_continue()?;
        self.input.limit_waits(self.timeout)
    }

    /// Tells a client that waits for it to send the body. A client that sends already knows.
    fn grant_continue(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.awaits_continue) && self.input.carry.is_empty() {
            self.output
                .append(b"HTTP/1.1 100 Continue\r\n\r\n", |_| {})?;
            self.output.flush()?;
        }
        Ok(())
    }

    /// Reads over a short rest of the body. A client that trickles it does not get far.
    fn drain(&mut self) -> Result<(), Error> {
        if self.failed || self.awaits_continue {
            return Err(Error::Truncated);
        }
        self.limit = self.delivered.saturating_add(self.max_unread);
        self.output.flush()?;
        let deadline = Instant::now() + self.timeout;
        let mut scrap = [0; 4096];
        while self.read(&mut scrap)? > 0 {
            if Instant::now() > deadline {
                return Err(Error::TimedOut);
            }
        }
        Ok(())
    }
}

fn wait_error(error: io::Error) -> Error {
    if is_timeout(&error) {
        Error::TimedOut
    } else {
        Error::Io(error)
    }
}
