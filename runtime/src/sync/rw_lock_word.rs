//! The word of a lock for readers and writers: who holds it, and whether somebody waits for it.
//!
//! ```text
//!   who waits                            who releases
//!   joins the line, sets AWAITED         takes its access out of the word
//!   tries, as the first of the line      AWAITED was set? tells the first of the line
//! ```
//!
//! Both change the same word, so one comes first and the other sees it: either the lock is found free, or
//! somebody is told. While AWAITED is set, nobody takes the lock but the first of the line. It changes only
//! under the lock of the line.

use crate::primitive::{Ordering, Word};

const WRITTEN: usize = 1;
/// Somebody stands in line.
const AWAITED: usize = 2;
/// One reader. They are counted from here on.
const READ: usize = 4;

#[derive(Default)]
pub(super) struct RwLockWord(Word);

/// How somebody has the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To read, along with other readers.
    Shared,
    /// To write.
    Exclusive,
}

impl RwLockWord {
    pub(super) const fn new() -> RwLockWord {
        RwLockWord(Word::new(0))
    }

    /// Takes the lock, unless others have it or wait for it.
    #[inline]
    #[must_use]
    pub(super) fn take(&self, access: Access) -> bool {
        match access {
            Access::Shared => self.add(READ, WRITTEN | AWAITED),
            Access::Exclusive => self.add(WRITTEN, usize::MAX),
        }
    }

    /// Takes the lock for the first of those who wait, unless others have it.
    #[must_use]
    pub(super) fn take_in_turn(&self, access: Access) -> bool {
        match access {
            Access::Shared => self.add(READ, WRITTEN),
            Access::Exclusive => self.add(WRITTEN, !AWAITED),
        }
    }

    /// Gives back what the caller has taken. Returns whether the first of those who wait must be told.
    #[inline]
    #[must_use]
    pub(super) fn give_back(&self, access: Access) -> bool {
        match access {
            Access::Shared => self.0.fetch_sub(READ, Ordering::Release) == READ | AWAITED,
            Access::Exclusive => self.0.fetch_sub(WRITTEN, Ordering::Release) & AWAITED != 0,
        }
    }

    /// Makes a writer a reader. Returns whether the first of those who wait must be told.
    #[must_use]
    pub(super) fn downgrade(&self) -> bool {
        self.0.fetch_add(READ - WRITTEN, Ordering::Release) & AWAITED != 0
    }

    /// The caller, who has the lock of the line, has joined it.
    pub(super) fn joined(&self) {
        self.0.fetch_or(AWAITED, Ordering::Relaxed);
    }

    /// The caller, who has the lock of the line, has left it empty.
    pub(super) fn nobody_waits(&self) {
        self.0.fetch_and(!AWAITED, Ordering::Relaxed);
    }

    /// Adds to the word, unless one of the bits in `hinders` is set. Who would be a reader too many waits.
    #[inline]
    fn add(&self, amount: usize, hinders: usize) -> bool {
        let sum = |word: usize| match word & hinders {
            0 => word.checked_add(amount),
            _ => None,
        };
        let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
        self.0.fetch_update(acquire, relaxed, sum).is_ok()
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use crate::primitive::Mutex;
    use loom::sync::atomic::AtomicU32;
    use loom::sync::{Arc, Notify};

    /// A lock that leaves the bells of its waiters in line.
    struct Lock {
        word: RwLockWord,
        line: Mutex<Vec<Arc<Notify>>>,
        /// Changed in two steps, without any ordering of its own: only the lock keeps others out.
        value: AtomicU32,
    }

    impl Lock {
        fn new() -> Arc<Lock> {
            let lock = Lock {
                word: RwLockWord::new(),
                line: Mutex::new(Vec::new()),
                value: AtomicU32::new(0),
            };
            // Makes loom's word, while there is one thread.
            lock.word.nobody_waits();
            Arc::new(lock)
        }

        fn lock(&self, access: Access) {
            if self.word.take(access) {
                return;
            }
            let bell = Arc::new(Notify::new());
            while !(self.is_first(&bell) && self.word.take_in_turn(access)) {
                bell.wait();
            }
            self.leave();
            if access == Access::Shared {
                self.tell_first();
            }
        }

        fn unlock(&self, access: Access) {
            if self.word.give_back(access) {
                self.tell_first();
            }
        }

        fn is_first(&self, bell: &Arc<Notify>) -> bool {
            let mut line = self.line.lock().unwrap();
            if !line.iter().any(|other| Arc::ptr_eq(other, bell)) {
                line.push(bell.clone());
                self.word.joined();
            }
            Arc::ptr_eq(&line[0], bell)
        }

        fn leave(&self) {
            let mut line = self.line.lock().unwrap();
            line.remove(0);
            if line.is_empty() {
                self.word.nobody_waits();
            }
        }

        fn tell_first(&self) {
            let first = self.line.lock().unwrap().first().cloned();
            first.inspect(|bell| bell.notify());
        }

        fn read(&self) {
            self.lock(Access::Shared);
            self.look_twice();
            self.unlock(Access::Shared);
        }

        fn look_twice(&self) {
            let value = self.value.load(Ordering::Relaxed);
            assert_eq!(self.value.load(Ordering::Relaxed), value);
        }

        fn add_one(&self) {
            let value = self.value.load(Ordering::Relaxed);
            self.value.store(value + 1, Ordering::Relaxed);
        }

        fn write(&self) {
            self.lock(Access::Exclusive);
            self.add_one();
            self.unlock(Access::Exclusive);
        }

        fn write_and_read(&self) {
            self.lock(Access::Exclusive);
            self.add_one();
            if self.word.downgrade() {
                self.tell_first();
            }
            self.look_twice();
            self.unlock(Access::Shared);
        }
    }

    /// A lost wake leaves a thread waiting for ever, which loom reports as a deadlock. Two writers that hold
    /// the lock at once lose a step, and a reader beside a writer sees one.
    fn check(here: fn(&Lock), there: fn(&Lock), writes: u32) {
        loom::model(move || {
            let lock = Lock::new();
            let other = {
                let lock = lock.clone();
                loom::thread::spawn(move || there(&lock))
            };
            here(&lock);
            other.join().unwrap();
            assert_eq!(lock.value.load(Ordering::Relaxed), writes);
        });
    }

    fn write_twice(lock: &Lock) {
        lock.write();
        lock.write();
    }

    #[test]
    fn loom_writers_exclude_each_other() {
        check(write_twice, Lock::write, 3);
    }

    #[test]
    fn loom_readers_and_writers_exclude_each_other() {
        check(write_twice, Lock::read, 2);
    }

    #[test]
    fn loom_who_writes_may_go_on_reading() {
        check(Lock::write_and_read, write_twice, 3);
        check(Lock::write_and_read, Lock::read, 1);
    }
}
