//! How many green threads a worker has, for placement: started or not.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The worker counts its own doings without a locked instruction, and everybody else apart.
///
/// Either number may wrap; only their sum means something. It is a hint: it may be out of date.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Written by the worker only.
    own: AtomicUsize,
    others: AtomicUsize,
}

impl Load {
    pub(super) fn get(&self) -> usize {
        let (own, others) = (&self.own, &self.others);
        own.load(Ordering::Relaxed)
            .wrapping_add(others.load(Ordering::Relaxed))
    }

    /// The worker itself has spawned or stolen one.
    pub(super) fn add_own(&self) {
        self.own.store(
            self.own.load(Ordering::Relaxed).wrapping_add(1),
            Ordering::Relaxed,
        );
    }

    /// One of the worker's has ended.
    pub(super) fn remove_own(&self) {
        self.own.store(
            self.own.load(Ordering::Relaxed).wrapping_sub(1),
            Ordering::Relaxed,
        );
    }

    /// Somebody else has sent one.
    pub(super) fn add(&self) {
        self.others.fetch_add(1, Ordering::Relaxed);
    }

    /// Another worker has stolen some.
    pub(super) fn remove(&self, count: usize) {
        self.others.fetch_sub(count, Ordering::Relaxed);
    }
}
