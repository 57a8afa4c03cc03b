//! A lock that parks.
//!
//! The value lies in a std lock that is only ever tried, so it needs no `unsafe`; around it stands a
//! list of those who found it taken.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{self, LockResult, PoisonError, TryLockError, TryLockResult};

use crate::interrupt::Interrupts;
use crate::scheduler::Worker;
use crate::wait::{Key, Outcome, WaitList, wait};

/// A mutual exclusion lock, as [`std::sync::Mutex`], that parks the thread which waits for it.
///
/// Locks are granted roughly in the order in which they were asked for: a thread that comes just when
/// the lock is free may take it before one that is still being woken.
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
    gate: Gate,
    value: sync::Mutex<T>,
}

/// Who waits, and whether a holder has panicked.
#[derive(Default)]
struct Gate {
    poisoned: AtomicBool,
    /// The length of `waiters`, and perhaps more: read before the list is locked.
    waiting: AtomicUsize,
    waiters: sync::Mutex<WaitList>,
}

impl<T> Mutex<T> {
    /// A new lock, not taken.
    pub fn new(value: T) -> Mutex<T> {
        Mutex {
            gate: Gate::default(),
            value: sync::Mutex::new(value),
        }
    }

    /// Takes the lock apart.
    ///
    /// # Errors
    ///
    /// With the value if the lock is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.is_poisoned();
        poison_if(
            poisoned,
            self.value
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        )
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
        if let Some((worker, slot)) = Worker::running() {
            worker.charge(slot);
        }
        let guard = self.take().unwrap_or_else(|| self.take_or_wait());
        poison_if(self.is_poisoned(), guard)
    }

    /// Takes the lock if it is free. Never parks.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not, `Poisoned` as [`lock`](Mutex::lock).
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let guard = self.take().ok_or(TryLockError::WouldBlock)?;
        Ok(poison_if(self.is_poisoned(), guard)?)
    }

    /// Whether a thread panicked while it held the lock.
    pub fn is_poisoned(&self) -> bool {
        self.gate.poisoned.load(Ordering::Relaxed)
    }

    /// Forgets that a thread panicked.
    pub fn clear_poison(&self) {
        self.gate.poisoned.store(false, Ordering::Relaxed);
    }

    /// The value, which nobody else can reach now.
    ///
    /// # Errors
    ///
    /// With the value if the lock is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.is_poisoned();
        poison_if(
            poisoned,
            self.value.get_mut().unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn take(&self) -> Option<MutexGuard<'_, T>> {
        let value = match self.value.try_lock() {
            Ok(value) => value,
            // Poison is kept by the gate, which knows cancellations from panics.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let unwinding = Interrupts::with(Interrupts::is_unwinding);
        Some(MutexGuard {
            value,
            release: Release {
                gate: &self.gate,
                unwinding,
            },
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
            if let Outcome::Interrupted(interrupt) = wait(None) {
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
    /// Joins those who wait, at the place that the caller had before. The fence orders it before the
    /// next try of the lock, as the one in `tell_next` orders the release before the look at
    /// `waiting`: one of the two sees the other.
    fn join(&self, place: Option<Key>) -> Key {
        let mut waiters = lock(&self.waiters);
        let before = waiters.len();
        let key = waiters.push(place);
        self.waiting
            .fetch_add(waiters.len() - before, Ordering::Relaxed);
        drop(waiters);
        fence(Ordering::SeqCst);
        key
    }

    /// Leaves. Returns false if the caller was told that the lock is free.
    fn leave(&self, key: Key) -> bool {
        let left = lock(&self.waiters).remove(key);
        self.waiting.fetch_sub(usize::from(left), Ordering::Relaxed);
        left
    }

    /// The lock is free: tells the first who waits.
    fn tell_next(&self) {
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        let next = lock(&self.waiters).pop();
        if let Some(next) = next {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            next.wake();
        }
    }
}

fn lock(waiters: &sync::Mutex<WaitList>) -> sync::MutexGuard<'_, WaitList> {
    waiters.lock().unwrap_or_else(PoisonError::into_inner)
}

fn poison_if<G>(poisoned: bool, guard: G) -> LockResult<G> {
    if poisoned {
        Err(PoisonError::new(guard))
    } else {
        Ok(guard)
    }
}

/// Access to the value of a locked [`Mutex`], which is unlocked when this is dropped.
///
/// It may be held while the thread parks: others wait for the lock, and their workers go on.
#[must_use = "if unused the lock is released at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    /// Dropped first.
    value: sync::MutexGuard<'a, T>,
    release: Release<'a>,
}

/// Tells the next one, once the value is unlocked.
struct Release<'a> {
    gate: &'a Gate,
    /// Whether the thread was unwinding already when it took the lock.
    unwinding: bool,
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        // Before the value is unlocked, so that whoever takes it next sees it.
        if !self.release.unwinding && Interrupts::with(Interrupts::is_panicking) {
            self.release.gate.poisoned.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.gate.tell_next();
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
            Some(guard) => out.field("value", &&*guard),
            None => out.field("value", &format_args!("<locked>")),
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
