//! A lock for many readers or one writer, which parks.
//!
//! As in a [`Mutex`](super::Mutex), the value lies in a std lock that is only ever tried. Those who found
//! it taken stand in line, and only the first of them tries again.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{self, LockResult, PoisonError, TryLockError, TryLockResult};

use super::poison::{Holder, Poison};
use super::source::{Source, wait_for};
use super::waiting::Waiting;
use crate::insight::{Reason, number_of};
use crate::wait::{Key, WaitList};

/// A lock that many readers or one writer hold, as [`std::sync::RwLock`], and that parks those who wait
/// for it.
///
/// It is fair: who comes while others wait stands in line, so neither writers nor readers are starved.
/// Therefore a thread that reads already and asks to read once more can wait for ever, behind a
/// writer.
///
/// It takes 80 bytes beside the value, and owns no other memory until a thread has to wait for it.
///
/// # Differences from std
///
/// A lock is not poisoned by a cancellation or a [`timeout`](crate::time::timeout), which unwind
/// through it on purpose; only by a panic of a writer.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::RwLock, thread};
///
/// static ROUTES: RwLock<Vec<&str>> = RwLock::new(Vec::new());
///
/// thread::spawn(|| ROUTES.write().unwrap().push("/")).join().unwrap();
/// let (one, other) = (ROUTES.read().unwrap(), ROUTES.read().unwrap());
/// assert_eq!(*one, *other);
/// ```
#[derive(Default)]
pub struct RwLock<T: ?Sized> {
    poison: Poison,
    line: Line,
    value: sync::RwLock<T>,
}

/// Those who wait. The first one stays the first until it has taken the lock.
#[derive(Default)]
struct Line {
    waiting: Waiting,
    waiters: sync::Mutex<WaitList>,
}

impl<T> RwLock<T> {
    /// A new lock, not taken.
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            poison: Poison::new(),
            line: Line {
                waiting: Waiting::new(),
                waiters: sync::Mutex::new(WaitList::new()),
            },
            value: sync::RwLock::new(value),
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

impl<T: ?Sized> RwLock<T> {
    /// Takes the lock for reading. Parks while a thread has it for writing, or others wait.
    ///
    /// # Errors
    ///
    /// With the guard, all the same, if a thread panicked while it held the lock for writing.
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.poison.wrap(wait_for(&Access {
            line: &self.line,
            attempt: || self.take_to_read(),
            is_shared: true,
        }))
    }

    /// Takes the lock for reading if that needs no waiting. Never parks.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it does, `Poisoned` as [`read`](RwLock::read).
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let guard = self.line.pass(|| self.take_to_read());
        Ok(self.poison.wrap(guard.ok_or(TryLockError::WouldBlock)?)?)
    }

    /// Takes the lock for writing. Parks while a thread has it, or others wait.
    ///
    /// # Errors
    ///
    /// As [`read`](RwLock::read).
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.poison.wrap(wait_for(&Access {
            line: &self.line,
            attempt: || self.take_to_write(),
            is_shared: false,
        }))
    }

    /// Takes the lock for writing if that needs no waiting. Never parks.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it does, `Poisoned` as [`read`](RwLock::read).
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let guard = self.line.pass(|| self.take_to_write());
        Ok(self.poison.wrap(guard.ok_or(TryLockError::WouldBlock)?)?)
    }

    /// Whether a thread panicked while it held the lock for writing.
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

    fn take_to_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        Some(RwLockReadGuard {
            value: taken(self.value.try_read())?,
            _release: Release(&self.line),
        })
    }

    fn take_to_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        Some(RwLockWriteGuard {
            value: taken(self.value.try_write())?,
            _holder: self.poison.holder(),
            release: Release(&self.line),
        })
    }
}

fn taken<G>(result: TryLockResult<G>) -> Option<G> {
    match result {
        Ok(guard) => Some(guard),
        // We keep poison ourselves, and know cancellations from panics.
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Line {
    /// Makes an attempt, unless others wait already.
    fn pass<G>(&self, attempt: impl FnOnce() -> Option<G>) -> Option<G> {
        if self.waiting.is_any() {
            None
        } else {
            attempt()
        }
    }

    /// Whether the caller, who stands at `place` or joins now, is the first.
    fn is_first(&self, place: &mut Option<Key>) -> bool {
        let mut waiters = self.lock();
        let place = *place.get_or_insert_with(|| {
            let place = waiters.push(None);
            self.waiting.joined();
            place
        });
        waiters.is_first(place)
    }

    fn leave(&self, place: Key) {
        if self.lock().remove(place) {
            self.waiting.left();
        }
    }

    /// The first of those who wait may succeed now.
    fn tell_first(&self) {
        if !self.waiting.must_be_told() {
            return;
        }
        let first = self.lock().first();
        if let Some(first) = first {
            first.wake();
        }
    }

    fn lock(&self) -> sync::MutexGuard<'_, WaitList> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What those wait for who stand in line: that their `attempt` succeeds.
struct Access<'a, F> {
    line: &'a Line,
    attempt: F,
    /// Whether the next one may succeed, too.
    is_shared: bool,
}

impl<F: Fn() -> Option<G>, G> Source for Access<'_, F> {
    type Output = G;

    fn poll(&self, place: &mut Option<Key>) -> Option<G> {
        if place.is_none()
            && let Some(guard) = self.line.pass(&self.attempt)
        {
            return Some(guard);
        }
        if !self.line.is_first(place) {
            return None;
        }
        let guard = (self.attempt)()?;
        place
            .take()
            .into_iter()
            .for_each(|place| self.line.leave(place));
        if self.is_shared {
            self.line.tell_first();
        }
        Some(guard)
    }

    fn reason(&self) -> Reason {
        Reason::Lock(number_of(self.line))
    }

    fn leave(&self, place: Key) {
        self.line.leave(place);
        self.line.tell_first();
    }
}

/// Shared access to the value of a [`RwLock`] that is locked for reading, until this is dropped.
///
/// It may be held while the thread parks: others wait for the lock, and their workers go on.
#[must_use = "if unused the lock is released at once"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    // Dropped in this order.
    value: sync::RwLockReadGuard<'a, T>,
    _release: Release<'a>,
}

/// Exclusive access to the value of a [`RwLock`] that is locked for writing, until this is dropped.
///
/// It may be held while the thread parks: others wait for the lock, and their workers go on.
#[must_use = "if unused the lock is released at once"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    // Dropped in this order.
    _holder: Holder<'a>,
    value: sync::RwLockWriteGuard<'a, T>,
    release: Release<'a>,
}

/// Tells those who wait, once the value is unlocked.
struct Release<'a>(&'a Line);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.tell_first();
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on with the lock taken for reading. Nobody writes in between.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenwire_runtime::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(1);
    /// let mut writes = lock.write().unwrap();
    /// *writes = 2;
    /// let reads = RwLockWriteGuard::downgrade(writes);
    /// assert_eq!(*lock.read().unwrap(), *reads);
    /// ```
    pub fn downgrade(s: RwLockWriteGuard<'a, T>) -> RwLockReadGuard<'a, T> {
        let RwLockWriteGuard { value, release, .. } = s;
        let value = sync::RwLockWriteGuard::downgrade(value);
        release.0.tell_first();
        RwLockReadGuard {
            value,
            _release: release,
        }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.take_to_read() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
