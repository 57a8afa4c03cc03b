//! All sessions of a service, and the keeper: the one thread that looks at the time for all of them.

use super::polled::Polled;
use super::protocol::frame::Frame;
use super::protocol::mailbox::Limits;
use greenwire_runtime::thread;
use greenwire_websocket::{self as websocket, Prepared};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often the keeper looks within a disconnect delay.
const LOOKS: u32 = 5;
/// After how many sessions the keeper gives way to others.
const STRIDE: usize = 256;

/// The sessions of a service.
pub(crate) struct Registry {
    limits: Limits,
    max_sessions: usize,
    /// Never locked across a wait.
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// Sessions over HTTP, by the names that clients gave them.
    polled: HashMap<Box<str>, Arc<Polled>>,
    /// Websockets with SockJS's frames; two of them may share a name.
    framed: HashMap<u64, Framed>,
    /// How many websockets there are, those without frames included.
    sockets: usize,
    last_socket: u64,
    /// Whether there is a keeper.
    kept: bool,
}

struct Framed {
    sender: websocket::Sender,
    next_heartbeat: Instant,
}

/// There is no place for another session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// A session by its name.
pub(crate) enum Found {
    Old(Arc<Polled>),
    /// Made just now: its handler has to be started.
    New(Arc<Polled>),
}

impl Registry {
    pub(crate) fn new(limits: Limits, max_sessions: usize) -> Arc<Registry> {
        Arc::new(Registry {
            limits,
            max_sessions,
            table: Mutex::default(),
        })
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Polled>> {
        self.lock().polled.get(id).cloned()
    }

    /// The session of this name, or a new one.
    pub(crate) fn find_or_open(
        self: &Arc<Self>,
        id: &str,
        ip: Option<IpAddr>,
    ) -> Result<Found, Overloaded> {
        let mut table = self.lock();
        if let Some(session) = table.polled.get(id) {
            return Ok(Found::Old(session.clone()));
        }
        if table.len() >= self.max_sessions {
            return Err(Overloaded);
        }
        let session = Polled::new(self.limits, ip);
        table.polled.insert(id.into(), session.clone());
        self.have_keeper(table);
        Ok(Found::New(session))
    }

    /// Forgets a session, if the name is still its own.
    pub(crate) fn forget(&self, id: &str, session: &Arc<Polled>) {
        let mut table = self.lock();
        if table
            .polled
            .get(id)
            .is_some_and(|found| Arc::ptr_eq(found, session))
        {
            table.polled.remove(id);
        }
    }

    /// Counts a websocket for as long as the result lives.
    pub(crate) fn count_socket(self: &Arc<Self>) -> Result<Counted, Overloaded> {
        let mut table = self.lock();
        if table.len() >= self.max_sessions {
            return Err(Overloaded);
        }
        table.sockets += 1;
        Ok(Counted {
            registry: self.clone(),
            framed: None,
        })
    }

    /// Has a keeper as long as there are sessions.
    fn have_keeper(self: &Arc<Self>, mut table: MutexGuard<'_, Table>) {
        if table.kept {
            return;
        }
        table.kept = true;
        drop(table);
        let registry = self.clone();
        let keeper = thread::Builder::new().name("sockjs keeper".to_owned());
        if let Err(error) = keeper.spawn(move || registry.keep()) {
            // The next session tries again.
            log::error!("sockjs: no thread to watch over the sessions: {error}");
            self.lock().kept = false;
        }
    }

    fn keep(self: Arc<Self>) {
        let interval = self.limits.disconnect_delay.min(self.limits.heartbeat) / LOOKS;
        for look in 1_u32.. {
            thread::sleep(interval.max(Duration::from_millis(1)));
            self.look_at_polled(look.is_multiple_of(LOOKS));
            self.beat();
            let mut table = self.lock();
            if table.polled.is_empty() && table.framed.is_empty() {
                table.kept = false;
                return;
            }
        }
    }

    /// Has sessions over HTTP expire, and their receivers beat.
    fn look_at_polled(&self, look_for_lost: bool) {
        let sessions: Vec<_> = {
            let table = self.lock();
            let sessions = table.polled.iter();
            sessions
                .map(|(id, session)| (id.clone(), session.clone()))
                .collect()
        };
        let now = Instant::now();
        for (at, (id, session)) in sessions.iter().enumerate() {
            if look_for_lost {
                session.part_with_lost_receiver();
            }
            if session.tick(now) {
                self.forget(id, session);
            }
            if at % STRIDE == STRIDE - 1 {
                thread::yield_now();
            }
        }
    }

    /// Sends the heartbeats that are due over websockets.
    fn beat(&self) {
        let now = Instant::now();
        let due: Vec<websocket::Sender> = {
            let mut table = self.lock();
            let due = table
                .framed
                .values_mut()
                .filter(|framed| framed.next_heartbeat <= now);
            due.map(|framed| {
                framed.next_heartbeat = now + self.limits.heartbeat;
                framed.sender.clone()
            })
            .collect()
        };
        if !due.is_empty() {
            websocket::broadcast(&due, &Prepared::new(Frame::Heartbeat.encode()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn len(&self) -> usize {
        self.polled.len() + self.sockets
    }
}

/// A websocket's place among the sessions.
pub(crate) struct Counted {
    registry: Arc<Registry>,
    framed: Option<u64>,
}

impl Counted {
    /// Has heartbeats sent.
    pub(crate) fn have_heartbeats(&mut self, sender: websocket::Sender) {
        let mut table = self.registry.lock();
        table.last_socket += 1;
        let (number, next_heartbeat) = (
            table.last_socket,
            Instant::now() + self.registry.limits.heartbeat,
        );
        let framed = Framed {
            sender,
            next_heartbeat,
        };
        table.framed.insert(number, framed);
        self.framed = Some(number);
        self.registry.have_keeper(table);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut table = self.registry.lock();
        table.sockets -= 1;
        if let Some(number) = self.framed {
            table.framed.remove(&number);
        }
    }
}
