//! `run_until_idle`: it returns when no green thread is left, and not before.

use greenwire_runtime::signal::{self, Signal};
use greenwire_runtime::{metrics, run_until_idle, thread, time, unblock};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(30);

/// One test at a time: each waits for all green threads of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn idle_in_time() {
    time::timeout(LONG, run_until_idle).expect("nothing is left in time");
}

#[test]
fn it_waits_for_threads_that_spawn_and_sleep_and_block() {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    fn chain(left: u64) {
        thread::sleep(Duration::from_micros(left * 50));
        unblock(|| ());
        if left == 0 {
            DONE.fetch_add(1, Ordering::SeqCst);
        } else {
            thread::spawn(move || chain(left - 1));
        }
    }
    let _alone = alone();
    idle_in_time();
    for round in 1..=20 {
        for _ in 0..10 {
            thread::spawn(|| chain(5));
        }
        idle_in_time();
        assert_eq!(DONE.load(Ordering::SeqCst), round * 10);
        assert_eq!(metrics().live, 0);
    }
}

#[test]
fn it_never_returns_too_early() {
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    let _alone = alone();
    for n in 0..2_000 {
        LIVE.fetch_add(1, Ordering::SeqCst);
        thread::spawn(move || {
            for _ in 0..n % 3 {
                thread::yield_now();
            }
            thread::spawn(|| LIVE.fetch_sub(1, Ordering::SeqCst));
        });
        idle_in_time();
        assert_eq!(LIVE.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn green_threads_that_call_it_do_not_wait_for_each_other() {
    let _alone = alone();
    let other = thread::spawn(|| thread::sleep(Duration::from_millis(20)));
    let waiters: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(|| {
                idle_in_time();
                thread::current().id()
            })
        })
        .collect();
    for waiter in waiters {
        waiter.join().unwrap();
        assert!(other.is_finished());
    }
}

#[test]
fn it_can_be_cut_short() {
    let _alone = alone();
    let parked = thread::spawn(thread::park);
    let limited = time::timeout(Duration::from_millis(10), run_until_idle);
    assert_eq!(limited, Err(time::Elapsed));
    let waiter = thread::spawn(run_until_idle);
    thread::sleep(Duration::from_millis(2));
    waiter.cancel().unwrap();
    assert!(waiter.join().is_err());
    parked.thread().unpark();
    idle_in_time();
}

#[test]
fn a_signal_handler_that_waits_for_its_signal_does_not_count() {
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    let _alone = alone();
    let handler = signal::on(Signal::User2, || {
        thread::sleep(Duration::from_millis(5));
        HANDLED.fetch_add(1, Ordering::SeqCst);
    });
    let handler = handler.unwrap();
    idle_in_time();
    drop(handler);
    // What waits for the signal does not count before it has heard of that.
    let end = Instant::now() + LONG;
    while metrics().live > 0 {
        assert!(Instant::now() < end, "it never ends");
        thread::sleep(Duration::from_millis(1));
    }
    idle_in_time();
}
