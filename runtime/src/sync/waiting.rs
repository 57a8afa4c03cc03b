//! How many wait for a lock, so that who releases one that nobody waits for need not ask the list.
//!
//! ```text
//!   who waits                     who releases
//!   joins the list, counts        unlocks
//!   fence                         fence
//!   tries the lock; parks         count above 0? tells one of the list
//! ```
//!
//! Each side writes, fences, then reads what the other wrote, so one of them sees the other: either the
//! lock is found free, or somebody is told.

use crate::primitive::{Ordering, Word, fence};

/// The length of a wait list, and for moments more: who joins or leaves changes both under the lock of
/// the list.
#[derive(Default)]
pub(super) struct Waiting(Word);

impl Waiting {
    pub(super) const fn new() -> Waiting {
        Waiting(Word::new(0))
    }

    /// The caller has joined the list, and tries the lock next.
    pub(super) fn joined(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Somebody has left the list, or was popped.
    pub(super) fn left(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether somebody must be told that the caller has released the lock.
    pub(super) fn must_be_told(&self) -> bool {
        fence(Ordering::SeqCst);
        self.is_any()
    }

    /// Whether somebody waits. A hint.
    pub(super) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::primitive::{AtomicBool, Mutex};
    use loom::sync::{Arc, Notify};

    /// A lock that one thread holds, and that two others want. Those who find it taken leave their bell
    /// in a list, as a waiter would.
    struct Lock {
        taken: AtomicBool,
        waiting: Waiting,
        list: Mutex<Vec<Arc<Notify>>>,
    }

    impl Lock {
        fn take(&self) {
            let bell = Arc::new(Notify::new());
            loop {
                self.join(&bell);
                if self.try_lock() {
                    return self.leave(&bell);
                }
                bell.wait();
            }
        }

        fn try_lock(&self) -> bool {
            let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
            let exchange = self.taken.compare_exchange(false, true, acquire, relaxed);
            exchange.is_ok()
        }

        fn join(&self, bell: &Arc<Notify>) {
            let mut list = self.list.lock().unwrap();
            if !list.iter().any(|other| Arc::ptr_eq(other, bell)) {
                list.push(bell.clone());
                self.waiting.joined();
            }
        }

        fn leave(&self, bell: &Arc<Notify>) {
            let mut list = self.list.lock().unwrap();
            let before = list.len();
            list.retain(|other| !Arc::ptr_eq(other, bell));
            if list.len() < before {
                self.waiting.left();
            }
        }

        fn release(&self) {
            self.taken.store(false, Ordering::Release);
            if self.waiting.must_be_told() {
                let mut list = self.list.lock().unwrap();
                if !list.is_empty() {
                    let bell = list.remove(0);
                    self.waiting.left();
                    drop(list);
                    bell.notify();
                }
            }
        }
    }

    /// A lost wake leaves a thread waiting for ever, which loom reports as a deadlock.
    #[test]
    fn loom_every_release_is_seen() {
        loom::model(|| {
            let lock = Arc::new(Lock {
                taken: AtomicBool::new(true),
                waiting: Waiting::new(),
                list: Mutex::new(Vec::new()),
            });
            // Makes loom's counter, while there is one thread.
            assert!(!lock.waiting.is_any());
            let other = {
                let lock = lock.clone();
                loom::thread::spawn(move || {
                    lock.take();
                    lock.release();
                })
            };
            lock.release();
            lock.take();
            lock.release();
            other.join().unwrap();
        });
    }
}
