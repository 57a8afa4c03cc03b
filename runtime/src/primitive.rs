//! The building blocks of the cross-worker protocols, from std or, under `--cfg loom`, from loom.
//!
//! Only `scheduler/inbox.rs` and `reactor/readiness.rs` use them: what loom is to explore must touch
//! shared memory through this module alone.

#[cfg(not(loom))]
pub(crate) use {
    crossbeam_queue::SegQueue as Queue,
    std::sync::Mutex,
    std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence},
};

#[cfg(loom)]
pub(crate) use {
    loom::sync::Mutex,
    loom::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence},
    queue::Queue,
};

/// A queue that promises no more ordering than crossbeam's: emptiness is read without a lock.
#[cfg(loom)]
mod queue {
    use super::{Mutex, Ordering};
    use loom::sync::atomic::AtomicUsize;
    use std::collections::VecDeque;

    pub(crate) struct Queue<T> {
        items: Mutex<VecDeque<T>>,
        len: AtomicUsize,
    }

    impl<T> Queue<T> {
        pub(crate) fn new() -> Queue<T> {
            Queue {
                items: Mutex::new(VecDeque::new()),
                len: AtomicUsize::new(0),
            }
        }

        pub(crate) fn push(&self, item: T) {
            let mut items = self.items.lock().unwrap();
            items.push_back(item);
            self.len.store(items.len(), Ordering::Release);
        }

        pub(crate) fn pop(&self) -> Option<T> {
            let mut items = self.items.lock().unwrap();
            let item = items.pop_front()?;
            self.len.store(items.len(), Ordering::Release);
            Some(item)
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.len.load(Ordering::Acquire) == 0
        }
    }
}
