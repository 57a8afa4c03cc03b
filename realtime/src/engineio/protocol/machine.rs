//! The life of a session: what waits for its client, when it beats, how it upgrades and how it ends. No I/O, no
//! waiting, no clock: who calls says what time it is.
//!
//! ```text
//!   Polling --2probe--> Polling, probed --5--> Websocket
//!      |                    |                      |
//!      +--------------------+----------------------+--> closed --the last poll has been told--> forgotten
//! ```

use crate::engineio::{CloseReason, Prepared};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// While a client tries a websocket its polls are answered at once, but no more often than this.
const NOOP_INTERVAL: Duration = Duration::from_millis(100);
/// How long a poll is awaited that is to be told of the end.
const FAREWELL: Duration = Duration::from_secs(30);
/// The same, of a client that has said good-bye itself.
const SHORT_FAREWELL: Duration = Duration::from_secs(5);

/// The times of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) ping_interval: Duration,
    pub(crate) ping_timeout: Duration,
    pub(crate) upgrade_timeout: Duration,
}

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Machine {
    times: Times,
    mode: Mode,
    /// What waits for a poll, with its size in bytes.
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The poll that waits, by number.
    poll: Option<u64>,
    last_poll: u64,
    /// A request that sends is being read.
    posting: bool,
    heart: Heart,
    closed: Option<CloseReason>,
    /// What the last poll is told, and until when it is awaited.
    farewell: Option<(Farewell, Instant)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Polling,
    /// A websocket is being tried, until the first time; no noop before the second.
    Probed {
        until: Instant,
        next_noop: Instant,
    },
    Websocket,
}

#[derive(Debug)]
enum Waiting {
    Ping,
    Noop,
    Message(Prepared),
}

#[derive(Clone, Copy, Debug)]
enum Heart {
    BeatsAt(Instant),
    AnswersBy(Instant),
}

/// How a poll learns that the session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    Close,
    Noop,
}

/// There is none, or it takes no such requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoSuchSession;

/// What the time has brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tick {
    /// A ping goes over the websocket.
    pub(crate) ping: bool,
    /// The websocket that was tried took too long.
    pub(crate) probe_expired: bool,
    /// Somebody who polls should look again.
    pub(crate) wake_poll: bool,
    /// The client is silent: the session has ended just now.
    pub(crate) lost: bool,
    /// Nobody needs the session any more.
    pub(crate) forgotten: bool,
    /// When to look again.
    pub(crate) next: Option<Instant>,
}

impl Machine {
    pub(crate) fn new(times: Times, polling: bool, now: Instant) -> Machine {
        Machine {
            times,
            mode: if polling {
                Mode::Polling
            } else {
                Mode::Websocket
            },
            waiting: VecDeque::new(),
            bytes: 0,
            poll: None,
            last_poll: 0,
            posting: false,
            heart: Heart::BeatsAt(now + times.ping_interval),
            closed: None,
            farewell: None,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        self.closed
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.mode == Mode::Websocket
    }

    /// Bytes that wait for a poll.
    pub(crate) fn queued(&self) -> usize {
        self.bytes
    }

    /// Whether something sent now leaves at once.
    pub(crate) fn has_poll(&self) -> bool {
        self.poll.is_some() && self.waiting.is_empty()
    }

    /// The poll that waits.
    pub(crate) fn poll(&self) -> Option<u64> {
        self.poll
    }

    /// A request that receives has come. The number under which it takes what there is.
    pub(crate) fn begin_poll(&mut self, now: Instant) -> Result<u64, NoSuchSession> {
        self.expire(now);
        if self.is_websocket() || (self.is_closed() && self.farewell.is_none()) {
            return Err(NoSuchSession);
        }
        if self.poll.is_some() {
            // Two at once are a client that has lost count of what it got.
            self.close(CloseReason::TransportError, now);
            return Err(NoSuchSession);
        }
        self.last_poll += 1;
        self.poll = Some(self.last_poll);
        Ok(self.last_poll)
    }

    /// What a poll is answered; `None` if it has to wait.
    pub(crate) fn take(&mut self, poll: u64, now: Instant) -> Option<String> {
        if self.poll != Some(poll) {
            return Some("6".to_owned());
        }
        let mut parts = self.take_waiting();
        if let Some((farewell, _)) = self.farewell.take() {
            parts.push(match farewell {
                Farewell::Close => "1".into(),
                Farewell::Noop => "6".into(),
            });
        }
        if parts.is_empty() {
            if !self.take_noop(now) {
                return None;
            }
            parts.push("6".into());
        }
        self.poll = None;
        Some(parts.join("\x1e"))
    }

    fn take_waiting(&mut self) -> Vec<std::sync::Arc<str>> {
        self.bytes = 0;
        let waiting = self.waiting.drain(..);
        waiting
            .map(|item| match item {
                Waiting::Ping => "2".into(),
                Waiting::Noop => "6".into(),
                Waiting::Message(message) => message.as_body().clone(),
            })
            .collect()
    }

    /// Whether a poll need not wait, since a websocket is being tried.
    fn take_noop(&mut self, now: Instant) -> bool {
        match &mut self.mode {
            Mode::Probed { next_noop, .. } if *next_noop <= now => {
                *next_noop = now + NOOP_INTERVAL;
                true
            }
            _ => false,
        }
    }

    /// A poll has vanished, and nobody knows what its client has got. Whether the session has ended by that.
    pub(crate) fn lose_poll(&mut self, poll: u64, now: Instant) -> bool {
        if self.poll != Some(poll) {
            return false;
        }
        self.poll = None;
        self.farewell = None;
        self.close(CloseReason::TransportError, now)
    }

    /// A request that sends has come. Two at once are an error, which ends the session.
    pub(crate) fn begin_post(&mut self, now: Instant) -> Result<(), NoSuchSession> {
        self.expire(now);
        if self.is_websocket() || self.is_closed() {
            return Err(NoSuchSession);
        }
        if self.posting {
            self.close(CloseReason::TransportError, now);
            return Err(NoSuchSession);
        }
        self.posting = true;
        Ok(())
    }

    pub(crate) fn end_post(&mut self) {
        self.posting = false;
    }

    /// A message for a client that polls.
    pub(crate) fn queue(&mut self, message: Prepared) {
        self.bytes += message.size();
        self.waiting.push_back(Waiting::Message(message));
    }

    /// The client lives.
    pub(crate) fn pong(&mut self, now: Instant) {
        if let Heart::AnswersBy(_) = self.heart {
            self.heart = Heart::BeatsAt(now + self.times.ping_interval);
        }
    }

    /// A client that polls tries a websocket. False if it may not.
    pub(crate) fn begin_probe(&mut self, now: Instant) -> bool {
        self.expire(now);
        let may = self.mode == Mode::Polling && !self.is_closed();
        if may {
            self.mode = Mode::Probed {
                until: now + self.times.upgrade_timeout,
                next_noop: now + NOOP_INTERVAL,
            };
        }
        may
    }

    /// The websocket answers: polls need not wait any more.
    pub(crate) fn probe_answers(&mut self, now: Instant) {
        if let Mode::Probed { next_noop, .. } = &mut self.mode {
            *next_noop = now;
        }
    }

    /// The websocket came to nothing.
    pub(crate) fn end_probe(&mut self) {
        if let Mode::Probed { .. } = self.mode {
            self.mode = Mode::Polling;
        }
    }

    /// From now on all goes over the websocket; what waits is to be sent there first. `None` if it may not.
    pub(crate) fn upgrade(&mut self, now: Instant) -> Option<Vec<Prepared>> {
        let Mode::Probed { .. } = self.mode else {
            return None;
        };
        if self.is_closed() {
            return None;
        }
        self.mode = Mode::Websocket;
        self.poll = None;
        self.heart = Heart::BeatsAt(now + self.times.ping_interval);
        self.bytes = 0;
        let waiting = self.waiting.drain(..);
        let messages = waiting.filter_map(|item| match item {
            Waiting::Message(message) => Some(message),
            Waiting::Ping | Waiting::Noop => None,
        });
        Some(messages.collect())
    }

    /// Ends the session, once; whether it was just now.
    pub(crate) fn close(&mut self, reason: CloseReason, now: Instant) -> bool {
        if self.is_closed() {
            return false;
        }
        self.closed = Some(reason);
        self.farewell = match reason {
            _ if self.is_websocket() => None,
            CloseReason::ClientClosed => Some((Farewell::Noop, now + SHORT_FAREWELL)),
            CloseReason::ForcedClose | CloseReason::ServerShutdown => {
                Some((Farewell::Close, now + FAREWELL))
            }
            _ => self.poll.map(|_| (Farewell::Close, now + FAREWELL)),
        };
        if reason != CloseReason::ForcedClose && reason != CloseReason::ServerShutdown {
            self.waiting.clear();
            self.bytes = 0;
        }
        true
    }

    /// Whether nobody will ask for the session any more.
    fn is_forgotten(&self, now: Instant) -> bool {
        self.is_closed() && self.farewell.is_none_or(|(_, until)| until <= now)
    }

    /// Whether the silence of the client has ended the session just now.
    fn expire(&mut self, now: Instant) -> bool {
        match self.heart {
            Heart::AnswersBy(by) if by <= now => self.close(CloseReason::PingTimeout, now),
            // The ping itself would have come and gone by now.
            Heart::BeatsAt(at) if at + self.times.ping_timeout <= now => {
                self.close(CloseReason::PingTimeout, now)
            }
            _ => false,
        }
    }

    /// Looks at the time.
    pub(crate) fn tick(&mut self, now: Instant) -> Tick {
        let mut tick = Tick {
            lost: !self.is_closed() && self.expire(now),
            ..Tick::default()
        };
        if self.is_closed() {
            tick.wake_poll = tick.lost;
            tick.forgotten = self.is_forgotten(now);
            tick.next = self.farewell.map(|(_, until)| until);
            return tick;
        }
        self.beat(now, &mut tick);
        self.watch_probe(now, &mut tick);
        tick.next = Some(self.next_look());
        tick
    }

    fn beat(&mut self, now: Instant, tick: &mut Tick) {
        let Heart::BeatsAt(at) = self.heart else {
            return;
        };
        if at > now {
            return;
        }
        // From when it was due: lateness is not the client's to bear twice.
        self.heart = Heart::AnswersBy(at + self.times.ping_timeout);
        if self.is_websocket() {
            tick.ping = true;
        } else {
            self.waiting.push_back(Waiting::Ping);
            tick.wake_poll = true;
        }
    }

    fn watch_probe(&mut self, now: Instant, tick: &mut Tick) {
        let Mode::Probed { until, .. } = self.mode else {
            return;
        };
        if until <= now {
            tick.probe_expired = true;
            self.mode = Mode::Polling;
        } else if self.poll.is_some() && self.take_noop(now) {
            self.waiting.push_back(Waiting::Noop);
            tick.wake_poll = true;
        }
    }

    /// When the time next matters.
    pub(crate) fn next_look(&self) -> Instant {
        let beat = match self.heart {
            Heart::BeatsAt(at) | Heart::AnswersBy(at) => at,
        };
        match self.mode {
            Mode::Probed { until, next_noop } => match self.poll {
                Some(_) => beat.min(until).min(next_noop),
                None => beat.min(until),
            },
            Mode::Polling | Mode::Websocket => beat,
        }
    }
}
