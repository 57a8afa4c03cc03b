//! All sessions of a service, and the keeper: the one thread that looks at the time for all of them.

use super::polled::Polled;
use super::protocol::frame::Frame;
use super::protocol::mailbox::Limits;
use greenwire_runtime::thread;
use greenwire_websocket::{self as websocket, Prepared};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    sessions: Arc<AtomicUsize>,
    /// Never locked across a wait.
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// Sessions over HTTP, by the names that clients gave them.
    polled: HashMap<Box<str>, Named>,
    /// Websockets with SockJS's frames; two of them may share a name.
    framed: HashMap<u64, Framed>,
    last_framed: u64,
    /// Whether there is a keeper.
    kept: bool,
}

struct Named {
    session: Arc<Polled>,
    /// Given back when the session is forgotten, if its handler has ended.
    _place: Arc<Place>,
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
    /// Made just now: its handler has to be started, and to keep the place.
    New(Arc<Polled>, Arc<Place>),
}

impl Registry {
    pub(crate) fn new(limits: Limits, max_sessions: usize) -> Arc<Registry> {
        Arc::new(Registry {
            limits,
            max_sessions,
            sessions: Arc::default(),
            table: Mutex::default(),
        })
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// A place for another session.
    pub(crate) fn take_place(&self) -> Result<Place, Overloaded> {
        let place = Place(self.sessions.clone());
        match self.sessions.fetch_add(1, Ordering::Relaxed) < self.max_sessions {
            true => Ok(place),
            false => Err(Overloaded),
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Polled>> {
        self.lock()
            .polled
            .get(id)
            .map(|named| named.session.clone())
    }

    /// The session of this name, or a new one.
    pub(crate) fn find_or_open(
        self: &Arc<Self>,
        id: &str,
        ip: Option<IpAddr>,
    ) -> Result<Found, Overloaded> {
        let mut table = self.lock();
        if let Some(named) = table.polled.get(id)
            && !named.session.is_expired()
        {
            return Ok(Found::Old(named.session.clone()));
        }
        let place = Arc::new(self.take_place()?);
        let session = Polled::new(self.limits, ip);
        let named = Named {
            session: session.clone(),
            _place: place.clone(),
        };
        table.polled.insert(id.into(), named);
        self.have_keeper(table);
        Ok(Found::New(session, place))
    }

    /// Forgets a session, if the name is still its own.
    pub(crate) fn forget(&self, id: &str, session: &Arc<Polled>) {
        let mut table = self.lock();
        if table
            .polled
            .get(id)
            .is_some_and(|named| Arc::ptr_eq(&named.session, session))
        {
            table.polled.remove(id);
        }
    }

    /// Has heartbeats sent to a websocket, for as long as the result lives.
    pub(crate) fn have_heartbeats(self: &Arc<Self>, sender: websocket::Sender) -> Beating {
        let mut table = self.lock();
        table.last_framed += 1;
        let number = table.last_framed;
        let framed = Framed {
            sender,
            next_heartbeat: Instant::now() + self.limits.heartbeat,
        };
        table.framed.insert(number, framed);
        self.have_keeper(table);
        Beating {
            registry: self.clone(),
            number,
        }
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
        for look in (1..=LOOKS).cycle() {
            thread::sleep(interval.max(Duration::from_millis(1)));
            self.look_at_polled(look == LOOKS);
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
                .map(|(id, named)| (id.clone(), named.session.clone()))
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

/// A place among the sessions: kept while a session has its name, and while its handler runs.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A websocket that is sent heartbeats.
pub(crate) struct Beating {
    registry: Arc<Registry>,
    number: u64,
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.registry.lock().framed.remove(&self.number);
    }
}
