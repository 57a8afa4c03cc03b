//! The life of a client: what waits for it, when it beats, and how it ends. No I/O, no waiting, no clock: who calls
//! says what time it is.
//!
//! ```text
//!   Handshaken --a poll--> Polling ----+
//!       |                              +--> closed --the farewell has been fetched--> forgotten
//!       +------a websocket--> Websocket
//! ```

use super::payload;
use crate::engineio::CloseReason;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a client may take from its handshake to its first transport.
const UNUSED: Duration = Duration::from_secs(30);
/// How long a poll is awaited that is to be told of the end.
const FAREWELL: Duration = Duration::from_secs(30);
/// What a short packet costs beside its bytes.
const OVERHEAD: usize = 32;

const NOOP: &str = "8::";
const DISCONNECT: &str = "0::";

/// The times of a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Between a heartbeat that was answered and the next, over websockets.
    pub(crate) heartbeat_interval: Duration,
    /// How long the answer to a heartbeat is waited for.
    pub(crate) heartbeat_timeout: Duration,
    /// How long a client that polls may be away.
    pub(crate) close_timeout: Duration,
    /// How long a poll waits for something.
    pub(crate) poll_duration: Duration,
}

/// The state of one client.
#[derive(Debug)]
pub(crate) struct Machine {
    times: Times,
    mode: Mode,
    /// Packets that wait for a poll, with their size in bytes.
    waiting: VecDeque<Arc<str>>,
    bytes: usize,
    last_poll: u64,
    closed: Option<CloseReason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// No transport yet.
    Handshaken {
        until: Instant,
    },
    /// A poll waits, by number, and no longer than that.
    Polled {
        number: u64,
        until: Instant,
    },
    /// The next poll is awaited.
    Away {
        until: Instant,
    },
    /// A websocket, which beats or answers next.
    BeatsAt(Instant),
    AnswersBy(Instant),
    /// Nobody will ask for it any more.
    Forgotten,
}

/// There is none, or it does not go over this transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoSuchSession;

/// What the time has brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tick {
    /// A heartbeat goes over the websocket.
    pub(crate) beat: bool,
    /// The poll should look again.
    pub(crate) wake_poll: bool,
    /// The client has ended just now: it is silent.
    pub(crate) lost: bool,
    /// Nobody needs it any more.
    pub(crate) forgotten: bool,
    /// When to look again.
    pub(crate) next: Option<Instant>,
}

impl Machine {
    /// A client that has shaken hands just now.
    pub(crate) fn new(times: Times, now: Instant) -> Machine {
        Machine {
            times,
            mode: Mode::Handshaken {
                until: now + UNUSED,
            },
            waiting: VecDeque::new(),
            bytes: 0,
            last_poll: 0,
            closed: None,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Whether nobody will ask for it any more.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.mode == Mode::Forgotten
    }

    /// Bytes that wait for a poll.
    pub(crate) fn queued(&self) -> usize {
        self.bytes
    }

    /// Whether something sent now leaves at once, if it goes over polls.
    pub(crate) fn has_poll(&self) -> bool {
        matches!(self.mode, Mode::Polled { .. }) && self.waiting.is_empty()
    }

    /// The poll that waits.
    pub(crate) fn poll(&self) -> Option<u64> {
        match self.mode {
            Mode::Polled { number, .. } => Some(number),
            _ => None,
        }
    }

    /// A poll has come, in place of one that may wait. The number under which it takes what there is.
    pub(crate) fn begin_poll(&mut self, now: Instant) -> Result<u64, NoSuchSession> {
        self.expire(now);
        match self.mode {
            Mode::BeatsAt(_) | Mode::AnswersBy(_) | Mode::Forgotten => return Err(NoSuchSession),
            Mode::Handshaken { .. } | Mode::Polled { .. } | Mode::Away { .. } => {}
        }
        self.last_poll += 1;
        self.mode = Mode::Polled {
            number: self.last_poll,
            until: now + self.times.poll_duration,
        };
        Ok(self.last_poll)
    }

    /// What a poll is answered; `None` if it has to wait.
    pub(crate) fn take(&mut self, poll: u64, now: Instant) -> Option<String> {
        let Mode::Polled { number, until } = self.mode else {
            return Some(NOOP.to_owned());
        };
        if number != poll {
            return Some(NOOP.to_owned());
        }
        if self.waiting.is_empty() {
            if until > now && !self.is_closed() {
                return None;
            }
            self.queue(NOOP.into());
        }
        self.bytes = 0;
        let body = payload::encode(self.waiting.make_contiguous());
        // A client that waits for nothing has no buffer.
        self.waiting = VecDeque::new();
        self.leave(now);
        Some(body)
    }

    /// A poll has vanished. What waits is kept for the next one.
    pub(crate) fn lose_poll(&mut self, poll: u64, now: Instant) {
        if self.poll() == Some(poll) {
            self.leave(now);
        }
    }

    fn leave(&mut self, now: Instant) {
        self.mode = match self.closed {
            None => Mode::Away {
                until: now + self.times.close_timeout,
            },
            // It has been told.
            Some(_) => Mode::Forgotten,
        };
    }

    /// A packet for a client that polls.
    pub(crate) fn queue(&mut self, packet: Arc<str>) {
        self.bytes += packet.len() + OVERHEAD;
        self.waiting.push_back(packet);
    }

    /// A websocket has come.
    pub(crate) fn begin_websocket(&mut self, now: Instant) -> Result<(), NoSuchSession> {
        self.expire(now);
        if self.is_closed() || !matches!(self.mode, Mode::Handshaken { .. }) {
            return Err(NoSuchSession);
        }
        self.mode = Mode::BeatsAt(now + self.times.heartbeat_interval);
        Ok(())
    }

    /// Something has come over the websocket.
    pub(crate) fn hear(&mut self, now: Instant) {
        if let Mode::AnswersBy(_) = self.mode {
            self.mode = Mode::BeatsAt(now + self.times.heartbeat_interval);
        }
    }

    /// Ends the client, once; whether it was just now. One that polls is told if it is not to come back; else it
    /// learns from its next poll that it has to shake hands again.
    pub(crate) fn close(&mut self, reason: CloseReason, now: Instant) -> bool {
        if self.is_closed() {
            return false;
        }
        self.closed = Some(reason);
        self.mode = match self.mode {
            Mode::Polled { .. } => {
                let known = [CloseReason::ClientClosed, CloseReason::ForcedClose];
                if known.contains(&reason) {
                    self.queue(DISCONNECT.into());
                }
                self.mode
            }
            Mode::Away { .. } if reason == CloseReason::ForcedClose => {
                self.queue(DISCONNECT.into());
                Mode::Away {
                    until: now + FAREWELL,
                }
            }
            _ => Mode::Forgotten,
        };
        true
    }

    /// When the time next matters.
    pub(crate) fn next_look(&self) -> Option<Instant> {
        match self.mode {
            Mode::Handshaken { until } | Mode::Polled { until, .. } | Mode::Away { until } => {
                Some(until)
            }
            Mode::BeatsAt(at) | Mode::AnswersBy(at) => Some(at),
            Mode::Forgotten => None,
        }
    }

    /// Whether silence has ended the client just now.
    fn expire(&mut self, now: Instant) -> bool {
        let is_over = match self.mode {
            Mode::Handshaken { until } | Mode::Away { until } | Mode::AnswersBy(until) => {
                until <= now
            }
            Mode::Polled { .. } | Mode::BeatsAt(_) | Mode::Forgotten => false,
        };
        if is_over {
            self.waiting.clear();
            self.bytes = 0;
            self.mode = Mode::Forgotten;
        }
        is_over && self.closed.replace(CloseReason::PingTimeout).is_none()
    }

    /// Looks at the time.
    pub(crate) fn tick(&mut self, now: Instant) -> Tick {
        let lost = self.expire(now);
        let mut tick = Tick {
            lost,
            forgotten: self.is_forgotten(),
            ..Tick::default()
        };
        match self.mode {
            Mode::Polled { until, .. } => tick.wake_poll = until <= now,
            Mode::BeatsAt(at) if at <= now => {
                tick.beat = true;
                self.mode = Mode::AnswersBy(at + self.times.heartbeat_timeout);
            }
            _ => {}
        }
        // A poll that has waited long enough leaves by itself.
        tick.next = self.next_look().filter(|_| !tick.wake_poll);
        tick
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
