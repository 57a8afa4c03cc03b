//! Mutexes, as far as std's cannot be the measure: order, and cancellation.

use super::support::{Kind, green, spawn};
use greenwire_runtime::sync::Mutex;
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_mutex_excludes_among_threads_of_both_kinds() {
    let total = Arc::new(Mutex::new(0));
    let threads: Vec<_> = (0..16)
        .map(|n| {
            let total = total.clone();
            let kind = if n % 2 == 0 { Kind::Green } else { Kind::Os };
            spawn(kind, move || {
                for _ in 0..500 {
                    let mut total = total.lock().unwrap();
                    let before = *total;
                    if n % 4 == 0 {
                        thread::yield_now();
                    }
                    *total = before + 1;
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join());
    assert_eq!(*total.lock().unwrap(), 8_000);
}

#[test]
fn a_lock_is_granted_in_turn() {
    let order = Arc::new(Mutex::new(Vec::new()));
    green(move || {
        let held = order.lock().unwrap();
        let threads: Vec<_> = (0..5)
            .map(|n| {
                let order = order.clone();
                let thread = thread::spawn_local(move || order.lock().unwrap().push(n));
                thread::yield_now();
                thread::yield_now();
                thread
            })
            .collect();
        drop(held);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_mutex_is_poisoned_by_a_panic_and_not_by_a_cancellation() {
    let mutex = Arc::new(Mutex::new(1));
    let holder = mutex.clone();
    let cancelled = thread::spawn(move || {
        let _guard = holder.lock();
        thread::park();
    });
    while mutex.try_lock().is_ok() {
        thread::yield_now();
    }
    cancelled.cancel().unwrap();
    assert!(cancelled.join().unwrap_err().is::<Cancelled>());
    assert_eq!(mutex.lock().map(|guard| *guard).unwrap(), 1);

    let holder = mutex.clone();
    let panicked = thread::spawn(move || {
        let _guard = holder.lock();
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    assert!(mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap_err().into_inner(), 1);
    mutex.clear_poison();
    assert!(mutex.lock().is_ok());
}

#[test]
fn a_timeout_that_passes_through_another_poisons_nothing() {
    green(|| {
        let mutex = Mutex::new(());
        let limited = time::timeout(Duration::from_millis(1), || {
            let _guard = mutex.lock().unwrap();
            time::timeout(Duration::from_secs(60), thread::park)
        });
        assert_eq!(limited, Err(time::Elapsed));
        assert!(!mutex.is_poisoned());
    });
}

#[test]
fn a_cancellation_that_was_caught_and_is_raised_again_poisons_nothing() {
    let (held, other) = (Arc::new(Mutex::new(())), Mutex::new(()));
    let holder = held.clone();
    let cancelled = thread::spawn(move || {
        let _guard = holder.lock().unwrap();
        let payload = catch_unwind(thread::park).unwrap_err();
        // While the thread does something else, it does not unwind.
        drop(other.lock().unwrap());
        thread::resume_cancellation(payload);
    });
    cancelled.cancel().unwrap();
    assert!(cancelled.join().unwrap_err().is::<Cancelled>());
    assert!(!held.is_poisoned());
}

#[test]
fn a_panic_that_was_caught_and_is_raised_again_poisons() {
    let mutex = Arc::new(Mutex::new(()));
    let holder = mutex.clone();
    let panicked = thread::spawn(move || {
        let _guard = holder.lock().unwrap();
        let payload = catch_unwind(|| panic!("on purpose")).unwrap_err();
        thread::resume_cancellation(payload);
    });
    assert!(panicked.join().is_err());
    assert!(mutex.is_poisoned());
}
