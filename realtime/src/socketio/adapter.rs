//! The seam to other servers: what a namespace tells them, and what they may ask of it.
//!
//! A namespace always knows its own clients and rooms ([`Local`]). An [`Adapter`] adds the other servers of a cluster:
//! whatever concerns clients that may be connected elsewhere is done here first, then said to the [`Peers`].

use super::{Args, Error, Local, Room};
use greenwire_runtime::sync::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Connects the servers of a cluster. Without one a server is alone.
pub trait Adapter: fmt::Debug + Send + Sync + 'static {
    /// A namespace has come into being. `local` is what others may ask of it; its methods never talk to other servers.
    /// Must not wait, nor ask the server for namespaces: whoever wants one waits for this.
    ///
    /// # Errors
    /// The namespace then stays alone, and the error is logged.
    fn attach(&self, local: Local) -> Result<Arc<dyn Peers>, Error>;
}

/// The other servers, for one namespace. Each method concerns their clients only, and may wait.
pub trait Peers: fmt::Debug + Send + Sync + 'static {
    /// How many servers there are, with this one.
    ///
    /// # Errors
    /// [`Error::Cluster`], here and below: they cannot be asked.
    fn server_count(&self) -> Result<usize, Error>;

    /// Emits an event to clients.
    ///
    /// # Errors
    /// As above.
    fn broadcast(&self, name: &str, args: &Args, to: &Targets) -> Result<(), Error>;

    /// Emits an event to clients, and collects their answers. Returns when it is on its way; each other server says
    /// how many clients it has, and passes on what they answer, until [`Answers::is_done`].
    ///
    /// # Errors
    /// As above.
    fn broadcast_with_ack(
        &self,
        name: &str,
        args: &Args,
        to: &Targets,
        answers: &Answers,
    ) -> Result<(), Error>;

    /// The clients, as their servers describe them.
    ///
    /// # Errors
    /// As above, or [`Error::Timeout`].
    fn fetch_sockets(&self, to: &Targets, limit: Duration) -> Result<Vec<SocketInfo>, Error>;

    /// Lets clients join rooms.
    ///
    /// # Errors
    /// As above.
    fn join(&self, to: &Targets, rooms: &[Room]) -> Result<(), Error>;

    /// Lets clients leave rooms.
    ///
    /// # Errors
    /// As above.
    fn leave(&self, to: &Targets, rooms: &[Room]) -> Result<(), Error>;

    /// Disconnects clients: from the namespace, or with `close` from all.
    ///
    /// # Errors
    /// As above.
    fn disconnect(&self, to: &Targets, close: bool) -> Result<(), Error>;

    /// Emits an event to the other servers themselves.
    ///
    /// # Errors
    /// As above.
    fn server_side_emit(&self, name: &str, args: &Args) -> Result<(), Error>;

    /// As [`server_side_emit`](Peers::server_side_emit), and waits for the answer of each.
    ///
    /// # Errors
    /// As above, or [`Error::Timeout`] with the answers that came.
    fn server_side_emit_with_ack(
        &self,
        name: &str,
        args: &Args,
        limit: Duration,
    ) -> Result<Vec<Args>, Error>;
}

/// Which clients something is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// Those in any of these rooms; if there are none, all of the namespace. Each client is in a room of its own, by
    /// the name of its id.
    pub rooms: Vec<Room>,
    /// But nobody in any of these.
    pub except: Vec<Room>,
    /// How it is sent.
    pub flags: Flags,
}

/// How something is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Whether it may be dropped for clients to whom something is on its way already.
    pub volatile: bool,
    /// Only to clients of this server.
    pub local: bool,
    /// How long answers are waited for.
    pub timeout: Option<Duration>,
}

/// A client as all servers can know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SocketInfo {
    /// Its id in the namespace.
    pub id: String,
    /// What it came with, as JSON; see [`Handshake`](super::Handshake).
    pub handshake: Value,
    /// The rooms that it is in.
    pub rooms: Vec<String>,
    /// What the program keeps about it; see [`Data`](super::Data).
    pub data: Value,
}

/// What the clients answer to a broadcast, while it comes in. Clones are the same.
#[derive(Clone, Default)]
pub struct Answers(Arc<Collection>);

#[derive(Default)]
struct Collection {
    state: Mutex<State>,
    complete: Event,
}

#[derive(Default)]
struct State {
    /// Servers that have not said how many clients they have.
    servers: usize,
    /// Clients that have not answered.
    clients: i64,
    answers: Vec<Args>,
}

impl Answers {
    /// From so many servers.
    #[must_use]
    pub fn of_servers(count: usize) -> Answers {
        let answers = Answers::default();
        answers.lock().servers = count;
        answers
    }

    /// A server says how many clients were asked.
    pub fn expect(&self, clients: usize) {
        let mut state = self.lock();
        state.servers = state.servers.saturating_sub(1);
        state.clients += i64::try_from(clients).unwrap_or(i64::MAX);
        self.tell(&state);
    }

    /// A client has answered.
    pub fn answer(&self, args: Args) {
        let mut state = self.lock();
        state.clients -= 1;
        state.answers.push(args);
        self.tell(&state);
    }

    /// Whether all have answered.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0.complete.is_set()
    }

    /// Waits until all have answered.
    pub(crate) fn wait(&self, limit: Duration) -> Result<Vec<Args>, Error> {
        let complete = self.0.complete.wait_timeout(limit);
        let answers = std::mem::take(&mut self.lock().answers);
        match complete {
            true => Ok(answers),
            false => Err(Error::Timeout(answers)),
        }
    }

    fn tell(&self, state: &State) {
        // Answers may overtake the number of those that are asked.
        if state.servers == 0 && state.clients <= 0 {
            self.0.complete.set();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Answers")
            .field("servers", &state.servers)
            .field("clients", &state.clients)
            .field("answers", &state.answers.len())
            .finish_non_exhaustive()
    }
}

/// What is left of a limit that began at `since`.
pub(crate) fn left_of(limit: Duration, since: Instant) -> Duration {
    limit.saturating_sub(since.elapsed())
}
