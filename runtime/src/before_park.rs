//! Work that a green thread puts off until the moment before it gives up its worker.
//!
//! A connection gathers its replies this way, and sends them in one write when its reader has
//! nothing more to do.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use crate::scheduler::Worker;

/// Work to be done just before the calling green thread gives up its worker.
pub trait BeforePark: Send + Sync {
    /// Does the work. It runs on the green thread that registered it, and must not wait; what would
    /// wait is for a thread that it spawns.
    fn before_park(&self);
}

/// Has `work` run once, just before the calling green thread next parks, yields or ends. On an
/// ordinary OS thread it runs at once.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{BeforePark, before_park, thread};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// struct Flush(AtomicU32);
///
/// impl BeforePark for Flush {
///     fn before_park(&self) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let flush = Arc::new(Flush(AtomicU32::new(0)));
/// let seen = flush.clone();
/// thread::spawn(move || before_park(flush)).join().unwrap();
/// assert_eq!(seen.0.load(Ordering::Relaxed), 1);
/// ```
pub fn before_park(work: Arc<dyn BeforePark>) {
    match Worker::running() {
        Some((worker, _)) => worker.hooks().add(work),
        None => work.before_park(),
    }
}

/// What the running green thread of a worker has put off.
#[derive(Default)]
pub(crate) struct Hooks {
    work: RefCell<VecDeque<Arc<dyn BeforePark>>>,
    /// While one runs, what it adds is done by the same `run`.
    running: Cell<bool>,
}

impl Hooks {
    fn add(&self, work: Arc<dyn BeforePark>) {
        self.work.borrow_mut().push_back(work);
    }

    /// Does all that was put off. A panic has been reported by the panic hook, and ends there.
    #[inline]
    pub(crate) fn run(&self) {
        if !self.work.borrow().is_empty() && !self.running.replace(true) {
            self.run_all();
            self.running.set(false);
        }
    }

    #[cold]
    fn run_all(&self) {
        loop {
            let Some(work) = self.work.borrow_mut().pop_front() else {
                return;
            };
            let _ = panic::catch_unwind(AssertUnwindSafe(|| work.before_park()));
            let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(work)));
        }
    }
}
