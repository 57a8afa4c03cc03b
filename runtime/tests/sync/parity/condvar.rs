//! Condition variables.

use super::{sync, thread};
use std::time::{Duration, Instant};
use sync::{Arc, Condvar, Mutex};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(30);

type Shared<T> = Arc<(Mutex<T>, Condvar)>;

fn shared<T>(value: T) -> Shared<T> {
    Arc::new((Mutex::new(value), Condvar::new()))
}

/// Sets a flag from another thread.
fn set_later(flag: &Shared<bool>) {
    let flag = flag.clone();
    thread::spawn(move || {
        *flag.0.lock().unwrap() = true;
        flag.1.notify_all();
    });
}

#[test]
fn notifying_nobody_is_fine() {
    let condvar = Condvar::default();
    condvar.notify_one();
    condvar.notify_all();
    assert_eq!(format!("{condvar:?}"), "Condvar { .. }");
}

#[test]
fn one_is_notified_while_another_holds_the_lock() {
    let pair = shared(());
    let guard = pair.0.lock().unwrap();
    let other = pair.clone();
    let notifies = thread::spawn(move || {
        let _guard = other.0.lock().unwrap();
        other.1.notify_one();
    });
    drop(pair.1.wait(guard).unwrap());
    notifies.join().unwrap();
}

#[test]
fn all_are_notified() {
    const COUNT: usize = 10;
    let pair = shared((0, false));
    let threads: Vec<_> = (0..COUNT)
        .map(|_| {
            let pair = pair.clone();
            thread::spawn(move || {
                let mut state = pair.0.lock().unwrap();
                state.0 += 1;
                pair.1.notify_all();
                drop(pair.1.wait_while(state, |state| !state.1).unwrap());
            })
        })
        .collect();
    let state = pair.0.lock().unwrap();
    let mut state = pair.1.wait_while(state, |state| state.0 < COUNT).unwrap();
    state.1 = true;
    drop(state);
    pair.1.notify_all();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_wait_ends_with_its_time() {
    let pair = shared(());
    let begin = Instant::now();
    // std may wake up without a reason.
    let timed_out = (0..1000).any(|_| {
        let guard = pair.0.lock().unwrap();
        pair.1.wait_timeout(guard, SOON).unwrap().1.timed_out()
    });
    assert!(timed_out && begin.elapsed() >= SOON);
    let guard = pair.0.lock().unwrap();
    let (_guard, result) = pair.1.wait_timeout_while(guard, SOON, |_| true).unwrap();
    assert!(result.timed_out());
}

#[test]
fn a_condition_that_holds_already_waits_for_nothing() {
    let pair = shared(true);
    let guard = pair.0.lock().unwrap();
    let guard = pair.1.wait_while(guard, |flag| !*flag).unwrap();
    for timeout in [Duration::ZERO, LONG, Duration::MAX] {
        let other = shared(true);
        let guard = other.0.lock().unwrap();
        let waited = other.1.wait_timeout_while(guard, timeout, |flag| !*flag);
        assert!(!waited.unwrap().1.timed_out());
    }
    assert!(*guard);
}

#[test]
fn a_notification_ends_a_wait_with_a_time() {
    let pair = shared(false);
    let guard = pair.0.lock().unwrap();
    set_later(&pair);
    let waited = pair.1.wait_timeout_while(guard, LONG, |flag| !*flag);
    let (flag, result) = waited.unwrap();
    assert!(*flag && !result.timed_out());
    drop(flag);

    let pair = shared(false);
    let mut guard = pair.0.lock().unwrap();
    set_later(&pair);
    while !*guard {
        let (next, result) = pair.1.wait_timeout(guard, LONG).unwrap();
        assert!(!result.timed_out());
        guard = next;
    }
}

#[test]
fn a_wait_finds_the_lock_poisoned() {
    let pair = shared(1);
    let guard = pair.0.lock().unwrap();
    let other = pair.clone();
    let panics = thread::spawn(move || {
        let _guard = other.0.lock().unwrap();
        other.1.notify_one();
        panic!("on purpose");
    });
    let poisoned = pair.1.wait(guard).unwrap_err();
    assert_eq!(**poisoned.get_ref(), 1);
    drop(poisoned);
    panics.join().unwrap_err();
    let guard = pair.0.lock().unwrap_err().into_inner();
    let poisoned = pair.1.wait_timeout(guard, SOON).unwrap_err();
    assert_eq!(*poisoned.into_inner().0, 1);
}
