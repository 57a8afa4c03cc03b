//! The one wait primitive, under every lock, channel, join, sleep and socket.
//!
//! A wake is a hint: a wait may return [`Outcome::Woken`] for no reason, so every primitive is a loop
//! that makes itself known to its wakers, checks its condition, and waits again (locks and channels share
//! the one in `sync/source.rs`):
//!
//! ```text
//!   loop {
//!       if condition holds { return it }
//!       publish Waiter::current()            // before the last check of the condition
//!       match wait(reason, deadline) {
//!           Woken => continue,
//!           TimedOut | Interrupted => { take the waiter back; give up }
//!       }
//!   }
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::fork;
use crate::insight::Reason;
use crate::interrupt::{Interrupt, Interrupts};
use crate::os_thread::Parker;
use crate::scheduler::{self, Ticket, Worker};

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Outcome {
    /// Perhaps what was waited for has happened.
    Woken,
    /// The deadline given to `wait` has passed.
    TimedOut,
    /// The caller must clean up and then call [`Interrupt::unwind`].
    Interrupted(Interrupt),
}

/// Parks the calling thread until it is woken, or until `deadline`. The reason is for
/// [`dump`](crate::dump) only.
#[inline(always)]
pub(crate) fn wait(reason: Reason, deadline: Option<Instant>) -> Outcome {
    match Worker::running() {
        Some((worker, slot)) => worker.park(slot, reason, deadline),
        None => Interrupts::with(|interrupts| park_os_thread(interrupts, reason, deadline)),
    }
}

fn park_os_thread(interrupts: &Interrupts, reason: Reason, deadline: Option<Instant>) -> Outcome {
    if let Some(interrupt) = interrupts.take(Instant::now) {
        return Outcome::Interrupted(interrupt);
    }
    fork::assert_not_child();
    Parker::current().park(reason, earlier(deadline, interrupts.deadline()));
    match deadline {
        Some(deadline) if deadline <= Instant::now() => Outcome::TimedOut,
        _ => Outcome::Woken,
    }
}

/// The earlier of two deadlines, where `None` is never.
#[inline]
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Somebody who waits: how others wake it.
#[derive(Clone, Debug)]
pub(crate) enum Waiter {
    Green(Ticket),
    Os(Arc<Parker>),
}

impl Waiter {
    /// The calling thread.
    #[inline]
    pub(crate) fn current() -> Waiter {
        match Worker::running() {
            Some((worker, slot)) => Waiter::Green(worker.ticket_of(slot)),
            None => Waiter::Os(Parker::current()),
        }
    }

    #[inline]
    pub(crate) fn wake(&self) {
        match self {
            Waiter::Green(ticket) => scheduler::wake(*ticket),
            Waiter::Os(parker) => parker.unpark(),
        }
    }
}

/// Waiters in the order in which they came.
///
/// Who is popped has been *told*. If it then gives up for another reason, it must tell the next one:
/// [`remove`](WaitList::remove) says whether that is so.
#[derive(Debug, Default)]
pub(crate) struct WaitList {
    waiters: VecDeque<(Key, Waiter)>,
    next: u64,
}

/// A place in a [`WaitList`]. Lower ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u64);

impl WaitList {
    pub(crate) const fn new() -> WaitList {
        WaitList {
            waiters: VecDeque::new(),
            next: 0,
        }
    }

    /// A place at the end, where nobody stands yet.
    pub(crate) fn reserve(&mut self) -> Key {
        self.next += 1;
        Key(self.next - 1)
    }

    /// Adds the calling thread: at the end, or at the `place` that it had before.
    pub(crate) fn push(&mut self, place: Option<Key>) -> Key {
        let Some(key) = place else {
            let key = self.reserve();
            if self.waiters.capacity() == 0 {
                // Mostly there is only one, such as the receiver of a channel.
                self.waiters.reserve_exact(1);
            }
            self.waiters.push_back((key, Waiter::current()));
            return key;
        };
        if let Err(index) = self.find(key) {
            self.waiters.insert(index, (key, Waiter::current()));
        }
        key
    }

    /// Whether the caller, who came to stand at `place`, was told. It joins if it had no place.
    pub(crate) fn told(&mut self, place: &mut Option<Key>) -> Option<()> {
        match *place {
            None => *place = Some(self.push(None)),
            Some(key) if self.find(key).is_ok() => {}
            Some(_) => return place.take().map(drop),
        }
        None
    }

    /// Takes a waiter out. Returns false if it was popped before, and so was told.
    pub(crate) fn remove(&mut self, key: Key) -> bool {
        self.pick(key).is_some()
    }

    /// Takes a certain waiter out, to tell it.
    pub(crate) fn pick(&mut self, key: Key) -> Option<Waiter> {
        let index = self.find(key).ok()?;
        self.waiters.remove(index).map(|(_, waiter)| waiter)
    }

    /// Takes the first waiter out, to tell it.
    pub(crate) fn pop(&mut self) -> Option<Waiter> {
        self.waiters.pop_front().map(|(_, waiter)| waiter)
    }

    /// Takes all waiters out, to tell them.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Waiter> + use<> {
        std::mem::take(&mut self.waiters)
            .into_iter()
            .map(|(_, waiter)| waiter)
    }

    /// The first waiter, who stays.
    pub(crate) fn first(&self) -> Option<Waiter> {
        self.waiters.front().map(|(_, waiter)| waiter.clone())
    }

    pub(crate) fn is_first(&self, key: Key) -> bool {
        self.waiters.front().is_some_and(|(first, _)| *first == key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    fn find(&self, key: Key) -> Result<usize, usize> {
        self.waiters.binary_search_by_key(&key, |(key, _)| *key)
    }
}
