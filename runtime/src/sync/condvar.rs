//! A condition variable that parks.

use std::fmt;
use std::mem;
use std::sync::{self, LockResult, PoisonError};
use std::time::{Duration, Instant};

use super::mutex::MutexGuard;
use super::source::{Source, deadline_in, wait_from};
use crate::insight::{Reason, number_of};
use crate::wait::{Key, WaitList};

/// A condition variable, as [`std::sync::Condvar`], for a [`Mutex`](super::Mutex).
///
/// Threads are notified in the order in which they came. A notified one that is cancelled, or whose
/// [`timeout`](crate::time::timeout) passes, before it has the lock again, passes the notification on.
///
/// It takes 48 bytes, and owns no other memory until a thread has to wait for it.
///
/// # Differences from std
///
/// There are no spurious wake-ups, and it may be used with several locks. A cancelled wait unwinds
/// without the lock.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::{Condvar, Mutex}, thread};
///
/// static READY: Mutex<bool> = Mutex::new(false);
/// static CHANGED: Condvar = Condvar::new();
///
/// let waits = thread::spawn(|| {
///     let ready = CHANGED.wait_while(READY.lock().unwrap(), |ready| !*ready);
///     assert!(*ready.unwrap());
/// });
/// *READY.lock().unwrap() = true;
/// CHANGED.notify_one();
/// waits.join().unwrap();
/// ```
#[derive(Default)]
pub struct Condvar(sync::Mutex<WaitList>);

/// Whether a wait ended because its time was over.
///
/// Our own, since std's cannot be made outside of std.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over before a notification came.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[must_use]
    pub const fn new() -> Condvar {
        Condvar(sync::Mutex::new(WaitList::new()))
    }

    /// Releases the lock, parks until it is notified, and takes the lock again.
    ///
    /// # Errors
    ///
    /// With the guard, all the same, if the lock is poisoned.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_until(guard, None).0
    }

    /// Waits while `condition` holds. It is looked at with the lock taken.
    ///
    /// # Errors
    ///
    /// As [`wait`](Condvar::wait).
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// As [`wait`](Condvar::wait), but takes the lock again after `timeout` at the latest.
    ///
    /// # Errors
    ///
    /// As `wait`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenwire_runtime::sync::{Condvar, Mutex};
    /// use std::time::Duration;
    ///
    /// let (lock, changed) = (Mutex::new(()), Condvar::new());
    /// let waited = changed.wait_timeout(lock.lock().unwrap(), Duration::from_millis(1));
    /// let (_guard, result) = waited.unwrap();
    /// assert!(result.timed_out());
    /// ```
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        with_result(self.wait_until(guard, deadline_in(timeout)))
    }

    /// Waits while `condition` holds, for at most `timeout`. The result says that the time was over only
    /// if the condition still holds then.
    ///
    /// # Errors
    ///
    /// As [`wait`](Condvar::wait).
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let deadline = deadline_in(timeout);
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            guard = with_result(self.wait_until(guard, deadline))?.0;
        }
    }

    /// Wakes the one who has waited for the longest, if anybody does. Never parks.
    pub fn notify_one(&self) {
        let first = self.lock().pop();
        if let Some(first) = first {
            first.wake();
        }
    }

    /// Wakes all who wait. Never parks.
    pub fn notify_all(&self) {
        let all = self.lock().take();
        all.for_each(|waiter| waiter.wake());
    }

    /// Also returns whether the caller was notified.
    fn wait_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> (LockResult<MutexGuard<'a, T>>, bool) {
        // Before the lock is released, so that no notification is missed.
        let place = self.lock().push(None);
        let mutex = guard.mutex();
        drop(guard);
        let notified = wait_from(&Notification(self), Some(place), deadline).is_some();
        let pass_on = notified.then(|| PassOn(self));
        let guard = mutex.lock();
        mem::forget(pass_on);
        (guard, notified)
    }

    fn lock(&self) -> sync::MutexGuard<'_, WaitList> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn with_result<G>((guard, notified): (LockResult<G>, bool)) -> LockResult<(G, WaitTimeoutResult)> {
    let result = WaitTimeoutResult(!notified);
    match guard {
        Ok(guard) => Ok((guard, result)),
        Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), result))),
    }
}

/// What those who wait wait for.
struct Notification<'a>(&'a Condvar);

impl Source for Notification<'_> {
    type Output = ();

    fn poll(&self, place: &mut Option<Key>) -> Option<()> {
        self.0.lock().told(place)
    }

    fn reason(&self) -> Reason {
        Reason::Condition(number_of(self.0))
    }

    fn leave(&self, place: Key) {
        let was_told = !self.0.lock().remove(place);
        if was_told {
            self.0.notify_one();
        }
    }
}

/// Notifies another one, unless it is forgotten: who was notified was interrupted while it waited for
/// the lock.
struct PassOn<'a>(&'a Condvar);

impl Drop for PassOn<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
