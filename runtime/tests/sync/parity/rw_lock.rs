//! Locks for readers and writers.

use super::{sync, thread};
use std::panic::{RefUnwindSafe, UnwindSafe};
use sync::{Arc, RwLock, RwLockWriteGuard, TryLockError};

fn poisoned<T: Send + Sync + 'static>(value: T) -> Arc<RwLock<T>> {
    let lock = Arc::new(RwLock::new(value));
    let other = lock.clone();
    let panics = thread::spawn(move || {
        let _guard = other.write().unwrap();
        panic!("on purpose");
    });
    panics.join().unwrap_err();
    lock
}

#[test]
fn readers_share_and_writers_do_not() {
    static LOCK: RwLock<i32> = RwLock::new(1);
    let (one, other) = (LOCK.read().unwrap(), LOCK.try_read().unwrap());
    assert!(matches!(LOCK.try_write(), Err(TryLockError::WouldBlock)));
    drop((one, other));
    let mut writes = LOCK.write().unwrap();
    *writes += 1;
    assert!(matches!(LOCK.try_read(), Err(TryLockError::WouldBlock)));
    assert!(matches!(LOCK.try_write(), Err(TryLockError::WouldBlock)));
    drop(writes);
    assert_eq!(*LOCK.try_write().unwrap(), 2);
}

#[test]
fn it_excludes() {
    let lock = Arc::new(RwLock::new((0, 0)));
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let lock = lock.clone();
            thread::spawn(move || {
                for _ in 0..300 {
                    if n % 4 == 0 {
                        let mut pair = lock.write().unwrap();
                        pair.0 += 1;
                        thread::yield_now();
                        pair.1 += 1;
                    } else {
                        let pair = lock.read().unwrap();
                        assert_eq!(pair.0, pair.1);
                    }
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(*lock.read().unwrap(), (600, 600));
}

#[test]
fn a_writer_becomes_a_reader_without_a_gap() {
    let lock = Arc::new(RwLock::new(0));
    let mut writes = lock.write().unwrap();
    let other = lock.clone();
    let writer = thread::spawn(move || *other.write().unwrap() += 10);
    *writes = 1;
    let reads = RwLockWriteGuard::downgrade(writes);
    thread::yield_now();
    assert_eq!(*reads, 1);
    assert!(lock.try_write().is_err());
    drop(reads);
    writer.join().unwrap();
    assert_eq!(*lock.read().unwrap(), 11);
}

#[test]
fn poison_comes_from_writers_only() {
    let lock = poisoned(7);
    assert!(lock.is_poisoned());
    assert_eq!(*lock.read().unwrap_err().into_inner(), 7);
    assert_eq!(*lock.write().unwrap_err().into_inner(), 7);
    assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
    assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
    let mut lock = Arc::into_inner(lock).unwrap();
    assert_eq!(lock.get_mut().unwrap_err().into_inner(), &mut 7);
    lock.clear_poison();
    assert_eq!(lock.into_inner().unwrap(), 7);
    let lock = Arc::into_inner(poisoned(8)).unwrap();
    assert_eq!(lock.into_inner().unwrap_err().into_inner(), 8);

    let lock = Arc::new(RwLock::new(1));
    let other = lock.clone();
    let reader = thread::spawn(move || {
        let _guard = other.read().unwrap();
        panic!("on purpose");
    });
    reader.join().unwrap_err();
    assert_eq!(*lock.write().unwrap(), 1);
}

#[test]
fn it_can_hold_what_has_no_size() {
    let lock: &RwLock<[i32]> = &RwLock::new([1, 2, 3]);
    lock.write().unwrap()[1] = 5;
    assert_eq!(*lock.read().unwrap(), [1, 5, 3]);
}

#[test]
fn it_says_what_it_is() {
    let lock = RwLock::from(3);
    let text = "RwLock { data: 3, poisoned: false, .. }";
    assert_eq!(format!("{lock:?}"), text);
    let reads = lock.read().unwrap();
    assert_eq!(
        format!("{lock:?}, {reads:?}, {reads}"),
        format!("{text}, 3, 3")
    );
    drop(reads);
    let mut writes = lock.write().unwrap();
    *writes = 3;
    assert_eq!(
        format!("{lock:?}, {writes:?}, {writes}"),
        "RwLock { data: <locked>, poisoned: false, .. }, 3, 3"
    );
    assert_eq!(*RwLock::<i32>::default().read().unwrap(), 0);
}

#[test]
fn it_may_cross_threads_and_unwinding() {
    fn check<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    check::<RwLock<i32>>();
}
