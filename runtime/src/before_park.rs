//! Work that a green thread puts off until the moment before it gives up its worker.
//!
//! A connection gathers its replies this way, and sends them in one write when its reader has
//! nothing more to do.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::interrupt::Interrupts;
use crate::scheduler::Worker;
use crate::task::quietly;

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

/// As many entries' memory is kept from one park to the next.
const KEPT: usize = 64;

/// What the running green thread of a worker has put off.
#[derive(Default)]
pub(crate) struct Hooks(RefCell<VecDeque<Arc<dyn BeforePark>>>);

impl Hooks {
    fn add(&self, work: Arc<dyn BeforePark>) {
        self.0.borrow_mut().push_back(work);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Does all that was put off, and what that puts off. A panic has been reported by the panic hook,
    /// and ends there; interrupts wait until afterwards.
    ///
    /// What is to be done is taken out first: should it wait against its contract, others put off and
    /// do their own work meanwhile.
    #[cold]
    pub(crate) fn run(&self, interrupts: &Interrupts) {
        interrupts.mask();
        while !self.is_empty() {
            let mut due = self.0.take();
            for work in due.drain(..) {
                quietly(|| work.before_park());
                quietly(|| drop(work));
            }
            self.keep(due);
        }
        interrupts.unmask();
    }

    /// Keeps the memory for what is put off next, unless it has some already, or this is much.
    fn keep(&self, empty: VecDeque<Arc<dyn BeforePark>>) {
        let mut put_off = self.0.borrow_mut();
        if put_off.capacity() == 0 && empty.capacity() <= KEPT {
            *put_off = empty;
        }
    }
}
