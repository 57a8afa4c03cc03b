//! Whether a thread has panicked while it held a lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LockResult, PoisonError};

use crate::interrupt::Interrupts;

/// Set by a panic, as std's, but not by a cancellation or a timeout, which unwind on purpose.
#[derive(Default)]
pub(super) struct Poison(AtomicBool);

/// A thread has the lock: whether it was unwinding already when it took it.
#[derive(Clone, Copy)]
pub(super) struct Held {
    unwinding: bool,
}

impl Poison {
    pub(super) const fn new() -> Poison {
        Poison(AtomicBool::new(false))
    }

    #[inline]
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Wraps what a lock gives, as std does.
    #[inline]
    pub(super) fn wrap<G>(&self, guard: G) -> LockResult<G> {
        if self.is_set() {
            Err(PoisonError::new(guard))
        } else {
            Ok(guard)
        }
    }

    /// The calling thread has just taken the lock.
    #[inline]
    pub(super) fn taken() -> Held {
        Held {
            unwinding: Interrupts::with(Interrupts::is_unwinding),
        }
    }

    /// It is about to unlock: whoever takes the lock next sees the poison.
    #[inline]
    pub(super) fn released(&self, held: Held) {
        if !held.unwinding && Interrupts::with(Interrupts::is_panicking) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
