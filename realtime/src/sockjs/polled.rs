//! A session over HTTP: a [`Mailbox`], and those who wait for something in it.

use super::Error;
use super::protocol::frame::{Close, Frame};
use super::protocol::mailbox::{Limits, Mailbox, Offer, Tick};
use greenwire_http::Peer;
use greenwire_runtime::sync::{self, Event};
use std::fmt;
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One session, shared by its handler, its requests and the keeper.
pub(crate) struct Polled {
    /// Who opened it.
    ip: Option<IpAddr>,
    /// Never locked across a wait, and std's: who broadcasts must not park.
    state: Mutex<State>,
    /// Taken by the request that sends: the body of one at a time is in memory.
    sending: sync::Mutex<()>,
}

struct State {
    mailbox: Mailbox,
    /// The other end of the receiver's connection.
    peer: Option<Peer>,
    waiting: [Vec<Arc<Event>>; 3],
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug)]
enum For {
    /// The receiver: something to send.
    Frame,
    /// The handler: something to receive.
    Message,
    /// Whoever has more than fits: room, in one direction or the other.
    Room,
}

impl Polled {
    pub(crate) fn new(limits: Limits, ip: Option<IpAddr>) -> Arc<Polled> {
        Arc::new(Polled {
            ip,
            state: Mutex::new(State {
                mailbox: Mailbox::new(limits, Instant::now()),
                peer: None,
                waiting: Default::default(),
            }),
            sending: sync::Mutex::new(()),
        })
    }

    /// Who opened the session.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// A request has come that takes frames. A receiver whose client has hung up makes no room for it: such a
    /// session is over.
    pub(crate) fn attach(self: &Arc<Self>, peer: Option<Peer>) -> Result<Receiving, Close> {
        self.part_with_lost_receiver();
        let mut state = self.lock();
        let number = state.mailbox.arrive(Instant::now())?;
        state.peer = peer;
        Ok(Receiving {
            session: self.clone(),
            number,
        })
    }

    /// Ends the session if its receiver's client has hung up.
    pub(crate) fn part_with_lost_receiver(&self) {
        let mut state = self.lock();
        if let Some(number) = state.mailbox.receiver()
            && state.peer.as_ref().is_some_and(Peer::has_hung_up)
        {
            state.mailbox.interrupt(number, Instant::now());
            state.wake_all();
        }
    }

    /// Sends a message, a string of JSON; waits for room if the limits say so.
    pub(crate) fn send(&self, message: &Arc<str>) -> Result<(), Error> {
        self.wait(For::Room, |state| match state.offer(message) {
            Offer::Full => None,
            Offer::Taken | Offer::Dropped => Some(Ok(())),
            Offer::Closed => Some(Err(Error::Closed)),
            Offer::Parted => Some(Err(Error::SlowReader)),
        })
    }

    /// As [`send`](Polled::send), but never waits; whether the message was taken.
    pub(crate) fn broadcast(&self, message: &Arc<str>) -> bool {
        let mut state = self.lock();
        let offer = state.offer(message);
        if offer == Offer::Full {
            state.mailbox.note_dropped();
        }
        offer == Offer::Taken
    }

    /// Waits until no other request sends, for as long as the result lives.
    pub(crate) fn turn_to_send(&self) -> sync::MutexGuard<'_, ()> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages of the client. Waits while too many wait for the handler.
    pub(crate) fn deliver(&self, messages: Vec<String>) {
        let mut messages = Some(messages);
        self.wait(For::Room, |state| {
            if state.mailbox.is_congested() {
                return None;
            }
            state.mailbox.deliver(messages.take().unwrap_or_default());
            state.wake(For::Message);
            Some(())
        });
    }

    /// The next message for the handler. `None` when the session is closed.
    pub(crate) fn receive(&self) -> Option<String> {
        self.wait(For::Message, |state| match state.mailbox.take() {
            Some(message) => {
                state.wake(For::Room);
                Some(Some(message))
            }
            None => state.mailbox.is_closed().then_some(None),
        })
    }

    pub(crate) fn close(&self, close: Close) {
        let mut state = self.lock();
        state.mailbox.close(close);
        state.wake_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().mailbox.is_closed()
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.lock().mailbox.is_expired()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.lock().mailbox.dropped()
    }

    /// Looks at the time; whether the session has expired.
    pub(crate) fn tick(&self, now: Instant) -> bool {
        let mut state = self.lock();
        let tick = state.mailbox.tick(now);
        match tick {
            Tick::Nothing => {}
            Tick::HeartbeatDue => state.wake(For::Frame),
            Tick::Expired => state.wake_all(),
        }
        tick == Tick::Expired
    }

    /// Waits until `take` gets something.
    fn wait<T>(&self, what: For, mut take: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let mut state = self.lock();
            if let Some(taken) = take(&mut state) {
                return taken;
            }
            let event = Arc::new(Event::new());
            state.waiting[what as usize].push(event.clone());
            drop(state);
            event.wait();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn offer(&mut self, message: &Arc<str>) -> Offer {
        let offer = self.mailbox.offer(message);
        match offer {
            Offer::Taken => self.wake(For::Frame),
            Offer::Parted => self.wake_all(),
            Offer::Dropped | Offer::Full | Offer::Closed => {}
        }
        offer
    }

    fn wake(&mut self, what: For) {
        for event in mem::take(&mut self.waiting[what as usize]) {
            event.set();
        }
    }

    fn wake_all(&mut self) {
        for what in [For::Frame, For::Message, For::Room] {
            self.wake(what);
        }
    }
}

impl fmt::Debug for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polled")
            .field("ip", &self.ip)
            .finish_non_exhaustive()
    }
}

/// A request that takes frames. Dropped before [`complete`](Receiving::complete), it was lost with whatever it had
/// taken, and the session ends.
#[derive(Debug)]
pub(crate) struct Receiving {
    session: Arc<Polled>,
    number: u64,
}

impl Receiving {
    /// Waits for the next frame, with messages of about `room` bytes.
    pub(crate) fn next_frame(&self, room: usize) -> Frame {
        self.session.wait(For::Frame, |state| {
            let frame = state
                .mailbox
                .next_frame(self.number, room, Instant::now())?;
            state.wake(For::Room);
            Some(frame)
        })
    }

    /// The response is complete.
    pub(crate) fn complete(self) {
        self.session
            .lock()
            .mailbox
            .leave(self.number, Instant::now());
    }
}

impl Drop for Receiving {
    /// Does nothing after [`complete`](Receiving::complete), nor if another receiver has come.
    fn drop(&mut self) {
        let mut state = self.session.lock();
        if state.mailbox.interrupt(self.number, Instant::now()) {
            state.wake_all();
        }
    }
}
