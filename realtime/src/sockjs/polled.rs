//! A session over HTTP: a [`Mailbox`], and those who wait for something in it.

use super::Error;
use super::protocol::frame::{Close, Frame};
use super::protocol::mailbox::{Limits, Mailbox, Offer, Tick};
use greenwire_http::Peer;
use greenwire_runtime::sync::{self, Event};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// One session, shared by its handler, its requests and the keeper.
pub(crate) struct Polled {
    /// Who opened it.
    ip: Option<IpAddr>,
    /// Never locked across a wait, and std's: who broadcasts must not park.
    state: Mutex<State>,
    /// What [`For`] names: set and cleared with the state locked. All who wait for one of them wait for the same, so
    /// who finds nothing may clear it for the others, too.
    arrivals: [Event; 4],
    /// Taken by the request that sends: the body of one at a time is in memory.
    sending: sync::Mutex<()>,
}

struct State {
    mailbox: Mailbox,
    /// The other end of the receiver's connection.
    peer: Option<Peer>,
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug)]
enum For {
    /// The receiver: something to send.
    Frame,
    /// The handler: something to receive.
    Message,
    /// Whoever sends: room among what waits for the client.
    RoomOut,
    /// A request that brings messages: room among what waits for the handler.
    RoomIn,
}

impl Polled {
    pub(crate) fn new(limits: Limits, ip: Option<IpAddr>) -> Arc<Polled> {
        Arc::new(Polled {
            ip,
            state: Mutex::new(State {
                mailbox: Mailbox::new(limits, Instant::now()),
                peer: None,
            }),
            arrivals: Default::default(),
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
            self.wake_all();
        }
    }

    /// Sends a message, a string of JSON; waits for room if the limits say so.
    pub(crate) fn send(&self, message: &Arc<str>) -> Result<(), Error> {
        self.wait(For::RoomOut, |state| match self.offer(state, message) {
            Offer::Full => None,
            Offer::Taken | Offer::Dropped => Some(Ok(())),
            Offer::Closed => Some(Err(Error::Closed)),
            Offer::Parted => Some(Err(Error::SlowReader)),
        })
    }

    /// As [`send`](Polled::send), but never waits; whether the message was taken.
    pub(crate) fn broadcast(&self, message: &Arc<str>) -> bool {
        let mut state = self.lock();
        let offer = self.offer(&mut state, message);
        if offer == Offer::Full {
            state.mailbox.note_dropped();
        }
        offer == Offer::Taken
    }

    fn offer(&self, state: &mut State, message: &Arc<str>) -> Offer {
        let offer = state.mailbox.offer(message);
        match offer {
            Offer::Taken => self.wake(For::Frame),
            Offer::Parted => self.wake_all(),
            Offer::Dropped | Offer::Full | Offer::Closed => {}
        }
        offer
    }

    /// Waits until no other request sends, for as long as the result lives.
    pub(crate) fn turn_to_send(&self) -> sync::MutexGuard<'_, ()> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Messages of the client. Waits while too many wait for the handler.
    pub(crate) fn deliver(&self, messages: Vec<String>) {
        let mut messages = Some(messages);
        self.wait(For::RoomIn, |state| {
            if state.mailbox.is_congested() {
                return None;
            }
            state.mailbox.deliver(messages.take().unwrap_or_default());
            self.wake(For::Message);
            Some(())
        });
    }

    /// The next message for the handler. `None` when the session is closed.
    pub(crate) fn receive(&self) -> Option<String> {
        self.wait(For::Message, |state| match state.mailbox.take() {
            Some(message) => {
                self.wake(For::RoomIn);
                Some(Some(message))
            }
            None => state.mailbox.is_closed().then_some(None),
        })
    }

    pub(crate) fn close(&self, close: Close) {
        let mut state = self.lock();
        state.mailbox.close(close);
        self.wake_all();
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
            Tick::HeartbeatDue => self.wake(For::Frame),
            Tick::Expired => self.wake_all(),
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
            let arrival = &self.arrivals[what as usize];
            arrival.clear();
            drop(state);
            arrival.wait();
        }
    }

    fn wake(&self, what: For) {
        self.arrivals[what as usize].set();
    }

    fn wake_all(&self) {
        self.arrivals.iter().for_each(Event::set);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
            self.session.wake(For::RoomOut);
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
            self.session.wake_all();
        }
    }
}
