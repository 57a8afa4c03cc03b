//! Mutexes.

use super::{sync, thread};
use std::panic::{RefUnwindSafe, UnwindSafe};
use sync::{Arc, Mutex, TryLockError};

fn poisoned<T: Send + 'static>(value: T) -> Arc<Mutex<T>> {
    let mutex = Arc::new(Mutex::new(value));
    let other = mutex.clone();
    let panics = thread::spawn(move || {
        let _guard = other.lock().unwrap();
        panic!("on purpose");
    });
    panics.join().unwrap_err();
    mutex
}

#[test]
fn it_excludes() {
    let mutex = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let mutex = mutex.clone();
            thread::spawn(move || (0..1000).for_each(|_| *mutex.lock().unwrap() += 1))
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(*mutex.lock().unwrap(), 6000);
}

#[test]
fn a_try_takes_it_or_says_that_it_would_block() {
    static MUTEX: Mutex<i32> = Mutex::new(1);
    let guard = MUTEX.try_lock().unwrap();
    assert!(matches!(MUTEX.try_lock(), Err(TryLockError::WouldBlock)));
    drop(guard);
    *MUTEX.try_lock().unwrap() += 1;
    assert_eq!(*MUTEX.lock().unwrap(), 2);
}

#[test]
fn poison_spoils_nothing() {
    let mutex = poisoned(7);
    assert!(mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 7);
    let Err(TryLockError::Poisoned(tried)) = mutex.try_lock() else {
        panic!("a poisoned lock that is free says so");
    };
    assert_eq!(*tried.into_inner(), 7);
    let mut mutex = Arc::into_inner(mutex).unwrap();
    assert_eq!(mutex.get_mut().unwrap_err().into_inner(), &mut 7);
    mutex.clear_poison();
    assert!(!mutex.is_poisoned());
    assert_eq!(mutex.into_inner().unwrap(), 7);
    let mutex = Arc::into_inner(poisoned(8)).unwrap();
    assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 8);
}

#[test]
fn a_lock_taken_while_unwinding_is_not_poisoned() {
    struct Locks(Arc<Mutex<i32>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let mutex = Arc::new(Mutex::new(1));
    let locks = Locks(mutex.clone());
    let panics = thread::spawn(move || {
        let _locks = locks;
        panic!("on purpose");
    });
    panics.join().unwrap_err();
    assert_eq!(*mutex.lock().unwrap(), 2);
}

#[test]
fn it_can_hold_what_has_no_size() {
    let mutex: &Mutex<[i32]> = &Mutex::new([1, 2, 3]);
    mutex.lock().unwrap()[1] = 5;
    assert_eq!(*mutex.lock().unwrap(), [1, 5, 3]);
}

#[test]
fn it_says_what_it_is() {
    let mutex = Mutex::from(3);
    assert_eq!(
        format!("{mutex:?}"),
        "Mutex { data: 3, poisoned: false, .. }"
    );
    let guard = mutex.lock().unwrap();
    assert_eq!(format!("{guard:?} {guard}"), "3 3");
    assert_eq!(
        format!("{mutex:?}"),
        "Mutex { data: \"<locked>\", poisoned: false, .. }"
    );
    assert_eq!(*Mutex::<i32>::default().lock().unwrap(), 0);
}

#[test]
fn it_may_cross_threads_and_unwinding() {
    fn check<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    check::<Mutex<std::cell::Cell<i32>>>();
}
