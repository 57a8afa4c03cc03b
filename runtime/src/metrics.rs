//! Numbers on what the runtime does.

use crate::scheduler;
use crate::unblock;

/// What the runtime has done since it began, and what it is doing. See [`metrics`].
///
/// Each number is right by itself; they are not taken at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Workers. 0 in OS-thread mode, and before the runtime has begun.
    pub workers: usize,
    /// Threads spawned so far.
    pub spawned: u64,
    /// Of these, how many have not ended.
    pub live: u64,
    /// Green threads that are parked now.
    pub parked: u64,
    /// How often a worker has switched to a green thread.
    pub switches: u64,
    /// Green threads that a worker with nothing to do took from another one, before they started.
    pub steals: u64,
    /// How often a worker has asked the kernel for events.
    pub polls: u64,
    /// The address space of the stacks of all started green threads, in bytes. Only the pages that
    /// they have used take memory.
    pub stack_bytes: u64,
    /// OS threads of the pool for [`unblock`](crate::unblock).
    pub unblock_threads: usize,
    /// Jobs that they work on, and that wait for one of them.
    pub unblock_jobs: usize,
}

/// Counts what the runtime has done and is doing.
///
/// Counting is always on: it costs a plain addition. Asking looks at each worker's numbers, and
/// disturbs none of them. It does not begin the runtime.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{metrics, thread};
///
/// thread::spawn(|| thread::yield_now()).join().unwrap();
/// let metrics = metrics();
/// assert_eq!(metrics.spawned, 1);
/// assert!(metrics.switches >= 2);
/// ```
#[must_use]
pub fn metrics() -> Metrics {
    let mut metrics = scheduler::metrics();
    (metrics.unblock_threads, metrics.unblock_jobs) = unblock::load();
    metrics
}
