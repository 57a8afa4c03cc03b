//! A lock for many readers or one writer, which parks.
//!
//! A word says who has it and whether somebody waits, so that a lock which is free costs two atomic operations;
//! beside it those stand in line who found it taken, and only the first of them tries again.
//!
//! With a std lock in place of the word, which needs no `unsafe`, it took three times as long.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::sync::{self, LockResult, PoisonError, TryLockError, TryLockResult};

use super::poison::{Held, Poison};
use super::rw_lock_word::{Access, RwLockWord};
use super::source::{Source, charge, wait_from};
use crate::insight::{Reason, number_of};
use crate::wait::{Key, WaitList};

/// A lock that many readers or one writer hold, as [`std::sync::RwLock`], and that parks those who wait
/// for it.
///
/// It is fair: who comes while others wait stands in line, so neither writers nor readers are starved.
/// Therefore a thread that reads already and asks to read once more can wait for ever, behind a
/// writer.
///
/// It takes 64 bytes beside the value, and owns no other memory until a thread has to wait for it.
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
    value: UnsafeCell<T>,
}

/// Who has the lock, and who waits for it. The first of those who wait stays the first until it has it.
#[derive(Default)]
struct Line {
    word: RwLockWord,
    waiters: sync::Mutex<WaitList>,
}

// SAFETY: a mutable reference to the value is given only by a `RwLockWriteGuard`, a shared one only by a
// `RwLockReadGuard`. Each is made where its access was taken, and gives it back when it is dropped; the word
// gives exclusive access to one at a time, and shared access only while nobody has that. Taking it acquires
// what giving it back released. So writers have the value one after the other, for which `Send` is enough, and
// readers share it, for which it must be `Sync`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

// As std's: who takes a lock whose value a panic left half changed is told so, by the poison.
impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

impl<T> RwLock<T> {
    /// A new lock, not taken.
    pub const fn new(value: T) -> RwLock<T> {
        RwLock {
            poison: Poison::new(),
            line: Line {
                word: RwLockWord::new(),
                waiters: sync::Mutex::new(WaitList::new()),
            },
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

impl<T: ?Sized> RwLock<T> {
    /// Takes the lock for reading. Parks while a thread has it for writing, or others wait.
    ///
    /// # Errors
    ///
    /// With the guard, all the same, if a thread panicked while it held the lock for writing.
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.line.take(Access::Shared);
        self.poison.wrap(RwLockReadGuard::new(self))
    }

    /// Takes the lock for reading if that needs no waiting. Never parks.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it does, `Poisoned` as [`read`](RwLock::read).
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let taken = self.line.word.take(Access::Shared);
        let guard = taken.then(|| RwLockReadGuard::new(self));
        Ok(self.poison.wrap(guard.ok_or(TryLockError::WouldBlock)?)?)
    }

    /// Takes the lock for writing. Parks while a thread has it, or others wait.
    ///
    /// # Errors
    ///
    /// As [`read`](RwLock::read).
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.line.take(Access::Exclusive);
        self.poison.wrap(RwLockWriteGuard::new(self))
    }

    /// Takes the lock for writing if that needs no waiting. Never parks.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it does, `Poisoned` as [`read`](RwLock::read).
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let taken = self.line.word.take(Access::Exclusive);
        let guard = taken.then(|| RwLockWriteGuard::new(self));
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
        self.poison.wrap(self.value.get_mut())
    }
}

impl Line {
    /// Takes the lock. Parks while others have it or wait for it.
    #[inline]
    fn take(&self, access: Access) {
        charge();
        if !self.word.take(access) {
            self.wait(access);
        }
    }

    #[cold]
    fn wait(&self, access: Access) {
        let turn = Turn { line: self, access };
        wait_from(&turn, None, None)
            .expect("a wait ends only with an output if there is no deadline");
    }

    #[inline]
    fn give_back(&self, access: Access) {
        if self.word.give_back(access) {
            self.tell_first();
        }
    }

    /// Whether the caller, who stands at `place` or joins now, is the first.
    fn is_first(&self, place: &mut Option<Key>) -> bool {
        let mut waiters = self.waiters();
        let place = *place.get_or_insert_with(|| {
            self.word.joined();
            waiters.push(None)
        });
        waiters.is_first(place)
    }

    fn leave(&self, place: Key) {
        let mut waiters = self.waiters();
        waiters.remove(place);
        if waiters.is_empty() {
            self.word.nobody_waits();
        }
    }

    /// The first of those who wait may succeed now.
    #[cold]
    fn tell_first(&self) {
        let first = self.waiters().first();
        if let Some(first) = first {
            first.wake();
        }
    }

    fn waiters(&self) -> sync::MutexGuard<'_, WaitList> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What those wait for who stand in line: that they are the first, and can take the lock.
struct Turn<'a> {
    line: &'a Line,
    access: Access,
}

impl Source for Turn<'_> {
    type Output = ();

    fn poll(&self, place: &mut Option<Key>) -> Option<()> {
        let taken = self.line.is_first(place) && self.line.word.take_in_turn(self.access);
        if !taken {
            return None;
        }
        place.take().inspect(|place| self.line.leave(*place));
        if self.access == Access::Shared {
            // The next one may read, too.
            self.line.tell_first();
        }
        Some(())
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
    /// Not a reference: the value may be changed again before a function returns that was given the guard.
    value: NonNull<T>,
    line: &'a Line,
    /// As std's.
    _as_std: PhantomData<sync::RwLockReadGuard<'a, T>>,
}

// SAFETY: all that a shared guard gives is a shared reference to the value.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}

/// Exclusive access to the value of a [`RwLock`] that is locked for writing, until this is dropped.
///
/// It may be held while the thread parks: others wait for the lock, and their workers go on.
#[must_use = "if unused the lock is released at once"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    held: Held,
    /// As std's it stays on its thread, and may be shared if the value may.
    _as_std: PhantomData<sync::RwLockWriteGuard<'a, T>>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// For a caller who has taken shared access.
    #[inline]
    fn new(lock: &'a RwLock<T>) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard {
            value: NonNull::new(lock.value.get()).expect("the value has an address"),
            line: &lock.line,
            _as_std: PhantomData,
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// For a caller who has taken exclusive access.
    #[inline]
    fn new(lock: &'a RwLock<T>) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard {
            lock,
            held: Poison::taken(),
            _as_std: PhantomData,
        }
    }

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
        let lock = s.lock;
        mem::forget(s);
        if lock.line.word.downgrade() {
            lock.line.tell_first();
        }
        RwLockReadGuard::new(lock)
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.line.give_back(Access::Shared);
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.poison.released(self.held);
        self.lock.line.give_back(Access::Exclusive);
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: while there is a shared guard, nobody has the value mutably (see `Sync` of the lock), and
        // the lock outlives its guards.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this is the only guard of its lock (see `Sync` of the lock), and while it is borrowed
        // shared, nobody writes through it.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the only guard of its lock (see `Sync` of the lock), and it is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
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
        match self.line.word.take(Access::Shared) {
            true => out.field("data", &&*RwLockReadGuard::new(self)),
            false => out.field("data", &format_args!("<locked>")),
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
