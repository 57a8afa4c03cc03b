//! The building blocks of the cross-worker protocols, from std or, under `--cfg loom`, from loom.
//!
//! Only `scheduler/inbox.rs`, `reactor/readiness.rs`, `sync/lock_word.rs`, `sync/rw_lock_word.rs` and `task/handover.rs` use
//! them: what loom is to explore must touch shared memory through this module alone.

#[cfg(not(loom))]
pub(crate) use {
    crossbeam_queue::SegQueue as Queue,
    std::sync::Mutex,
    std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize as Word, Ordering, fence},
};

#[cfg(loom)]
pub(crate) use {
    loom::cell::UnsafeCell,
    loom::sync::Mutex,
    loom::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence},
    queue::Queue,
    word::Word,
};

/// std's cell, to be reached in loom's way.
#[cfg(not(loom))]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    #[inline(always)]
    pub(crate) fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// A word that a constant can hold, as std's. loom makes its own only while a model runs.
#[cfg(loom)]
mod word {
    use super::Ordering;
    use loom::sync::atomic::AtomicUsize;
    use std::sync::OnceLock;

    #[derive(Default)]
    pub(crate) struct Word {
        begin: usize,
        value: OnceLock<AtomicUsize>,
    }

    impl Word {
        pub(crate) const fn new(begin: usize) -> Word {
            Word {
                begin,
                value: OnceLock::new(),
            }
        }

        pub(crate) fn fetch_add(&self, n: usize, ordering: Ordering) -> usize {
            self.value().fetch_add(n, ordering)
        }

        pub(crate) fn fetch_sub(&self, n: usize, ordering: Ordering) -> usize {
            self.value().fetch_sub(n, ordering)
        }

        pub(crate) fn fetch_or(&self, bits: usize, ordering: Ordering) -> usize {
            self.value().fetch_or(bits, ordering)
        }

        pub(crate) fn fetch_and(&self, bits: usize, ordering: Ordering) -> usize {
            self.value().fetch_and(bits, ordering)
        }

        pub(crate) fn load(&self, ordering: Ordering) -> usize {
            self.value().load(ordering)
        }

        pub(crate) fn fetch_update(
            &self,
            set: Ordering,
            fetch: Ordering,
            f: impl FnMut(usize) -> Option<usize>,
        ) -> Result<usize, usize> {
            self.value().fetch_update(set, fetch, f)
        }

        fn value(&self) -> &AtomicUsize {
            self.value.get_or_init(|| AtomicUsize::new(self.begin))
        }
    }
}

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
