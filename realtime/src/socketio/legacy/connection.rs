//! A client, shared by its requests, whoever sends, and the keeper: a [`Machine`], and those who wait for it.

use super::encoded::Encoded;
use super::protocol::machine::{Machine, NoSuchSession};
use super::registry::Commons;
use crate::engineio::connection::{BUSY, Patience, send_over};
use crate::engineio::keeper::{Alarm, Sleeper};
use crate::engineio::registry::Place;
use crate::engineio::{CloseReason, Closed};
use crate::socketio::Handshake;
use crate::waiters::Waiters;
use greenwire_http::Peer;
use greenwire_runtime::sync;
use greenwire_websocket as websocket;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// Who is told what a client sends. Calls never overlap, except that `closed` may come at any time.
pub(super) trait Listener: Send + Sync {
    /// The text of a packet has come. May wait, which holds up the client.
    fn packet(&self, text: &str);

    /// The client has ended, for this reason. Never waits.
    fn closed(&self, reason: CloseReason);
}

/// One client.
pub(super) struct Connection {
    id: Arc<str>,
    handshake: Handshake,
    commons: Arc<Commons>,
    me: Weak<Connection>,
    _place: Place,
    /// Never locked across a wait, and std's: who broadcasts must not park.
    state: Mutex<State>,
    /// Taken by the request that sends: packets of one are taken before those of the next.
    posting: sync::Mutex<()>,
}

struct State {
    machine: Machine,
    listener: Option<Arc<dyn Listener>>,
    /// What it goes over, if that is a websocket.
    socket: Option<websocket::Sender>,
    /// The other end of the poll that waits.
    peer: Option<Peer>,
    polls: Waiters,
    /// Those who wait for room.
    senders: Waiters,
    alarm: Option<Alarm>,
    /// It is to end as soon as nobody minds.
    ends: Option<CloseReason>,
}

impl Connection {
    /// A client that has shaken hands.
    pub(super) fn new(
        id: Arc<str>,
        handshake: Handshake,
        commons: &Arc<Commons>,
        place: Place,
    ) -> Arc<Connection> {
        let connection = Arc::new_cyclic(|me| Connection {
            id,
            handshake,
            commons: commons.clone(),
            me: me.clone(),
            _place: place,
            state: Mutex::new(State {
                machine: Machine::new(commons.times, Instant::now()),
                listener: None,
                socket: None,
                peer: None,
                polls: Waiters::default(),
                senders: Waiters::default(),
                alarm: None,
                ends: None,
            }),
            posting: sync::Mutex::new(()),
        });
        connection.arm(&mut connection.lock());
        connection
    }

    /// The id, which is a secret of the client and the server.
    pub(super) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// What the client came with.
    pub(super) fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// Begins to tell `listener`. False if the client has ended meanwhile.
    pub(super) fn start(&self, listener: Arc<dyn Listener>) -> bool {
        let mut state = self.lock();
        let may = !state.machine.is_closed();
        if may {
            state.listener = Some(listener);
        }
        may
    }

    /// Whether what is sent now leaves soon.
    pub(super) fn is_writable(&self) -> bool {
        let state = self.lock();
        match &state.socket {
            Some(socket) => socket.queued() < BUSY,
            None => state.machine.has_poll(),
        }
    }

    /// What it goes over, if that is a websocket.
    pub(super) fn socket(&self) -> Option<websocket::Sender> {
        self.lock().socket.clone()
    }

    /// Sends a packet.
    pub(super) fn send(&self, packet: &Encoded, patience: Patience) -> Result<(), Closed> {
        loop {
            let mut state = self.lock();
            if state.machine.is_closed() {
                return Err(Closed);
            }
            if let Some(socket) = state.socket.clone() {
                drop(state);
                return send_over(&socket, packet.frames(), patience);
            }
            if state.machine.queued() < self.commons.max_queued {
                state.machine.queue(packet.text().clone());
                state.polls.wake();
                return Ok(());
            }
            if patience == Patience::Never {
                drop(state);
                self.close(CloseReason::TransportError);
                return Err(Closed);
            }
            let room = state.senders.join();
            drop(state);
            room.wait();
        }
    }

    /// Ends the client.
    pub(super) fn close(&self, reason: CloseReason) {
        let mut state = self.lock();
        if state.machine.close(reason, Instant::now()) {
            self.finish(state, reason);
        }
    }

    /// Ends the client from another thread, for those from whom nobody may be told.
    pub(super) fn close_soon(&self, reason: CloseReason) {
        let mut state = self.lock();
        state.ends.get_or_insert(reason);
        self.arm_at(&mut state, Instant::now());
    }

    /// Tells all who have to know that the client has ended just now.
    fn finish(&self, mut state: MutexGuard<'_, State>, reason: CloseReason) {
        let (listener, socket) = (state.listener.take(), state.socket.take());
        state.polls.wake();
        state.senders.wake();
        self.settle(state);
        if let Some(socket) = socket {
            // One that is not told comes back. An error means that it is closed already.
            if reason == CloseReason::ForcedClose {
                websocket::broadcast([&socket], &self.commons.farewell);
            }
            let _ = socket.close(websocket::code::NORMAL, "");
        }
        if let Some(listener) = listener {
            listener.closed(reason);
        }
    }

    /// Forgets the client if nobody will ask for it, else looks at the time when it next matters.
    fn settle(&self, mut state: MutexGuard<'_, State>) {
        let is_forgotten = state.machine.is_forgotten();
        self.arm(&mut state);
        drop(state);
        if is_forgotten {
            self.commons.registry.forget(&self.id);
        }
    }

    /// A poll has come.
    pub(super) fn poll(self: &Arc<Self>, peer: Option<Peer>) -> Result<Poll, NoSuchSession> {
        let mut state = self.lock();
        let number = state.machine.begin_poll(Instant::now())?;
        state.peer = peer;
        // One that waits is answered that another has come.
        state.polls.wake();
        self.arm(&mut state);
        drop(state);
        Ok(Poll {
            connection: self.clone(),
            number,
        })
    }

    /// Whether it goes over requests.
    pub(super) fn is_polled(&self) -> bool {
        let state = self.lock();
        state.listener.is_some() && state.socket.is_none()
    }

    /// Waits until no other request sends, for as long as the result lives.
    pub(super) fn turn_to_send(&self) -> sync::MutexGuard<'_, ()> {
        self.posting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes over a websocket from now on.
    pub(super) fn begin_websocket(&self, socket: websocket::Sender) -> Result<(), NoSuchSession> {
        let mut state = self.lock();
        state.machine.begin_websocket(Instant::now())?;
        state.socket = Some(socket);
        self.arm(&mut state);
        Ok(())
    }

    /// The text of a packet has come.
    pub(super) fn receive(&self, packet: &str) {
        let mut state = self.lock();
        state.machine.hear(Instant::now());
        self.arm(&mut state);
        let listener = state.listener.clone();
        drop(state);
        // None is left once the client has ended.
        if let Some(listener) = listener {
            listener.packet(packet);
        }
    }

    /// Has the keeper look at the time when it next matters.
    fn arm(&self, state: &mut State) {
        if let Some(at) = state.machine.next_look() {
            self.arm_at(state, at);
        }
    }

    fn arm_at(&self, state: &mut State, at: Instant) {
        let me = self.me.clone();
        self.commons.keeper.set_by(&mut state.alarm, at, me);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sleeper for Connection {
    fn wake(self: Arc<Self>, now: Instant) {
        let mut state = self.lock();
        state.alarm = None;
        if let Some(reason) = state.ends.take() {
            drop(state);
            return self.close(reason);
        }
        let tick = state.machine.tick(now);
        if tick.beat
            && let Some(socket) = &state.socket
        {
            websocket::broadcast([socket], &self.commons.heartbeat);
        }
        if tick.wake_poll {
            state.polls.wake();
        }
        match tick.lost {
            true => self.finish(state, CloseReason::PingTimeout),
            false => self.settle(state),
        }
    }
}

/// A request that receives. Dropped before it is answered, it was lost, and what waits is kept.
#[derive(Debug)]
pub(super) struct Poll {
    connection: Arc<Connection>,
    number: u64,
}

impl Poll {
    /// Whether it is the first of its client.
    pub(super) fn is_first(&self) -> bool {
        self.number == 1
    }

    /// Waits for the body of the answer. `None` if the client has hung up.
    pub(super) fn answer(self) -> Option<String> {
        loop {
            let mut state = self.connection.lock();
            if state.machine.poll() == Some(self.number)
                && state.peer.as_ref().is_some_and(Peer::has_hung_up)
            {
                return None;
            }
            if let Some(body) = state.machine.take(self.number, Instant::now()) {
                state.senders.wake();
                self.connection.settle(state);
                return Some(body);
            }
            let event = state.polls.join();
            drop(state);
            event.wait();
        }
    }
}

impl Drop for Poll {
    /// Does nothing after an answer, nor if another poll has come.
    fn drop(&mut self) {
        let mut state = self.connection.lock();
        state.machine.lose_poll(self.number, Instant::now());
        self.connection.settle(state);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("machine", &self.lock().machine)
            .finish_non_exhaustive()
    }
}
