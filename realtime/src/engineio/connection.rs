//! A session, shared by its requests, whoever sends, and the keeper: a [`Machine`], and those who wait for it.

use super::keeper::{Alarm, Sleeper};
use super::protocol::machine::{Machine, NoSuchSession};
use super::protocol::packet::{Malformed, Packet};
use super::registry::{Commons, Place};
use super::{CloseReason, Closed, Message, Prepared, Transport};
use crate::waiters::Waiters;
use greenwire_http::Peer;
use greenwire_websocket as websocket;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// What is volatile is dropped while this many bytes wait for a websocket.
pub(crate) const BUSY: usize = 16 << 10;

/// Who is told what a client sends. Calls never overlap, except that `closed` may come at any time.
pub(crate) trait Listener: Send + Sync {
    /// A message has come. May wait, which holds up the client.
    fn message(&self, message: Message) -> Result<(), Malformed>;

    /// The session has ended, for this reason. Never waits.
    fn closed(&self, reason: CloseReason);
}

/// Whether who sends may be made to wait by a slow client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Waits,
    /// The client is parted with.
    Never,
}

/// One session.
pub(crate) struct Connection {
    id: Arc<str>,
    commons: Arc<Commons>,
    me: Weak<Connection>,
    _place: Place,
    /// Never locked across a wait, and std's: who broadcasts must not park.
    state: Mutex<State>,
}

struct State {
    machine: Machine,
    listener: Option<Arc<dyn Listener>>,
    /// What the session goes over, once it does.
    socket: Option<websocket::Sender>,
    /// What it may go over soon.
    probe: Option<websocket::Sender>,
    /// The other end of the poll that waits.
    peer: Option<Peer>,
    polls: Waiters,
    /// Those who wait for room.
    senders: Waiters,
    alarm: Option<Alarm>,
}

impl Connection {
    /// A session that begins over `socket`, or over requests.
    pub(crate) fn new(
        id: Arc<str>,
        socket: Option<websocket::Sender>,
        commons: &Arc<Commons>,
        place: Place,
    ) -> Arc<Connection> {
        let machine = Machine::new(commons.times, socket.is_none(), Instant::now());
        Arc::new_cyclic(|me| Connection {
            id,
            commons: commons.clone(),
            me: me.clone(),
            _place: place,
            state: Mutex::new(State {
                machine,
                listener: None,
                socket,
                probe: None,
                peer: None,
                polls: Waiters::default(),
                senders: Waiters::default(),
                alarm: None,
            }),
        })
    }

    /// The id, which is a secret of the client and the server.
    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Begins to tell `listener`, and to look at the time.
    pub(crate) fn start(&self, listener: Arc<dyn Listener>) {
        let mut state = self.lock();
        state.listener = Some(listener);
        self.arm(&mut state);
        // Whoever was shown the session may have closed it already.
        self.settle(state);
    }

    pub(crate) fn transport(&self) -> Transport {
        match self.lock().machine.is_websocket() {
            true => Transport::Websocket,
            false => Transport::Polling,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().machine.is_closed()
    }

    pub(crate) fn close_reason(&self) -> Option<CloseReason> {
        self.lock().machine.close_reason()
    }

    /// Whether what is sent now leaves soon.
    pub(crate) fn is_writable(&self) -> bool {
        let state = self.lock();
        match &state.socket {
            Some(socket) => socket.queued() < BUSY,
            None => state.machine.has_poll(),
        }
    }

    /// What the session goes over, if that is a websocket.
    pub(crate) fn socket(&self) -> Option<websocket::Sender> {
        self.lock().socket.clone()
    }

    /// Sends a message.
    pub(crate) fn send(&self, message: &Prepared, patience: Patience) -> Result<(), Closed> {
        loop {
            let mut state = self.lock();
            if state.machine.is_closed() {
                return Err(Closed);
            }
            if let Some(socket) = state.socket.clone() {
                drop(state);
                return send_over(&socket, message.as_frames(), patience);
            }
            if state.machine.queued() < self.commons.max_queued {
                state.machine.queue(message.clone());
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

    /// Ends the session.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = self.lock();
        if state.machine.close(reason, Instant::now()) {
            self.finish(state, reason);
        }
    }

    /// If the session has ended without anybody being told, tells them now.
    fn settle(&self, state: MutexGuard<'_, State>) {
        if let Some(reason) = state.machine.close_reason()
            && state.listener.is_some()
        {
            self.finish(state, reason);
        }
    }

    /// Tells all who have to know that the session has ended just now.
    fn finish(&self, mut state: MutexGuard<'_, State>, reason: CloseReason) {
        let (listener, socket) = (state.listener.take(), state.socket.take());
        let probe = state.probe.take();
        state.polls.wake();
        state.senders.wake();
        self.arm(&mut state);
        drop(state);
        for socket in socket.into_iter().chain(probe) {
            // An error means that it is closed already.
            let _ = socket.close(close_code(reason), "");
        }
        if let Some(listener) = listener {
            listener.closed(reason);
        }
    }

    /// A request has come that receives.
    pub(crate) fn poll(self: &Arc<Self>, peer: Option<Peer>) -> Result<Poll, NoSuchSession> {
        self.part_with_lost_poll();
        let mut state = self.lock();
        let Ok(number) = state.machine.begin_poll(Instant::now()) else {
            self.settle(state);
            return Err(NoSuchSession);
        };
        state.peer = peer;
        self.arm(&mut state);
        Ok(Poll {
            connection: self.clone(),
            number,
        })
    }

    /// Ends the session if the client of its poll has hung up.
    fn part_with_lost_poll(&self) {
        let mut state = self.lock();
        if let Some(number) = state.machine.poll()
            && state.peer.as_ref().is_some_and(Peer::has_hung_up)
            && state.machine.lose_poll(number, Instant::now())
        {
            self.finish(state, CloseReason::TransportError);
        }
    }

    /// A request has come that sends.
    pub(crate) fn post(self: &Arc<Self>) -> Result<Post, NoSuchSession> {
        let mut state = self.lock();
        let begun = state.machine.begin_post(Instant::now());
        self.settle(state);
        begun.map(|()| Post(self.clone()))
    }

    /// A packet has come. An error ends the session.
    pub(crate) fn receive(&self, packet: Packet) -> Result<(), Malformed> {
        match packet {
            Packet::Close => self.close(CloseReason::ClientClosed),
            Packet::Ping(_) => return Err(Malformed),
            Packet::Pong => {
                let mut state = self.lock();
                state.machine.pong(Instant::now());
                // The next ping is due before the answer was, if the interval is the shorter time.
                self.arm(&mut state);
            }
            Packet::Message(message) => {
                let listener = self.lock().listener.clone();
                // None is left once the session is closed.
                return listener.map_or(Ok(()), |listener| listener.message(message));
            }
            Packet::Upgrade | Packet::Noop => {}
        }
        Ok(())
    }

    /// A websocket is tried by a client that polls.
    pub(crate) fn begin_probe(&self, socket: websocket::Sender) -> bool {
        let mut state = self.lock();
        let may = state.machine.begin_probe(Instant::now());
        if may {
            state.probe = Some(socket);
            self.arm(&mut state);
        }
        self.settle(state);
        may
    }

    /// The websocket answers.
    pub(crate) fn probe_answers(&self) {
        let mut state = self.lock();
        state.machine.probe_answers(Instant::now());
        state.polls.wake();
        self.arm(&mut state);
    }

    /// The websocket came to nothing.
    pub(crate) fn end_probe(&self) {
        let mut state = self.lock();
        state.machine.end_probe();
        state.probe = None;
    }

    /// From now on all goes over the websocket that was tried. False if it may not.
    pub(crate) fn upgrade(&self) -> bool {
        let mut state = self.lock();
        let Some(messages) = state.machine.upgrade(Instant::now()) else {
            return false;
        };
        let socket = state.probe.take();
        // What waits goes first, whoever sends now: that is why the lock is held. It fits, and nothing waits.
        for message in &messages {
            websocket::broadcast(&socket, message.as_frames());
        }
        state.socket = socket;
        state.polls.wake();
        state.senders.wake();
        self.arm(&mut state);
        true
    }

    /// Has the keeper look at the time when it next matters.
    fn arm(&self, state: &mut State) {
        let at = match state.machine.is_closed() {
            true => Instant::now(),
            false => state.machine.next_look(),
        };
        self.arm_at(state, at);
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
        let tick = state.machine.tick(now);
        if tick.ping
            && let Some(socket) = &state.socket
        {
            websocket::broadcast([socket], &self.commons.ping);
        }
        if tick.wake_poll {
            state.polls.wake();
        }
        if tick.probe_expired
            && let Some(probe) = state.probe.take()
        {
            let _ = probe.close(websocket::code::NORMAL, "");
        }
        if let Some(next) = tick.next {
            self.arm_at(&mut state, next);
        }
        if tick.lost {
            self.finish(state, CloseReason::PingTimeout);
        } else if tick.forgotten {
            drop(state);
            self.commons.registry.forget(&self.id);
        }
    }
}

/// Sends over a websocket, which is ended if its client is too slow.
pub(crate) fn send_over(
    socket: &websocket::Sender,
    frames: &websocket::Prepared,
    patience: Patience,
) -> Result<(), Closed> {
    let sent = match patience {
        Patience::Waits => socket.send(frames).is_ok(),
        Patience::Never => websocket::broadcast([socket], frames) == 1,
    };
    if sent {
        return Ok(());
    }
    part_with(socket);
    Err(Closed)
}

/// Ends the websocket of a client that is too slow; its reader ends the session.
fn part_with(socket: &websocket::Sender) {
    // An error means that it is closed already.
    let _ = socket.close(websocket::code::TRY_AGAIN_LATER, "too slow");
}

fn close_code(reason: CloseReason) -> u16 {
    match reason {
        CloseReason::ParseError => websocket::code::PROTOCOL_ERROR,
        CloseReason::ServerShutdown => websocket::code::GOING_AWAY,
        _ => websocket::code::NORMAL,
    }
}

/// A request that receives. Dropped before it is answered, it was lost with whatever it would have got, and the
/// session ends.
#[derive(Debug)]
pub(crate) struct Poll {
    connection: Arc<Connection>,
    number: u64,
}

impl Poll {
    /// Waits for the body of the answer. `None` if the client has hung up.
    pub(crate) fn answer(self) -> Option<String> {
        loop {
            let mut state = self.connection.lock();
            if state.machine.poll() == Some(self.number)
                && state.peer.as_ref().is_some_and(Peer::has_hung_up)
            {
                return None;
            }
            if let Some(body) = state.machine.take(self.number, Instant::now()) {
                state.senders.wake();
                if state.machine.is_closed() {
                    self.connection.arm(&mut state);
                }
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
        if state.machine.lose_poll(self.number, Instant::now()) {
            self.connection.finish(state, CloseReason::TransportError);
        }
    }
}

/// A request that sends, for as long as it is read.
#[derive(Debug)]
pub(crate) struct Post(Arc<Connection>);

impl Post {
    pub(crate) fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.0.lock().machine.end_post();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Connection")
            .field("websocket", &state.machine.is_websocket())
            .field("closed", &state.machine.close_reason())
            .finish_non_exhaustive()
    }
}
