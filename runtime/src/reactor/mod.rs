//! The reactor of a worker: it learns from the kernel (mio: epoll or kqueue) which descriptors are
//! ready, and wakes who waits for them.
//!
//! A descriptor is registered once, edge-triggered, for both directions, with the worker whose green
//! thread first waits on it. The events of its other half go through that worker, too.

mod readiness;
mod source;

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use rustix::event::{PollFd, PollFlags, Timespec};
use slab::Slab;

use crate::fork;
use crate::scheduler::{Count, Ticket};
use readiness::Readiness;
pub use source::{Direction, Source, blocks_in_kernel};

/// Events taken from the kernel at a time: as many connections as fit into a CPU's own cache, with what
/// the kernel keeps of them.
const EVENTS: usize = 128;

/// Timeouts from here on are left to mio, which counts in milliseconds. Nearer ones are waited for in
/// nanoseconds, but under Miri, which has no `ppoll`.
const NEAR: Duration = Duration::from_millis(if cfg!(miri) { 0 } else { 10 });

/// The token of the bell.
const BELL: Token = Token(usize::MAX);

/// The worker's part.
pub(crate) struct Reactor {
    poll: RefCell<Poll>,
    events: RefCell<Events>,
}

/// The part that other OS threads reach.
pub(crate) struct Remote {
    registry: Registry,
    bell: mio::Waker,
    sources: Mutex<Slab<Arc<Cells>>>,
    count: AtomicUsize,
    /// How often the worker asked for events.
    polls: Count,
}

/// The two directions of a registered descriptor.
struct Cells {
    read: Readiness,
    write: Readiness,
}

impl Reactor {
    pub(crate) fn new() -> io::Result<(Reactor, Remote)> {
        let poll = Poll::new()?;
        let remote = Remote {
            registry: poll.registry().try_clone()?,
            bell: mio::Waker::new(poll.registry(), BELL)?,
            sources: Mutex::new(Slab::new()),
            count: AtomicUsize::new(0),
            polls: Count::default(),
        };
        let events = RefCell::new(Events::with_capacity(EVENTS));
        Ok((
            Reactor {
                poll: RefCell::new(poll),
                events,
            },
            remote,
        ))
    }

    /// Takes in the events that are there, without waiting.
    pub(crate) fn poll(&self, remote: &Remote, wake: impl FnMut(Ticket)) {
        if remote.count.load(Ordering::Relaxed) > 0 {
            self.take_in(remote, Some(Duration::ZERO), wake);
        }
    }

    /// Waits until there are events, or until the bell rings, or for about `nanoseconds`: never
    /// longer by more than the kernel's own slack, possibly shorter.
    pub(crate) fn block(
        &self,
        remote: &Remote,
        nanoseconds: Option<u64>,
        wake: impl FnMut(Ticket),
    ) {
        let timeout = match nanoseconds.map(Duration::from_nanos) {
            Some(near) if near < NEAR => {
                self.wait_precisely(near);
                Some(Duration::ZERO)
            }
            // The last milliseconds are waited for precisely, by the next call.
            Some(far) => Some(Duration::from_millis(
                far.as_millis().saturating_sub(1) as u64
            )),
            None => None,
        };
        self.take_in(remote, timeout, wake);
    }

    fn take_in(&self, remote: &Remote, timeout: Option<Duration>, mut wake: impl FnMut(Ticket)) {
        remote.polls.add(1);
        let mut events = self.events.borrow_mut();
        if let Err(error) = self.poll.borrow_mut().poll(&mut events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            log::error!("waiting for events failed: {error}");
        }
        let sources = remote.sources();
        for event in events.iter() {
            // The bell is in no slab. A token that was given to another source meanwhile wakes that
            // one, and a wake is only a hint.
            if let Some(cells) = sources.get(event.token().0) {
                cells.take_in(event, &mut wake);
            }
        }
    }

    /// Waits for events in nanoseconds, and leaves them for `take_in`.
    #[expect(unsafe_code, reason = "mio lends its descriptor only as a number")]
    fn wait_precisely(&self, timeout: Duration) {
        let poll = self.poll.borrow();
        // SAFETY: `poll` owns the descriptor and outlives the borrow.
        let descriptor = unsafe { BorrowedFd::borrow_raw(poll.as_raw_fd()) };
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: timeout.subsec_nanos().into(),
        };
        // An error (EINTR) is a wait that ends early, which is allowed.
        let _ = rustix::event::poll(
            &mut [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)],
            Some(&timeout),
        );
    }
}

impl Remote {
    /// Makes the worker return from `block`.
    pub(crate) fn ring(&self) {
        if let Err(error) = self.bell.wake() {
            log::error!("a worker cannot be woken: {error}");
        }
    }

    /// Whether descriptors are registered.
    pub(crate) fn has_sources(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn polls(&self) -> &Count {
        &self.polls
    }

    fn register(&self, descriptor: RawFd) -> io::Result<(usize, Arc<Cells>)> {
        fork::check()?;
        let cells = Arc::new(Cells {
            read: Readiness::new(),
            write: Readiness::new(),
        });
        let token = self.sources().insert(cells.clone());
        let both = Interest::READABLE | Interest::WRITABLE;
        // A read ends at the mark of urgent data, although there is more.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let both = both | Interest::PRIORITY;
        if let Err(error) = self
            .registry
            .register(&mut SourceFd(&descriptor), Token(token), both)
        {
            self.sources().remove(token);
            return Err(error);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok((token, cells))
    }

    fn deregister(&self, descriptor: RawFd, token: usize) {
        if fork::is_child() {
            // The registration is the parent's.
            return;
        }
        if let Err(error) = self.registry.deregister(&mut SourceFd(&descriptor)) {
            log::error!("a descriptor cannot be deregistered: {error}");
        }
        self.sources().remove(token);
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    fn sources(&self) -> MutexGuard<'_, Slab<Arc<Cells>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cells {
    fn take_in(&self, event: &Event, mut wake: impl FnMut(Ticket)) {
        let ended = event.is_read_closed() || event.is_write_closed();
        let hung = ended || event.is_error() || event.is_priority();
        if hung || event.is_readable() {
            self.read.event(hung, &mut wake);
        }
        if hung || event.is_writable() {
            self.write.event(hung, &mut wake);
        }
    }
}
