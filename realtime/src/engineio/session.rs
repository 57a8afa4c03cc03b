//! What a handler has in its hands: a session, read and written like a blocking stream of messages.

use super::connection::{Connection, Listener, Patience};
use super::protocol::packet::Malformed;
use super::{CloseReason, Closed, Message, Prepared, Transport};
use crate::waiters::Waiters;
use greenwire_http::Request;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A conversation with one client, whatever transport it goes over at the moment.
pub struct Session {
    request: Request,
    inbox: Arc<Inbox>,
    sender: Sender,
}

impl Session {
    pub(super) fn new(connection: Arc<Connection>, inbox: Arc<Inbox>, request: Request) -> Session {
        Session {
            request,
            inbox,
            sender: Sender(connection),
        }
    }

    /// Has the conversation, and closes the session whatever comes of it.
    pub(super) fn serve(self, handler: impl FnOnce(Session) -> Result<(), Closed>) {
        let _ends = Ends(self.sender());
        // An error only says that the session is closed.
        let _ = handler(self);
    }

    /// The request that opened the session, without a body.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Another sender for the same session, for other threads.
    #[must_use]
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// Waits for the next message; `None` when the session has ended.
    ///
    /// # Cancellation
    /// May park here. No message is lost.
    pub fn receive(&mut self) -> Option<Message> {
        self.inbox.take()
    }

    /// Why the session has ended, if it has.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.sender.0.close_reason()
    }

    /// See [`Sender::send`].
    ///
    /// # Errors
    /// As there.
    pub fn send(&self, message: impl Into<Prepared>) -> Result<(), Closed> {
        self.sender.send(message)
    }

    /// See [`Sender::close`].
    pub fn close(&self) {
        self.sender.close();
    }
}

/// Ends the session, also when its handler panics.
struct Ends(Sender);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("connection", &self.sender.0)
            .finish_non_exhaustive()
    }
}

/// The sending half of a session. Clone it freely.
#[derive(Clone, Debug)]
pub struct Sender(Arc<Connection>);

impl Sender {
    /// Sends a message, or several that stay together. To a client that polls it goes when that asks for it.
    ///
    /// Waits while [`Config::max_queued`](super::Config::max_queued) bytes wait for a slow client.
    ///
    /// # Errors
    /// [`Closed`] when the session has ended. No error does not mean that the client has it.
    pub fn send(&self, message: impl Into<Prepared>) -> Result<(), Closed> {
        self.0.send(&message.into(), Patience::Waits)
    }

    /// Ends the session. What was sent before still reaches the client.
    pub fn close(&self) {
        self.0.close(CloseReason::ForcedClose);
    }

    /// Whether the session has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// What the session goes over now.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.0.transport()
    }
}

/// What has come for the handler.
#[derive(Debug)]
pub(super) struct Inbox {
    max_queued: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Message>,
    bytes: usize,
    closed: bool,
    readers: Waiters,
    writers: Waiters,
}

impl Inbox {
    pub(super) fn new(max_queued: usize) -> Arc<Inbox> {
        Arc::new(Inbox {
            max_queued,
            state: Mutex::default(),
        })
    }

    fn take(&self) -> Option<Message> {
        loop {
            let mut state = self.lock();
            if let Some(message) = state.messages.pop_front() {
                state.bytes -= message.cost();
                state.writers.wake();
                return Some(message);
            }
            if state.closed {
                return None;
            }
            let event = state.readers.join();
            drop(state);
            event.wait();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Inbox {
    fn message(&self, message: Message) -> Result<(), Malformed> {
        loop {
            let mut state = self.lock();
            if state.bytes < self.max_queued || state.closed {
                state.bytes += message.cost();
                state.messages.push_back(message);
                state.readers.wake();
                return Ok(());
            }
            let event = state.writers.join();
            drop(state);
            event.wait();
        }
    }

    fn closed(&self, _: CloseReason) {
        let mut state = self.lock();
        state.closed = true;
        state.readers.wake();
        state.writers.wake();
    }
}
