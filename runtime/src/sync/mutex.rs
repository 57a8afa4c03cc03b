//! A lock that parks.
//!
//! A word says whether it is taken and whether somebody waits, so that a lock which nobody else wants costs
//! two atomic operations; beside it stands a list of those who found it taken.
//!
//! With a std lock in place of the word, which needs no `unsafe`, there had to be a fence between unlocking it
//! and looking whether somebody waits.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{self, LockResult, PoisonError, TryLockError, TryLockResult};

use super::lock_word::LockWord;
use super::poison::{Held, Poison};
use super::source::charge;
use crate::insight::{Reason, number_of};
use crate::wait::{Key, Outcome, WaitList, wait};

/// A mutual exclusion lock, as [`std::sync::Mutex`], that parks the thread which waits for it.
///
/// Locks are granted roughly in the order in which they were asked for: a thread that comes just when
/// the lock is free may take it before one that is still being woken, which then keeps its place.
///
/// It takes 64 bytes beside the value, and owns no other memory until a thread has to wait for it.
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
    word: LockWord,
    poison: Poison,
    waiters: sync::Mutex<WaitList>,
    value: UnsafeCell<T>,
}

// SAFETY: a reference to the value is given only by a `MutexGuard`, of which there is one at a time: it is
// made where the word was taken, and gives it back when it is dropped. Taking the word acquires what giving
// it back released. So threads have the value one after the other, for which `Send` is enough.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

// As std's: who takes a lock whose value a panic left half changed is told so, by the poison.
impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    /// A new lock, not taken.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            word: LockWord::new(),
            poison: Poison::new(),
            waiters: sync::Mutex::new(WaitList::new()),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock apart.
    ///
    /// # Errors
    ///
    /// With the value if the lock is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        self.poison.wrap(self.value.into_inner())
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
    #[inline]
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
        self.poison.wrap(self.value.get_mut())
    }

    #[inline]
    fn take(&self) -> Option<MutexGuard<'_, T>> {
        self.word.take().then(|| MutexGuard {
            mutex: self,
            held: Poison::taken(),
            _as_std: PhantomData,
        })
    }

    #[cold]
    fn take_or_wait(&self) -> MutexGuard<'_, T> {
        let mut place = None;
        loop {
            let key = self.join(place);
            place = Some(key);
            if let Some(guard) = self.take() {
                self.leave(key);
                return guard;
            }
            if let Outcome::Interrupted(interrupt) = wait(Reason::Lock(number_of(self)), None) {
                // Who was told that the lock is free, and does not take it, tells the next one.
                if !self.leave(key) {
                    self.tell_next();
                }
                interrupt.unwind()
            }
        }
    }

    /// Joins those who wait, at the place that the caller had before.
    fn join(&self, place: Option<Key>) -> Key {
        let mut waiters = self.waiters();
        let key = waiters.push(place);
        self.word.joined();
        key
    }

    /// Leaves. Returns false if the caller was told that the lock is free.
    fn leave(&self, key: Key) -> bool {
        let mut waiters = self.waiters();
        let left = waiters.remove(key);
        self.look_at(&waiters);
        left
    }

    /// The lock is free: tells the first who waits.
    #[cold]
    fn tell_next(&self) {
        let mut waiters = self.waiters();
        let next = waiters.pop();
        self.look_at(&waiters);
        drop(waiters);
        if let Some(next) = next {
            next.wake();
        }
    }

    fn look_at(&self, waiters: &WaitList) {
        if waiters.is_empty() {
            self.word.nobody_waits();
        }
    }

    fn waiters(&self) -> sync::MutexGuard<'_, WaitList> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Access to the value of a locked [`Mutex`], which is unlocked when this is dropped.
///
/// It may be held while the thread parks: others wait for the lock, and their workers go on.
#[must_use = "if unused the lock is released at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    held: Held,
    /// As std's it stays on its thread, and may be shared if the value may.
    _as_std: PhantomData<sync::MutexGuard<'a, T>>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.poison.released(self.held);
        self.mutex.word.give_back();
        if self.mutex.word.is_awaited() {
            self.mutex.tell_next();
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this is the only guard of its lock (see `Sync` above), and while it is borrowed shared,
        // nobody writes through it.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the only guard of its lock (see `Sync` above), and it is borrowed exclusively.
        unsafe { &mut *self.mutex.value.get() }
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
