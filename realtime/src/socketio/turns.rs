//! What waits for the handlers of a client, and the green thread that takes it one by one.
//!
//! The thread lives while there is something to do, so an idle client has none; and there is never a second one, so
//! what comes in order is handled in order.

use super::{Args, Event, Reason, Socket};
use crate::waiters::Waiters;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One thing to be done.
pub(crate) enum Turn {
    Event {
        name: Arc<str>,
        args: Args,
        id: Option<u64>,
    },
    /// An answer has come, for this function.
    Answer(Box<dyn FnOnce(Args) + Send>, Args),
    /// The client is gone. It is always the last.
    End(Reason),
}

impl Turn {
    /// Roughly what it takes in memory; the end always fits.
    fn size(&self) -> usize {
        match self {
            Turn::Event { name, args, .. } => 64 + name.len() + args.size(),
            Turn::Answer(_, args) => 64 + args.size(),
            Turn::End(_) => 0,
        }
    }
}

/// The turns of one client.
#[derive(Default)]
pub(crate) struct Turns(Mutex<State>);

#[derive(Default)]
struct State {
    queue: VecDeque<Turn>,
    bytes: usize,
    /// Whether there is a thread that takes them.
    served: bool,
    ended: bool,
    room: Waiters,
}

impl Turns {
    /// Adds a turn; waits while there are too many bytes of them. Whether somebody has to serve them now. After
    /// the end nothing is added.
    pub(crate) fn push(&self, turn: Turn, max_bytes: usize) -> bool {
        let size = turn.size();
        loop {
            let mut state = self.lock();
            if state.ended {
                return false;
            }
            if size == 0 || state.bytes < max_bytes {
                state.bytes += size;
                if let Turn::End(reason) = turn {
                    state.end(reason);
                }
                state.queue.push_back(turn);
                return !std::mem::replace(&mut state.served, true);
            }
            let event = state.room.join();
            drop(state);
            event.wait();
        }
    }

    /// Somebody serves from the beginning.
    pub(crate) fn begin(&self) {
        self.lock().served = true;
    }

    /// The next turn; `None` ends the serving.
    pub(crate) fn take(&self) -> Option<Turn> {
        let mut state = self.lock();
        let turn = state.queue.pop_front();
        match &turn {
            Some(turn) => state.bytes -= turn.size(),
            None => {
                state.served = false;
                state.queue = VecDeque::new();
            }
        }
        state.room.wake();
        turn
    }

    /// Who served has been cut short. Whether there is more.
    pub(crate) fn abandon(&self) -> bool {
        let mut state = self.lock();
        state.served = !state.queue.is_empty();
        state.served
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Nothing comes after this. What came before a client left is still handled, but not what came before it was
    /// shown out.
    fn end(&mut self, reason: Reason) {
        self.ended = true;
        self.room.wake();
        if let Reason::ServerDisconnect | Reason::ServerClose = reason {
            self.queue.clear();
            self.bytes = 0;
        }
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Turns")
            .field("waiting", &state.queue.len())
            .field("served", &state.served)
            .finish_non_exhaustive()
    }
}

impl Socket {
    /// An event has come. Waits while too much waits for the handlers.
    pub(crate) fn deliver(&self, name: Arc<str>, args: Args, id: Option<u64>) {
        self.add_turn(Turn::Event { name, args, id });
    }

    /// An answer has come that is to be handled.
    pub(crate) fn deliver_answer(&self, call: Box<dyn FnOnce(Args) + Send>, args: Args) {
        self.add_turn(Turn::Answer(call, args));
    }

    pub(crate) fn add_turn(&self, turn: Turn) {
        if self.turns().push(turn, self.server().config.max_waiting) {
            self.have_served();
        }
    }

    fn have_served(&self) {
        let socket = self.clone();
        if let Err(error) = super::spawn("socket.io client", move || socket.serve()) {
            // Here it holds up a client that the system has no thread for.
            log::error!("socket.io: no thread for the handlers of a client: {error}");
            self.serve();
        }
    }

    /// Takes all turns.
    pub(crate) fn serve(&self) {
        let cut_short = CutShort(self);
        while let Some(turn) = self.turns().take() {
            match turn {
                Turn::Event { name, args, id } => self.dispatch(&Event::new(self, name, args, id)),
                Turn::Answer(call, args) => self.guarded(None, || {
                    call(args);
                    Ok(())
                }),
                Turn::End(reason) => self.finish(reason),
            }
        }
        std::mem::forget(cut_short);
    }
}

/// A client whose handlers have been cancelled is not left deaf: its connection ends.
struct CutShort<'a>(&'a Socket);

impl Drop for CutShort<'_> {
    fn drop(&mut self) {
        self.0.client().close(Reason::ServerClose);
        if self.0.turns().abandon() {
            self.0.have_served();
        }
    }
}
