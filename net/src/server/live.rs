//! The connections of one listener: how many there may be, which are idle, and how they end.

use super::listener::Shut;
use greenwire_runtime::thread::{self, Thread};
use slab::Slab;
use std::fmt;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Shared by the acceptor of a listener, its connections, and whoever stops them.
pub(super) struct Live {
    state: Mutex<State>,
    /// The acceptor must end. Read within its attempts, hence not in `state`.
    closing: AtomicBool,
    /// Connections should end, each where its protocol permits.
    stopping: AtomicBool,
    /// Connections are cancelled, those too that only begin.
    cutting: AtomicBool,
    /// Makes the acceptor's wait for a connection end.
    alarm: Box<dyn Fn() + Send + Sync>,
}

struct State {
    connections: Slab<Arc<Connection>>,
    limit: usize,
    accepting: bool,
    /// The acceptor, if it waits for a connection to end.
    acceptor: Option<Thread>,
    /// Rings when it is dropped: an acceptor on an OS thread waits for its other end, too.
    bell: Option<UnixStream>,
    /// Those who wait for all to end.
    watchers: Vec<Thread>,
}

/// What a server knows of a connection. Without it while an acceptor still waits for one.
#[derive(Default)]
struct Connection {
    stream: OnceLock<Weak<dyn Shut>>,
    thread: OnceLock<Thread>,
    idle: AtomicBool,
}

impl Live {
    pub(super) fn new(alarm: impl Fn() + Send + Sync + 'static) -> Arc<Live> {
        Arc::new(Live {
            state: Mutex::new(State {
                connections: Slab::new(),
                limit: usize::MAX,
                accepting: false,
                acceptor: None,
                bell: None,
                watchers: Vec::new(),
            }),
            closing: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            cutting: AtomicBool::new(false),
            alarm: Box::new(alarm),
        })
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.lock().limit = limit;
    }

    pub(super) fn count(&self) -> usize {
        let connections = &self.lock().connections;
        connections.iter().filter(|(_, it)| it.is_open()).count()
    }

    /// Whether the acceptor has to end.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    #[inline]
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The acceptor begins, and ends when the guard is dropped. The `bell` rings for it.
    pub(super) fn begin(self: &Arc<Live>, bell: Option<UnixStream>) -> Accepting {
        let mut state = self.lock();
        state.accepting = true;
        // Not if it has rung already.
        state.bell = bell.filter(|_| !self.is_closing());
        Accepting(self.clone())
    }

    /// A free place, for which this parks; `None` once the acceptor has to end.
    pub(super) fn take_slot(self: &Arc<Live>) -> Option<Slot> {
        let mut warned = false;
        loop {
            let mut state = self.lock();
            if self.is_closing() {
                return None;
            }
            if state.connections.len() < state.limit {
                let connection = Arc::new(Connection::default());
                let key = state.connections.insert(connection.clone());
                return Some(Slot {
                    live: self.clone(),
                    connection,
                    key,
                });
            }
            let limit = state.limit;
            state.acceptor = Some(thread::current());
            drop(state);
            if !warned {
                log::warn!("{limit} connections are open: waiting for one to end");
                warned = true;
            }
            thread::park();
        }
    }

    /// Parks until a connection has ended, the acceptor has to, or for `limit`.
    pub(super) fn pause(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        self.lock().acceptor = Some(thread::current());
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_closing() || self.lock().acceptor.is_none() {
                self.lock().acceptor = None;
                return;
            }
            thread::park_timeout(left);
        }
    }

    /// Makes the acceptor end.
    pub(super) fn stop_accepting(&self) {
        self.closing.store(true, Ordering::SeqCst);
        let mut state = self.lock();
        state.bell = None;
        let acceptor = state.acceptor.take();
        drop(state);
        if let Some(acceptor) = acceptor {
            acceptor.unpark();
        }
        (self.alarm)();
    }

    /// Makes the acceptor end, and the connections that are idle; others learn it when they ask.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.stop_accepting();
        for connection in self.connections() {
            if connection.idle.load(Ordering::SeqCst) {
                connection.shut(Shutdown::Read);
            }
        }
    }

    /// Parks until there is neither an acceptor nor a connection, but that of the caller; or until
    /// `deadline`.
    pub(super) fn wait_for_end(&self, deadline: Option<Instant>) {
        let this = thread::current();
        let own = self
            .connections()
            .iter()
            .filter(|it| it.is_of(&this))
            .count();
        loop {
            let mut state = self.lock();
            if !state.accepting && state.connections.len() <= own {
                return;
            }
            state.watchers.push(this.clone());
            drop(state);
            match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => return,
                Some(left) => thread::park_timeout(left),
            }
        }
    }

    /// Cancels the connections that are left, but that of the caller, and shuts down their streams;
    /// how many these were.
    pub(super) fn cut_short(&self) -> usize {
        self.cutting.store(true, Ordering::SeqCst);
        let this = thread::current();
        let mut rest = self.connections();
        rest.retain(|connection| connection.is_open() && !connection.is_of(&this));
        for connection in &rest {
            connection.cut_short();
        }
        rest.len()
    }

    fn connections(&self) -> Vec<Arc<Connection>> {
        let state = self.lock();
        state.connections.iter().map(|(_, it)| it.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Something has ended: whoever waits for that looks again.
    fn tell(&mut self) -> impl Iterator<Item = Thread> + use<> {
        std::mem::take(&mut self.watchers)
            .into_iter()
            .chain(self.acceptor.take())
    }
}

impl Connection {
    fn shut(&self, how: Shutdown) {
        if let Some(stream) = self.stream.get().and_then(Weak::upgrade) {
            stream.shut(how);
        }
    }

    /// Whether the acceptor does not wait for it any more.
    fn is_open(&self) -> bool {
        self.stream.get().is_some()
    }

    fn cut_short(&self) {
        if let Some(thread) = self.thread.get() {
            // Unsupported on OS threads, which meet the end of the stream.
            let _ = thread.cancel();
        }
        self.shut(Shutdown::Both);
    }

    fn is_of(&self, thread: &Thread) -> bool {
        self.thread.get().is_some_and(|own| own.id() == thread.id())
    }
}

/// While it lives there is an acceptor.
pub(super) struct Accepting(Arc<Live>);

impl Drop for Accepting {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.accepting = false;
        let told = state.tell();
        drop(state);
        told.for_each(|thread| thread.unpark());
    }
}

/// The place of a connection in its server, free again when it is dropped.
pub struct Slot {
    live: Arc<Live>,
    connection: Arc<Connection>,
    key: usize,
}

impl Slot {
    /// Whether the server wants its connections to end: this one should, after what it is doing now.
    #[inline]
    pub fn is_stopping(&self) -> bool {
        self.live.is_stopping()
    }

    /// Calls `wait`, which waits for the peer to begin something, such as the next request. When the
    /// server stops meanwhile, or has stopped, the stream is shut down for reading, so `wait` finds
    /// its end.
    #[inline]
    pub fn while_idle<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.connection.idle.store(true, Ordering::SeqCst);
        // Either this sees that the server stops, or the server sees that this is idle.
        if self.is_stopping() {
            self.connection.shut(Shutdown::Read);
        }
        let result = wait();
        // A server that stops just now may still see it idle, as if it had done so a moment ago.
        self.connection.idle.store(false, Ordering::Release);
        result
    }

    pub(super) fn occupy(&self, stream: Weak<dyn Shut>) {
        let _ = self.connection.stream.set(stream);
    }

    /// What remembers the thread of the connection.
    pub(super) fn thread_keeper(&self) -> impl FnOnce(Thread) + use<> {
        let (live, connection) = (self.live.clone(), self.connection.clone());
        move |thread| {
            let _ = connection.thread.set(thread);
            // Either this sees that all are cut short, or who does that sees the thread.
            if live.cutting.load(Ordering::SeqCst) {
                connection.cut_short();
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.live.lock();
        state.connections.remove(self.key);
        let told = state.tell();
        drop(state);
        told.for_each(|thread| thread.unpark());
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("is_stopping", &self.is_stopping())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("connections", &self.count())
            .field("is_stopping", &self.is_stopping())
            .finish_non_exhaustive()
    }
}
