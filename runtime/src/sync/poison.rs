//! Whether a thread has panicked while it held a lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LockResult, PoisonError};

use crate::interrupt::Interrupts;

/// Set by a panic, as std's, but not by a cancellation or a timeout, which unwind on purpose.
#[derive(Default)]
pub(super) struct Poison(AtomicBool);

/// A thread that holds the lock. A guard drops this before it unlocks, so that whoever takes the lock
/// next sees the poison.
pub(super) struct Holder<'a> {
    poison: &'a Poison,
    /// Whether it was unwinding already when it took the lock.
    unwinding: bool,
}

impl Poison {
    pub(super) const fn new() -> Poison {
        Poison(AtomicBool::new(false))
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Wraps what a lock gives, as std does.
    pub(super) fn wrap<G>(&self, guard: G) -> LockResult<G> {
        if self.is_set() {
            Err(PoisonError::new(guard))
        } else {
            Ok(guard)
        }
    }

    /// The calling thread has just taken the lock.
    pub(super) fn taken(&self) -> Holder<'_> {
        Holder {
            poison: self,
            unwinding: Interrupts::with(Interrupts::is_unwinding),
        }
    }
}

impl Drop for Holder<'_> {
    fn drop(&mut self) {
        if !self.unwinding && Interrupts::with(Interrupts::is_panicking) {
            self.poison.0.store(true, Ordering::Relaxed);
        }
    }
}
