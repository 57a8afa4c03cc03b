//! Condition variables, as far as std's cannot be the measure: order, and cancellation.

use super::support::{SOON, green, join, let_others_run};
use greenwire_runtime::sync::{Condvar, Mutex, mpsc};
use greenwire_runtime::thread::{self, Cancelled};
use greenwire_runtime::time;
use std::sync::Arc;

#[test]
fn they_are_notified_in_turn_and_never_without_reason() {
    green(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let (sender, receiver) = mpsc::channel();
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let (pair, sender) = (pair.clone(), sender.clone());
                let thread = thread::spawn_local(move || {
                    let guard = pair.0.lock().unwrap();
                    drop(pair.1.wait(guard).unwrap());
                    sender.send(n).unwrap();
                });
                let_others_run();
                thread
            })
            .collect();
        for n in 0..4 {
            threads.iter().for_each(|thread| thread.thread().unpark());
            let_others_run();
            assert!(receiver.try_recv().is_err(), "an unpark is no notification");
            pair.1.notify_one();
            assert_eq!(receiver.recv(), Ok(n));
        }
    });
}

#[test]
fn an_interrupted_wait_leaves_the_lock_to_others() {
    let pair = Arc::new((Mutex::new(()), Condvar::new()));
    let other = pair.clone();
    let waits = thread::spawn(move || {
        let guard = other.0.lock().unwrap();
        drop(other.1.wait(guard).unwrap());
    });
    thread::sleep(SOON);
    waits.cancel().unwrap();
    assert!(join(waits).unwrap_err().is::<Cancelled>());
    assert!(pair.0.try_lock().is_ok());
    green(move || {
        let wait = || drop(pair.1.wait(pair.0.lock().unwrap()));
        assert_eq!(time::timeout(SOON, wait), Err(time::Elapsed));
        assert!(pair.0.try_lock().is_ok());
    });
}

#[test]
fn who_is_cancelled_between_notification_and_lock_passes_it_on() {
    green(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let pair = pair.clone();
                let thread = thread::spawn_local(move || {
                    let guard = pair.0.lock().unwrap();
                    drop(pair.1.wait(guard).unwrap());
                });
                let_others_run();
                thread
            })
            .collect();
        let held = pair.0.lock().unwrap();
        pair.1.notify_one();
        let_others_run(); // the first one waits for the lock now
        waiters[0].cancel().unwrap();
        let_others_run();
        drop(held);
        let results: Vec<_> = waiters.into_iter().map(|it| it.join()).collect();
        assert!(results[0].is_err() && results[1].is_ok());
    });
}
