//! The report of a deadlock: every thread of the process waits in greenwire, and nothing is left that could
//! wake one of them.
//!
//! There must be no false alarm, so whatever cannot be known for sure counts as a thing that could. What is
//! known:
//!
//! * A worker *rests* if it sleeps without a deadline: no timer is armed on it, and nobody is ready to run.
//! * An OS thread rests if it waits in greenwire without a deadline.
//! * Both have a counter of their rests. Who wakes them marks them *before* they get to run.
//!
//! So if all of them rest, and afterwards all of them still are in the same rest, then all rested at every
//! moment in between. If at one such moment the pool of `unblock` was idle, no descriptor was registered, and the
//! process had no other OS threads (which Linux tells), nobody was left to do anything. A signal handler
//! cannot wake a thread but through a descriptor.
//!
//! The check is made by the last one that comes to rest. A worker that sleeps until it sweeps its stacks
//! does not rest yet, so it may be made a second after the last green thread has parked. It is not made again
//! when some unknown OS thread ends, so a deadlock can go unreported.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::dump::dump;
use crate::os_thread;
use crate::scheduler::{self, Runtime, Shared};
use crate::unblock::idle_threads;

/// The calling thread is about to rest, and is counted already: if it was the last one, reports that.
pub(crate) fn check() {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    let Some(runtime) = scheduler::started() else {
        return;
    };
    // Most of the time somebody is awake. Then this is all that there is to it.
    if !runtime.workers().iter().all(Shared::is_asleep) || REPORTED.load(Ordering::Relaxed) {
        return;
    }
    if is_over(runtime) && !REPORTED.swap(true, Ordering::Relaxed) {
        // The calling thread must sleep, or nobody can be asked for the dump.
        let builder = thread::Builder::new().name("greenwire-report".into());
        if let Err(error) = builder.spawn(report) {
            log::error!("all threads wait for ever, and their dump failed: {error}");
        }
    }
}

fn report() {
    log::error!(
        "deadlock: all threads wait, no timer or descriptor is armed, and no thread is left that could \
         wake them\n{}",
        dump()
    );
}

/// Whether nothing can happen any more.
fn is_over(runtime: &Runtime) -> bool {
    let Some(resting) = Resting::all(runtime) else {
        return false;
    };
    let alone = nobody_else_is_left(runtime, &resting);
    alone && Resting::all(runtime) == Some(resting)
}

fn nobody_else_is_left(runtime: &Runtime, resting: &Resting) -> bool {
    if runtime.workers().iter().any(Shared::watches_descriptors) {
        return false;
    }
    let known = |idle| resting.count() + idle + runtime.helpers();
    idle_threads().is_some_and(|idle| is_number_of_os_threads(known(idle)))
}

/// The rests that all workers and all OS threads which ever waited in greenwire are in.
#[derive(PartialEq, Eq)]
struct Resting {
    workers: Vec<u32>,
    os_threads: Vec<(usize, u64)>,
}

impl Resting {
    /// `None` if one of them is awake. In OS-thread mode there are no workers, and no report.
    fn all(runtime: &Runtime) -> Option<Resting> {
        let workers: Option<Vec<u32>> = runtime.workers().iter().map(Shared::resting).collect();
        Some(Resting {
            workers: workers.filter(|workers| !workers.is_empty())?,
            os_threads: os_thread::all_resting()?,
        })
    }

    fn count(&self) -> usize {
        self.workers.len() + self.os_threads.len()
    }
}

/// Whether the process has `count` OS threads. False where the system does not tell.
#[cfg(target_os = "linux")]
fn is_number_of_os_threads(count: usize) -> bool {
    use std::os::linux::fs::MetadataExt;

    // A quick question first: an OS thread that waits often may come here each time.
    let links = std::fs::metadata("/proc/self/task").map(|task| task.st_nlink());
    if links.ok() != Some(count as u64 + 2) {
        return false;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let threads = lines.find_map(|line| line.strip_prefix("Threads:"));
    threads.and_then(|threads| threads.trim().parse().ok()) == Some(count)
}

#[cfg(not(target_os = "linux"))]
fn is_number_of_os_threads(_: usize) -> bool {
    false
}
