//! Limits and ticks: each limit ends its own block, whatever waits inside, and ticks do not drift.
//!
//! Follows gevent's `test_outer_timeout_is_not_lost`, for every call that can wait.

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::signal::{self, Signal};
use greenwire_runtime::sync::{Mutex, mpsc};
use greenwire_runtime::thread::{self, Cancelled, Group, Pool};
use greenwire_runtime::{Builder, run_until_idle, time, unblock};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(60);

/// Something that waits for ever, or at least far longer than any limit here.
type Wait = (&'static str, fn());

fn ignore<T>(_: T) {}

fn parked() -> thread::JoinHandle<()> {
    thread::spawn(thread::park)
}

fn pair() -> (UnixStream, Source<UnixStream>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    (ours, Source::new(theirs))
}

fn waits_of_threads() -> Vec<Wait> {
    const PARK: fn(()) = |()| thread::park();
    vec![
        ("sleep", || thread::sleep(LONG)),
        ("park", thread::park),
        ("park_timeout", || thread::park_timeout(LONG)),
        ("tick", || ignore(time::interval(LONG).tick())),
        ("join", || ignore(parked().join())),
        ("join_timeout", || ignore(parked().join_timeout(LONG))),
        ("join_all", || {
            ignore(thread::join_all([parked(), parked()]))
        }),
        ("scope", || thread::scope(|s| ignore(s.spawn(thread::park)))),
        ("scoped join", || {
            thread::scope(|s| ignore(s.spawn(thread::park).join()));
        }),
        ("Group::join", || {
            let group = Group::new();
            group.spawn(thread::park);
            group.join();
        }),
        ("Group::join_timeout", || {
            let group = Group::new();
            group.spawn(thread::park);
            group.join_timeout(LONG);
        }),
        ("Pool::spawn", || {
            let pool = Pool::new(1);
            pool.spawn(thread::park);
            pool.spawn(thread::park);
        }),
        ("Pool::wait_available", || {
            let pool = Pool::new(1);
            pool.spawn(thread::park);
            pool.wait_available(LONG);
        }),
        ("Pool::map", || ignore(Pool::new(1).map([()], PARK))),
        ("imap", || ignore(Pool::new(1).imap([()], PARK).next())),
        ("imap_unordered", || {
            ignore(Pool::new(1).imap_unordered([()], PARK).next());
        }),
        ("run_until_idle", || {
            parked();
            run_until_idle();
        }),
        ("signal::wait", || ignore(signal::wait(Signal::User2))),
    ]
}

fn waits_of_sync_and_io() -> Vec<Wait> {
    vec![
        ("Mutex::lock", || {
            let lock = Mutex::new(());
            let _guard = lock.lock();
            ignore(lock.lock());
        }),
        ("recv", || {
            let (_sender, receiver) = mpsc::channel::<()>();
            ignore(receiver.recv());
        }),
        ("recv_timeout", || {
            let (_sender, receiver) = mpsc::channel::<()>();
            ignore(receiver.recv_timeout(LONG));
        }),
        ("send, full", || {
            let (sender, _receiver) = mpsc::sync_channel(1);
            sender.send(()).unwrap();
            ignore(sender.send(()));
        }),
        ("send, rendezvous", || {
            let (sender, _receiver) = mpsc::sync_channel(0);
            ignore(sender.send(()));
        }),
        ("Source::perform", || {
            let (_ours, theirs) = pair();
            let read = |mut theirs: &UnixStream| theirs.read(&mut [0]);
            ignore(theirs.perform(Direction::Read, Some(LONG), read));
        }),
        ("Source::wait", || {
            let (_ours, theirs) = pair();
            // It may return for no reason.
            while theirs.wait(Direction::Read, None).is_ok() {}
        }),
    ]
}

/// These never end on an OS thread, as std's.
fn waits_of_green_threads() -> Vec<Wait> {
    vec![
        ("yield_now", || {
            loop {
                thread::yield_now();
            }
        }),
        ("unblock", || unblock(|| std::thread::sleep(LONG))),
    ]
}

/// Checks `wait` on a thread of either kind, in time.
#[track_caller]
fn check(waits: &[Wait], does: &str, passes: fn(fn()) -> bool, green: bool) {
    // Another test of this file may have been first.
    let _ = Builder::new().workers(2).start();
    for &(name, wait) in waits {
        let (sender, result) = std::sync::mpsc::channel();
        let check = move || sender.send(passes(wait));
        if green {
            drop(thread::spawn(check));
        } else {
            drop(std::thread::spawn(check));
        }
        let result = result.recv_timeout(LONG / 2);
        assert_eq!(result, Ok(true), "{does}: {name}, green: {green}");
    }
}

#[track_caller]
fn check_both(does: &str, passes: fn(fn()) -> bool) {
    for waits in [waits_of_threads(), waits_of_sync_and_io()] {
        check(&waits, does, passes, true);
        check(&waits, does, passes, false);
    }
    check(&waits_of_green_threads(), does, passes, true);
}

#[test]
fn an_outer_limit_is_not_lost_in_any_wait() {
    check_both("the outer limit ends it", |wait| {
        let mut inner = None;
        let outer = time::timeout(SOON, || {
            inner = Some(time::timeout(LONG, wait));
        });
        outer.is_err() && inner.is_none()
    });
}

#[test]
fn an_inner_limit_ends_its_own_block_alone() {
    check_both("the inner limit ends it", |wait| {
        let mut inner = None;
        let outer = time::timeout(LONG, || {
            inner = Some(time::timeout(SOON, wait));
        });
        outer.is_ok() && inner.is_some_and(|inner| inner.is_err())
    });
}

#[test]
fn a_limit_that_has_passed_already_ends_the_next_wait() {
    check_both("a limit of zero ends it", |wait| {
        time::timeout(Duration::ZERO, wait).is_err()
    });
}

#[test]
fn a_cancellation_ends_every_wait_but_not_what_catches_it() {
    let passes = |wait: fn()| {
        let thread = thread::spawn(move || {
            let first = panic::catch_unwind(AssertUnwindSafe(wait)).unwrap_err();
            assert!(thread::is_cancellation(&*first));
            thread::current().cancel().unwrap();
            wait();
        });
        thread::sleep(SOON);
        thread.cancel().unwrap();
        thread.join().unwrap_err().is::<Cancelled>()
    };
    for waits in [
        waits_of_threads(),
        waits_of_sync_and_io(),
        waits_of_green_threads(),
    ] {
        check(&waits, "it is cancelled, twice", passes, true);
    }
}

#[test]
fn a_limit_that_passes_through_another_block_poisons_nothing() {
    let lock = Mutex::new(());
    let outer = time::timeout(SOON, || {
        let _guard = lock.lock();
        ignore(time::timeout(LONG, thread::park));
    });
    assert_eq!(outer, Err(time::Elapsed));
    assert!(!lock.is_poisoned());
}

#[test]
fn ticks_lie_whole_periods_after_the_beginning() {
    for late in [Duration::ZERO, 3 * SOON] {
        let begin = Instant::now();
        let mut ticks = time::interval(SOON);
        let end = Instant::now();
        let mut last = begin;
        for _ in 0..10 {
            let tick = ticks.tick();
            assert!(Instant::now() >= tick, "never early");
            assert!(tick > last, "each one once");
            // The beginning lies between `begin` and `end`.
            let grid = (tick - end).as_nanos().div_ceil(SOON.as_nanos()) * SOON.as_nanos();
            assert!(grid <= (tick - begin).as_nanos(), "on the grid");
            last = tick;
            thread::sleep(late);
        }
    }
}

#[test]
fn a_tick_that_is_cut_short_is_still_to_come() {
    let period = 100 * SOON;
    let mut ticks = time::interval(period);
    let limited = time::timeout(SOON / 5, || ticks.tick());
    assert_eq!(limited, Err(time::Elapsed));
    let first = ticks.tick();
    assert!(ticks.tick() >= first + period);
}

#[test]
#[should_panic(expected = "period of an interval is zero")]
fn a_period_of_zero_is_refused() {
    ignore(time::interval(Duration::ZERO));
}
