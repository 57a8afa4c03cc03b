//! A point that threads pass together.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::source::{Source, charge, wait_from};
use crate::insight::{Reason, number_of};
use crate::wait::{Key, WaitList};

/// A point that a number of threads pass together, as [`std::sync::Barrier`]. It can be used again as
/// soon as it was passed.
///
/// # Differences from std
///
/// A thread that is cancelled while it waits, or whose [`timeout`](crate::time::timeout) passes, does not
/// count any longer: another one has to come in its stead.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::Barrier, thread};
/// use std::sync::Arc;
///
/// let barrier = Arc::new(Barrier::new(3));
/// let threads: Vec<_> = (0..3)
///     .map(|_| {
///         let barrier = barrier.clone();
///         thread::spawn(move || barrier.wait().is_leader())
///     })
///     .collect();
/// let leaders = threads.into_iter().map(|thread| thread.join().unwrap());
/// assert_eq!(leaders.filter(|is_leader| *is_leader).count(), 1);
/// ```
pub struct Barrier {
    size: usize,
    state: Mutex<State>,
}

struct State {
    arrived: usize,
    waiters: WaitList,
}

/// What [`Barrier::wait`] returns: whether the thread was the last to come.
///
/// Our own, since std's cannot be made outside of std.
pub struct BarrierWaitResult(bool);

impl Barrier {
    /// A barrier for `n` threads. One for 0 is as one for 1: nobody waits.
    #[must_use]
    pub const fn new(n: usize) -> Barrier {
        let state = State {
            arrived: 0,
            waiters: WaitList::new(),
        };
        Barrier {
            size: n,
            state: Mutex::new(state),
        }
    }

    /// Parks until as many threads as the barrier is for have called this. The last of them is the
    /// leader.
    pub fn wait(&self) -> BarrierWaitResult {
        charge();
        let mut state = self.lock();
        state.arrived += 1;
        if state.arrived < self.size {
            let place = state.waiters.push(None);
            drop(state);
            wait_from(&Passage(self), Some(place), None);
            return BarrierWaitResult(false);
        }
        state.arrived = 0;
        let waiters = state.waiters.take();
        drop(state);
        waiters.for_each(|waiter| waiter.wake());
        BarrierWaitResult(true)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What those wait for who have arrived.
struct Passage<'a>(&'a Barrier);

impl Source for Passage<'_> {
    type Output = ();

    fn poll(&self, place: &mut Option<Key>) -> Option<()> {
        self.0.lock().waiters.told(place)
    }

    fn reason(&self) -> Reason {
        Reason::Barrier(number_of(self.0))
    }

    fn leave(&self, place: Key) {
        let mut state = self.0.lock();
        if state.waiters.remove(place) {
            state.arrived -= 1;
        }
    }
}

impl BarrierWaitResult {
    /// Whether the thread was the last to come. That is so for one of each group.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult")
            .field("is_leader", &self.0)
            .finish()
    }
}
