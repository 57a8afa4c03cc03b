//! Unix signals wake those who wait for them, on both kinds of thread.

use greenwire_runtime::signal::{self, Signal, Signals};
use greenwire_runtime::sync::mpsc;
use greenwire_runtime::{thread, time};
use signal_hook::{consts, low_level::raise};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const SOON: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_secs(30);

/// One test at a time: a signal is for the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `f` in time.
#[track_caller]
fn in_time<T>(f: impl FnOnce() -> T) -> T {
    time::timeout(LONG, f).expect("it ends in time")
}

#[test]
fn everybody_who_waits_is_woken() {
    let _alone = alone();
    let (sender, woken) = mpsc::channel();
    // The waits may begin at any time, so the signal is sent until all have ended.
    for kind in 0..4 {
        let sender = sender.clone();
        let wait = move || {
            signal::wait(Signal::User1).unwrap();
            sender.send(kind).unwrap();
        };
        if kind % 2 == 0 {
            thread::spawn(wait);
        } else {
            std::thread::spawn(wait);
        }
    }
    let _keeps_the_process_alive = Signals::new([Signal::User1]).unwrap();
    let mut all: Vec<_> = in_time(|| {
        (0..4)
            .map(|_| {
                loop {
                    raise(consts::SIGUSR1).unwrap();
                    if let Ok(kind) = woken.recv_timeout(SOON) {
                        return kind;
                    }
                }
            })
            .collect()
    });
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3]);
}

#[test]
fn signals_that_come_between_two_waits_are_kept() {
    let _alone = alone();
    for green in [true, false] {
        let mut signals = Signals::new([Signal::Hangup, Signal::User1, Signal::Interrupt]).unwrap();
        for _ in 0..3 {
            raise(consts::SIGUSR1).unwrap();
            raise(consts::SIGHUP).unwrap();
        }
        let check = move || {
            let mut both = [signals.wait().unwrap(), signals.wait().unwrap()];
            both.sort_by_key(|signal| format!("{signal:?}"));
            assert_eq!(both, [Signal::Hangup, Signal::User1]);
            let third = time::timeout(SOON, || signals.wait());
            assert!(third.is_err(), "those of one kind count as one");
            raise(consts::SIGINT).unwrap();
            assert_eq!(signals.wait().unwrap(), Signal::Interrupt);
        };
        if green {
            in_time(|| thread::spawn(check).join().unwrap());
        } else {
            in_time(check);
        }
    }
}

#[test]
fn a_handler_runs_on_a_green_thread_for_each_delivery() {
    let _alone = alone();
    let (sender, handled) = mpsc::channel();
    let sender = Mutex::new(sender);
    let handler = signal::on(Signal::Terminate, move || {
        assert!(thread::is_green());
        thread::yield_now();
        sender.lock().unwrap().send(thread::current().id()).unwrap();
        panic!("on purpose: the next one is handled all the same");
    });
    let handler = handler.unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let pid = std::process::id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -TERM $0", &pid])
            .status();
        assert!(sent.unwrap().success());
        ids.push(in_time(|| handled.recv()).unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "each on a thread of its own");

    drop(handler);
    raise(consts::SIGTERM).unwrap();
    assert!(in_time(|| handled.recv()).is_err(), "nobody handles it");
}

#[test]
fn a_wait_for_a_signal_can_be_cut_short() {
    let _alone = alone();
    let limited = time::timeout(SOON, || signal::wait(Signal::User2));
    assert!(limited.is_err());
    let waiter = thread::spawn(|| signal::wait(Signal::User2));
    thread::sleep(SOON);
    waiter.cancel().unwrap();
    assert!(in_time(|| waiter.join()).is_err());
}

#[test]
fn a_child_that_ends_is_a_signal() {
    let _alone = alone();
    let mut signals = Signals::new([Signal::Child]).unwrap();
    let mut child = Command::new("true").spawn().unwrap();
    assert_eq!(in_time(|| signals.wait()).unwrap(), Signal::Child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn waiting_for_nothing_is_an_error() {
    let mut signals = Signals::new([]).unwrap();
    let error = in_time(|| signals.wait()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
