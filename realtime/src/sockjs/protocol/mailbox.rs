//! The state of a session over HTTP: what waits in it, who may take it, and when it ends. No I/O, no waiting,
//! no clock: who calls says what time it is.
//!
//! ```text
//!   Fresh --first frame: o--> Open --close, or a receiver lost--> Closed --delay without receiver--> expired
//! ```

use super::frame::{Close, Frame};
use greenwire_websocket::SlowReader;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Mailbox {
    limits: Limits,
    /// The client has been told that the session is open.
    greeted: bool,
    closed: Option<Close>,
    /// To be forgotten: its name may be used for a new session.
    expired: bool,
    /// Who takes frames, by number.
    receiver: Option<u64>,
    last_receiver: u64,
    /// When a receiver last got a frame, came or left.
    since: Instant,
    heartbeat_due: bool,
    /// Messages for the client, as strings of JSON.
    outgoing: Queue<Arc<str>>,
    /// Messages for the handler.
    incoming: Queue<String>,
    dropped: u64,
}

/// The bounds and times of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes that may wait, in each direction.
    pub(crate) max_queued: usize,
    pub(crate) slow_reader: SlowReader,
    pub(crate) disconnect_delay: Duration,
    pub(crate) heartbeat: Duration,
}

/// What becomes of a message for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Taken,
    Dropped,
    /// There is no room; whoever offers it may wait for some.
    Full,
    /// The client was too slow, so the session is closed now.
    Parted,
    Closed,
}

/// What the time that has passed has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    Nothing,
    HeartbeatDue,
    Expired,
}

impl Mailbox {
    pub(crate) fn new(limits: Limits, now: Instant) -> Mailbox {
        Mailbox {
            limits,
            greeted: false,
            closed: None,
            expired: false,
            receiver: None,
            last_receiver: 0,
            since: now,
            heartbeat_due: false,
            outgoing: Queue::default(),
            incoming: Queue::default(),
            dropped: 0,
        }
    }

    /// A receiver has come: the number under which it may take frames, or the one thing that it is told.
    pub(crate) fn arrive(&mut self, now: Instant) -> Result<u64, Close> {
        match &self.closed {
            // It is told again and again, once what was sent before has been taken.
            Some(close) if self.expired || self.receiver.is_some() || self.has_told_all() => {
                return Err(close.clone());
            }
            _ if self.receiver.is_some() => return Err(Close::ANOTHER),
            _ => {}
        }
        self.last_receiver += 1;
        self.receiver = Some(self.last_receiver);
        self.since = now;
        self.heartbeat_due = false;
        Ok(self.last_receiver)
    }

    fn has_told_all(&self) -> bool {
        self.greeted && self.outgoing.is_empty()
    }

    /// The next frame for a receiver, with messages of about `room` bytes; `None` if it has to wait.
    pub(crate) fn next_frame(&mut self, receiver: u64, room: usize, now: Instant) -> Option<Frame> {
        let frame = self.waiting_frame(receiver, room)?;
        self.since = now;
        self.heartbeat_due = false;
        Some(frame)
    }

    fn waiting_frame(&mut self, receiver: u64, room: usize) -> Option<Frame> {
        if self.receiver != Some(receiver) {
            return Some(Frame::Close(Close::INTERRUPTED));
        }
        if !mem::replace(&mut self.greeted, true) {
            return Some(Frame::Open);
        }
        if let Some(message) = self.outgoing.pop() {
            let mut size = message.len();
            let mut messages = vec![message];
            while size < room
                && let Some(message) = self.outgoing.pop()
            {
                size += message.len();
                messages.push(message);
            }
            return Some(Frame::Messages(messages));
        }
        if let Some(close) = &self.closed {
            return Some(Frame::Close(close.clone()));
        }
        self.heartbeat_due.then_some(Frame::Heartbeat)
    }

    /// A receiver has left as it should: its response was complete.
    pub(crate) fn leave(&mut self, receiver: u64, now: Instant) {
        if self.receiver == Some(receiver) {
            self.receiver = None;
            self.since = now;
        }
    }

    /// A receiver has vanished. Nobody knows what reached the client, so the session is over. False if it is not
    /// the one that receives.
    pub(crate) fn interrupt(&mut self, receiver: u64, now: Instant) -> bool {
        let receives = self.receiver == Some(receiver);
        if receives {
            self.leave(receiver, now);
            self.close(Close::INTERRUPTED);
            self.outgoing.clear();
        }
        receives
    }

    /// Who takes frames.
    pub(crate) fn receiver(&self) -> Option<u64> {
        self.receiver
    }

    /// A message for the client, as a string of JSON.
    pub(crate) fn offer(&mut self, message: &Arc<str>) -> Offer {
        if self.closed.is_some() {
            return Offer::Closed;
        }
        let full = self.outgoing.bytes >= self.limits.max_queued;
        match self.limits.slow_reader {
            _ if !full => {}
            SlowReader::Wait => return Offer::Full,
            SlowReader::DropNewest => return self.drop_one(),
            SlowReader::DropOldest => {
                self.outgoing.pop();
                self.drop_one();
            }
            SlowReader::Disconnect => {
                self.close(Close::TOO_SLOW);
                self.outgoing.clear();
                return Offer::Parted;
            }
        }
        self.outgoing.push(message.clone());
        Offer::Taken
    }

    fn drop_one(&mut self) -> Offer {
        self.dropped += 1;
        Offer::Dropped
    }

    /// Notes that whoever offered a message did not wait for room.
    pub(crate) fn note_dropped(&mut self) {
        self.dropped += 1;
    }

    /// How many messages for the client were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether messages of the client have to wait, since the handler takes none.
    pub(crate) fn is_congested(&self) -> bool {
        self.closed.is_none() && self.incoming.bytes >= self.limits.max_queued
    }

    /// Messages of the client. Those that come after the end are dropped.
    pub(crate) fn deliver(&mut self, messages: Vec<String>) {
        if self.closed.is_none() {
            messages
                .into_iter()
                .for_each(|message| self.incoming.push(message));
        }
    }

    /// The next message for the handler.
    pub(crate) fn take(&mut self) -> Option<String> {
        self.incoming.pop()
    }

    /// Closes the session, once. What waits for the client still reaches it, if it comes for it.
    pub(crate) fn close(&mut self, close: Close) {
        self.closed.get_or_insert(close);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.expired
    }

    /// Looks at the time.
    pub(crate) fn tick(&mut self, now: Instant) -> Tick {
        let passed = now.saturating_duration_since(self.since);
        if self.receiver.is_none() && passed >= self.limits.disconnect_delay {
            self.close(Close::TIMED_OUT);
            self.outgoing.clear();
            self.expired = true;
            return Tick::Expired;
        }
        if self.receiver.is_some() && passed >= self.limits.heartbeat && !self.heartbeat_due {
            self.heartbeat_due = true;
            return Tick::HeartbeatDue;
        }
        Tick::Nothing
    }
}

/// Texts that wait, and their size.
#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<T>,
    bytes: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue {
            items: VecDeque::new(),
            bytes: 0,
        }
    }
}

/// What a short text costs beside its bytes: so that empty ones cannot fill the memory.
const OVERHEAD: usize = 32;

impl<T: AsRef<str>> Queue<T> {
    fn push(&mut self, item: T) {
        self.bytes += item.as_ref().len() + OVERHEAD;
        self.items.push_back(item);
    }

    fn pop(&mut self) -> Option<T> {
        let item = self.items.pop_front()?;
        self.bytes -= item.as_ref().len() + OVERHEAD;
        if self.items.is_empty() {
            // An idle session has no buffer.
            self.items = VecDeque::new();
        }
        Some(item)
    }

    fn clear(&mut self) {
        self.items = VecDeque::new();
        self.bytes = 0;
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

#[cfg(test)]
#[path = "mailbox_tests.rs"]
mod tests;
