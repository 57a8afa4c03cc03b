//! The word of a mutex: whether it is taken, and whether somebody waits for it.
//!
//! ```text
//!   who waits                       who releases
//!   joins the list, sets AWAITED    takes TAKEN out of the word
//!   tries the lock; parks           AWAITED is set? tells one of the list
//! ```
//!
//! Both change the same word, so one comes first and the other sees it: either the lock is found free, or
//! somebody is told. AWAITED changes only under the lock of the list.

use crate::primitive::{Ordering, Word};

const TAKEN: usize = 1;
/// Somebody stands in the list.
const AWAITED: usize = 2;

#[derive(Default)]
pub(super) struct LockWord(Word);

impl LockWord {
    pub(super) const fn new() -> LockWord {
        LockWord(Word::new(0))
    }

    /// Takes the lock if it is free, even if others wait for it.
    #[inline]
    #[must_use]
    pub(super) fn take(&self) -> bool {
        self.0.fetch_or(TAKEN, Ordering::Acquire) & TAKEN == 0
    }

    /// Gives the lock back, which the caller has taken.
    #[inline]
    pub(super) fn give_back(&self) {
        self.0.fetch_sub(TAKEN, Ordering::Release);
    }

    /// The caller, who has the lock of the list, has joined it, and tries to take this lock next.
    pub(super) fn joined(&self) {
        self.0.fetch_or(AWAITED, Ordering::Relaxed);
    }

    /// The caller, who has the lock of the list, has left it empty.
    pub(super) fn nobody_waits(&self) {
        self.0.fetch_and(!AWAITED, Ordering::Relaxed);
    }

    /// Whether somebody must be told that the caller has given the lock back.
    #[inline]
    pub(super) fn is_awaited(&self) -> bool {
        self.0.load(Ordering::Relaxed) & AWAITED != 0
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::primitive::Mutex;
    use loom::sync::atomic::AtomicU32;
    use loom::sync::{Arc, Notify};

    /// A lock that leaves the bells of its waiters in a list.
    struct Lock {
        word: LockWord,
        list: Mutex<Vec<Arc<Notify>>>,
        /// Changed in two steps, without any ordering of its own: only the lock keeps others out.
        value: AtomicU32,
    }

    impl Lock {
        fn new() -> Arc<Lock> {
            let lock = Lock {
                word: LockWord::new(),
                list: Mutex::new(Vec::new()),
                value: AtomicU32::new(0),
            };
            // Makes loom's word, while there is one thread.
            assert!(!lock.word.is_awaited());
            Arc::new(lock)
        }

        fn lock(&self) {
            if self.word.take() {
                return;
            }
            let bell = Arc::new(Notify::new());
            loop {
                self.join(&bell);
                if self.word.take() {
                    return self.leave(&bell);
                }
                bell.wait();
            }
        }

        fn unlock(&self) {
            self.word.give_back();
            if self.word.is_awaited() {
                let mut list = self.list.lock().unwrap();
                let told = (!list.is_empty()).then(|| list.remove(0));
                self.look_at(&list);
                drop(list);
                told.inspect(|bell| bell.notify());
            }
        }

        fn join(&self, bell: &Arc<Notify>) {
            let mut list = self.list.lock().unwrap();
            if !list.iter().any(|other| Arc::ptr_eq(other, bell)) {
                list.push(bell.clone());
            }
            self.word.joined();
        }

        fn leave(&self, bell: &Arc<Notify>) {
            let mut list = self.list.lock().unwrap();
            list.retain(|other| !Arc::ptr_eq(other, bell));
            self.look_at(&list);
        }

        fn look_at(&self, list: &[Arc<Notify>]) {
            if list.is_empty() {
                self.word.nobody_waits();
            }
        }

        fn add_one(&self) {
            self.lock();
            let value = self.value.load(Ordering::Relaxed);
            self.value.store(value + 1, Ordering::Relaxed);
            self.unlock();
        }
    }

    /// A lost wake leaves a thread waiting for ever, which loom reports as a deadlock. Two that hold the
    /// lock at once lose a step.
    #[test]
    fn loom_a_lock_excludes_and_every_release_is_seen() {
        loom::model(|| {
            let lock = Lock::new();
            let other = {
                let lock = lock.clone();
                loom::thread::spawn(move || lock.add_one())
            };
            lock.add_one();
            lock.add_one();
            other.join().unwrap();
            assert_eq!(lock.value.load(Ordering::Relaxed), 3);
        });
    }
}
