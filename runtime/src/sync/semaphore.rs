//! Permits that threads wait for.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::source::{Source, charge, deadline_in, wait_until};
use crate::insight::{Reason, number_of};
use crate::wait::{Key, WaitList};

/// A number of permits, as gevent's `Semaphore` (std has none): who acquires one while there is none
/// parks until another thread gives one back.
///
/// It is fair: permits go to those who wait in the order in which they came, and nobody is passed by, so
/// that who waits for many permits is not starved by those who want one.
///
/// It takes 56 bytes, and owns no other memory until a thread has to wait for it.
///
/// # Examples
///
/// At most two at a time:
///
/// ```
/// use greenwire_runtime::{sync::Semaphore, thread};
/// use std::sync::Arc;
///
/// let slots = Arc::new(Semaphore::new(2));
/// let threads: Vec<_> = (0..10)
///     .map(|n| {
///         let slot = slots.acquire_owned(); // waits here while two of them run
///         thread::spawn(move || {
///             let _slot = slot; // given back when the thread ends
///             n * n
///         })
///     })
///     .collect();
/// let squares = threads.into_iter().map(|thread| thread.join().unwrap());
/// assert_eq!(squares.sum::<u32>(), 285);
/// ```
pub struct Semaphore(Mutex<State>);

struct State {
    permits: usize,
    waiters: WaitList,
}

impl Semaphore {
    /// A semaphore with `permits` permits.
    #[must_use]
    pub const fn new(permits: usize) -> Semaphore {
        let waiters = WaitList::new();
        Semaphore(Mutex::new(State { permits, waiters }))
    }

    /// Takes a permit. Parks while there is none.
    pub fn acquire(&self) -> SemaphorePermit<'_> {
        self.acquire_many(1)
    }

    /// Takes `n` permits, all at once. Parks while there are not enough, for ever if there never are.
    pub fn acquire_many(&self, n: usize) -> SemaphorePermit<'_> {
        self.take_until(n, None);
        self.permit(n)
    }

    /// Takes a permit, if there is one and nobody waits for it. Never parks.
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits, if there are enough and nobody waits for them. Never parks.
    pub fn try_acquire_many(&self, n: usize) -> Option<SemaphorePermit<'_>> {
        charge();
        let taken = self.lock().take(n, None);
        taken.then(|| self.permit(n))
    }

    /// Takes a permit. Parks for at most `timeout` while there is none, and then gives none.
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<SemaphorePermit<'_>> {
        let taken = self.take_until(1, deadline_in(timeout));
        taken.then(|| self.permit(1))
    }

    /// As [`acquire`](Semaphore::acquire), for a permit that can move to another thread, such as one that
    /// is spawned next.
    pub fn acquire_owned(self: &Arc<Semaphore>) -> OwnedSemaphorePermit {
        self.acquire().forget();
        OwnedSemaphorePermit {
            semaphore: self.clone(),
            n: 1,
        }
    }

    /// As [`try_acquire`](Semaphore::try_acquire), for a permit that can move to another thread.
    pub fn try_acquire_owned(self: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        self.try_acquire()?.forget();
        Some(OwnedSemaphorePermit {
            semaphore: self.clone(),
            n: 1,
        })
    }

    /// How many permits there are.
    #[must_use]
    pub fn available_permits(&self) -> usize {
        self.lock().permits
    }

    /// Adds `n` permits. Never parks.
    ///
    /// # Panics
    ///
    /// If there were more than `usize::MAX` then.
    pub fn add_permits(&self, n: usize) {
        let mut state = self.lock();
        let sum = state.permits.checked_add(n);
        state.permits = sum.expect("a semaphore has at most usize::MAX permits");
        tell_first(state);
    }

    fn take_until(&self, n: usize, deadline: Option<Instant>) -> bool {
        wait_until(&Acquisition { semaphore: self, n }, deadline).is_some()
    }

    fn permit(&self, n: usize) -> SemaphorePermit<'_> {
        SemaphorePermit { semaphore: self, n }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes `n` permits, if there are enough and nobody waits before `place`, or before a newcomer.
    fn take(&mut self, n: usize, place: Option<Key>) -> bool {
        let is_next = match place {
            None => self.waiters.is_empty(),
            Some(place) => self.waiters.is_first(place),
        };
        let takes = is_next && self.permits >= n;
        if takes {
            self.permits -= n;
        }
        takes
    }
}

/// The first of those who wait may find enough permits now. It stays the first until it has taken them.
fn tell_first(state: MutexGuard<'_, State>) {
    let first = match state.permits {
        0 => None,
        _ => state.waiters.first(),
    };
    drop(state);
    if let Some(first) = first {
        first.wake();
    }
}

/// `n` permits that somebody waits for.
struct Acquisition<'a> {
    semaphore: &'a Semaphore,
    n: usize,
}

impl Source for Acquisition<'_> {
    type Output = ();

    fn poll(&self, place: &mut Option<Key>) -> Option<()> {
        let mut state = self.semaphore.lock();
        if !state.take(self.n, *place) {
            *place = Some(state.waiters.push(*place));
            return None;
        }
        if let Some(place) = place.take() {
            state.waiters.remove(place);
            tell_first(state);
        }
        Some(())
    }

    fn reason(&self) -> Reason {
        Reason::Semaphore(number_of(self.semaphore))
    }

    fn leave(&self, place: Key) {
        let mut state = self.semaphore.lock();
        state.waiters.remove(place);
        tell_first(state);
    }
}

/// Permits of a [`Semaphore`], given back when this is dropped.
#[must_use = "if unused the permit is given back at once"]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    n: usize,
}

/// As [`SemaphorePermit`], but it shares the ownership of its semaphore.
#[must_use = "if unused the permit is given back at once"]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    n: usize,
}

impl SemaphorePermit<'_> {
    /// Keeps the permits for ever. [`Semaphore::add_permits`] can replace them.
    pub fn forget(mut self) {
        self.n = 0;
    }
}

impl OwnedSemaphorePermit {
    /// Keeps the permit for ever. [`Semaphore::add_permits`] can replace it.
    pub fn forget(mut self) {
        self.n = 0;
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.add_permits(self.n);
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        self.semaphore.add_permits(self.n);
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available_permits", &self.available_permits())
            .finish_non_exhaustive()
    }
}
