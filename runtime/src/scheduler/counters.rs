//! What a worker counts. Each number has one writer, so counting costs a plain addition.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Runtime, Shared, started};
use crate::metrics::Metrics;

/// A number that one OS thread at a time changes, and that all may read.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    #[inline(always)]
    pub(crate) fn add(&self, n: u64) {
        let sum = self.0.load(Ordering::Relaxed).wrapping_add(n);
        self.0.store(sum, Ordering::Release);
    }

    #[inline(always)]
    pub(crate) fn subtract(&self, n: u64) {
        self.add(n.wrapping_neg());
    }

    /// Who reads a sum sees all that happened before it was written.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// The numbers of one worker.
#[derive(Default)]
pub(crate) struct Counters {
    /// Green threads spawned on this worker, wherever they went.
    pub(super) spawned: Count,
    /// Green threads that ended on this worker.
    pub(super) ended: Count,
    pub(super) parked: Count,
    pub(super) switches: Count,
    pub(super) stolen: Count,
    /// Of the stacks of those that have started.
    pub(super) stack_bytes: Count,
}

/// The numbers of all workers together.
pub(crate) fn metrics() -> Metrics {
    started().map_or_else(Metrics::default, Runtime::metrics)
}

impl Runtime {
    fn metrics(&self) -> Metrics {
        let (spawned, ended) = self.spawned_and_ended();
        let sum = |number: fn(&Shared) -> &Count| {
            let numbers = self.workers.iter().map(|worker| number(worker).get());
            numbers.sum()
        };
        Metrics {
            workers: self.workers.len(),
            spawned,
            live: spawned - ended,
            parked: sum(|worker| &worker.counters.parked),
            switches: sum(|worker| &worker.counters.switches),
            steals: sum(|worker| &worker.counters.stolen),
            polls: sum(|worker| worker.reactor.polls()),
            stack_bytes: sum(|worker| &worker.counters.stack_bytes),
            ..Metrics::default()
        }
    }
}
