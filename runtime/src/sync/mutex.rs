//! A lock that parks.
//!
//! The value lies in a std lock that is only ever tried, so it needs no `unsafe`; around it stands a
//! list of those who found it taken.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{self, LockResult, PoisonError, TryLockError, TryLockResult};

use super::poison::{Holder, Poison};
use super::source::charge;
use super::waiting::Waiting;
use crate::insight::{Reason, number_of};
use crate::wait::{Key, Outcome, WaitList, wait};

/// A mutual exclusion lock, as [`std::sync::Mutex`], that parks the thread which waits for it.
///
/// Locks are granted roughly in the order in which they were asked for: a thread that comes just when
/// the lock is free may take it before one that is still being woken, which then keeps its place.
///
/// It takes 72 bytes beside the value, and owns no other memory until a thread has to wait for it.
///
/// # Differences from std
///
/// A lock is not poisoned by a cancellation or a [`timeout`](crate::time::timeout), which unwind
/// through it on purpose; only by a panic.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::Mutex, thread};
/// use std::sync::Arc;
///
/// let total = Arc::new(Mutex::new(0));
/// let threads: Vec<_> = (1..=10)
///     .map(|n| {
///         let total = total.clone();
///         thread::spawn(move || *total.lock().unwrap() += n)
///     })
///     .collect();
/// threads.into_iter().for_each(|thread| thread.join().unwrap());
/// assert_eq!(*total.lock().unwrap(), 55);
/// ```
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    poison: Poison,
    gate: Gate,
    value: sync::Mutex<T>,
}

/// Who waits.
#[derive(Default)]
struct Gate {
    waiting: Waiting,
    waiters: sync::Mutex<WaitList>,
}

impl<T> Mutex<T> {
    /// A new lock, not taken.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            poison: Poison::new(),
            gate: Gate {
                waiting: Waiting::new(),
                waiters: sync::Mutex::new(WaitList::new()),
            },
            value: sync::Mutex::new(value),
        }
    }

    /// Takes the lock apart.
    ///
    /// # Errors
    ///
    /// With the value if the lock is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let value = self.value.into_inner();
        self.poison
            .wrap(value.unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock. Parks while another thread has it.
    ///
    /// # Errors
    ///
    /// With the guard, all the same, if a thread panicked while it held the lock.
    ///
    /// # Panics
    ///
    /// Not even if the calling thread holds the lock already: it then parks for ever.
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        charge();
        let guard = self.take().unwrap_or_else(|| self.take_or_wait());
        self.poison.wrap(guard)
    }

    /// Takes the lock if it is free. Never parks.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not, `Poisoned` as [`lock`](Mutex::lock).
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let guard = self.take().ok_or(TryLockError::WouldBlock)?;
        Ok(self.poison.wrap(guard)?)
    }

    /// Whether a thread panicked while it held the lock.
    pub fn is_poisoned(&self) -> bool {
        self.poison.is_set()
    }

    /// Forgets that a thread panicked.
    pub fn clear_poison(&self) {
        self.poison.clear();
    }

    /// The value, which nobody else can reach now.
    ///
    /// # Errors
    ///
    /// With the value if the lock is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let value = self.value.get_mut();
        self.poison
            .wrap(value.unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self) -> Option<MutexGuard<'_, T>> {
        let value = match self.value.try_lock() {
            Ok(value) => value,
            // We keep poison ourselves, and know cancellations from panics.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(MutexGuard {
            _holder: self.poison.taken(),
            value,
            release: Release(self),
        })
    }

    fn take_or_wait(&self) -> MutexGuard<'_, T> {
        let mut place = None;
        loop {
            let key = self.gate.join(place);
            place = Some(key);
            if let Some(guard) = self.take() {
                self.gate.leave(key);
                return guard;
            }
            if let Outcome::Interrupted(interrupt) = wait(Reason::Lock(number_of(self)), None) {
                // Who was told that the lock is free, and does not take it, tells the next one.
                if !self.gate.leave(key) {
                    self.gate.tell_next();
                }
                interrupt.unwind()
            }
        }
    }
}

impl Gate {
    /// Joins those who wait, at the place that the caller had before.
    fn join(&self, place: Option<Key>) -> Key {
        let mut waiters = lock(&self.waiters);
        let before = waiters.len();
        let key = waiters.push(place);
        if waiters.len() > before {
            self.waiting.joined();
        }
        key
    }

    /// Leaves. Returns false if the caller was told that the lock is free.
    fn leave(&self, key: Key) -> bool {
        let left = lock(&self.waiters).remove(key);
        if left {
            self.waiting.left();
        }
        left
    }

    /// The lock is free: tells the first who waits.
    fn tell_next(&self) {
        if !self.waiting.must_be_told() {
            return;
        }
        let next = lock(&self.waiters).pop();
        if let Some(next) = next {
            self.waiting.left();
            next.wake();
        }
    }
}

fn lock(waiters: &sync::Mutex<WaitList>) -> sync::MutexGuard<'_, WaitList> {
    waiters.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Access to the value of a locked [`Mutex`], which is unlocked when this is dropped.
///
/// It may be held while the thread parks: others wait for the lock, and their workers go on.
#[must_use = "if unused the lock is released at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    // Dropped in this order.
    _holder: Holder<'a>,
    value: sync::MutexGuard<'a, T>,
    release: Release<'a, T>,
}

/// Tells the next one, once the value is unlocked.
struct Release<'a, T: ?Sized>(&'a Mutex<T>);

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.release.0
    }
}

impl<T: ?Sized> Drop for Release<'_, T> {
    fn drop(&mut self) {
        self.0.gate.tell_next();
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.take() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &"<locked>"),
        };
        out.field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
