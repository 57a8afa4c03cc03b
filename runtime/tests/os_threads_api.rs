//! OS-thread mode: all of `thread` on OS threads, and a clear error where that cannot be.

use greenwire_runtime::signal::{self, Signal};
use greenwire_runtime::sync::mpsc;
use greenwire_runtime::thread::{self, Group, Pool};
use greenwire_runtime::{Builder, green_local, metrics, run_until_idle, time};
use signal_hook::{consts::SIGUSR1, low_level::raise};
use std::cell::Cell;
use std::io::ErrorKind;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(30);

/// One test at a time: some of them count all threads.
fn os_threads() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = Builder::new().os_threads(true).start();
    assert_eq!(metrics().workers, 0);
    alone
}

#[test]
fn scopes_borrow_and_wait() {
    let _alone = os_threads();
    let (words, mut total) = (["one", "three"], 0);
    thread::scope(|s| {
        let lengths = words.map(|word| s.spawn(move || word.len()));
        total = lengths.map(|length| length.join().unwrap()).iter().sum();
        s.spawn(|| thread::sleep(SOON));
    });
    assert_eq!(total, 8);
    let panicked = AssertUnwindSafe(|| thread::scope(|s| drop(s.spawn(|| panic!("on purpose")))));
    assert!(panic::catch_unwind(panicked).is_err());
}

#[test]
fn a_limit_around_a_scope_waits_for_what_it_cannot_cancel() {
    let _alone = os_threads();
    let ended = AtomicUsize::new(0);
    let limited = time::timeout(SOON, || {
        thread::scope(|s| {
            s.spawn(|| {
                thread::sleep(60 * SOON);
                ended.fetch_add(1, Ordering::SeqCst);
            });
        });
    });
    assert_eq!(limited, Err(time::Elapsed));
    assert_eq!(ended.load(Ordering::SeqCst), 1);
}

#[test]
fn groups_and_handles() {
    let _alone = os_threads();
    let group = Group::new();
    let parked = group.spawn(thread::park);
    assert_eq!(group.cancel().unwrap_err().kind(), ErrorKind::Unsupported);
    let error = group.cancel_and_join().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(!group.join_timeout(SOON));
    let parked = parked.join_timeout(SOON).expect_err("it is parked");
    let (sender, ended) = mpsc::channel();
    parked.on_finish(move || sender.send(()).unwrap());
    parked.thread().unpark();
    ended.recv_timeout(LONG).unwrap();
    group.join();
    assert!(group.is_empty());

    let here = thread::current().id();
    let parent = thread::spawn(|| thread::current().parent()).join().unwrap();
    assert_eq!(parent, Some(here));
    let begin = Instant::now();
    let late = thread::Builder::new().spawn_after(SOON, Instant::now);
    assert!(late.unwrap().join().unwrap() >= begin + SOON);
    let somewhere = thread::Builder::new().worker(5).spawn(|| 1);
    assert_eq!(
        somewhere.unwrap().join().unwrap(),
        1,
        "there are no workers"
    );
    let local = thread::Builder::new().spawn_local(|| ());
    assert_eq!(local.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn pools() {
    let _alone = os_threads();
    let pool = Pool::new(2);
    assert_eq!(pool.map(0..20, |n| n * n)[19], 361);
    let imap: Vec<_> = pool.imap(0..5, |n| n + 1).collect();
    assert_eq!(imap, [1, 2, 3, 4, 5]);
    assert_eq!(pool.imap_unordered(0..5, |n| n).sum::<i32>(), 10);
    let parked = [(); 2].map(|()| pool.spawn(thread::park));
    assert!(pool.try_spawn(|| ()).is_err());
    assert!(!pool.wait_available(SOON));
    parked.iter().for_each(|parked| parked.thread().unpark());
    pool.group().join();
}

#[test]
fn locals_and_guards() {
    struct Drops;
    impl Drop for Drops {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    green_local! {
        static NUMBER: Cell<u32> = Cell::new(7);
        static DROPS: Drops = Drops;
    }
    let _alone = os_threads();
    NUMBER.set(1);
    let other = thread::spawn(|| {
        DROPS.with(|_| ());
        thread::no_switch(|| thread::no_cancel(|| thread::sleep(SOON)));
        NUMBER.get()
    });
    assert_eq!(other.join().unwrap(), 7);
    assert_eq!(DROPPED.load(Ordering::SeqCst), 1, "before join returns");
    assert_eq!(NUMBER.get(), 1);
    assert_eq!(time::interval(SOON).take(2).count(), 2);
}

#[test]
fn run_until_idle_waits_for_every_thread() {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let _alone = os_threads();
    let before = metrics().spawned;
    for _ in 0..5 {
        thread::spawn(|| {
            thread::spawn(|| {
                thread::sleep(SOON);
                DONE.fetch_add(1, Ordering::SeqCst);
            })
        });
    }
    let waits = thread::spawn(|| time::timeout(LONG, run_until_idle));
    assert_eq!(waits.join().unwrap(), Ok(()), "it does not wait for itself");
    time::timeout(LONG, run_until_idle).unwrap();
    assert_eq!(DONE.load(Ordering::SeqCst), 5);
    assert_eq!((metrics().spawned - before, metrics().live), (11, 0));
}

#[test]
fn signals() {
    let _alone = os_threads();
    let (sender, handled) = mpsc::channel();
    let sender = Mutex::new(sender);
    let handler = signal::on(Signal::User1, move || {
        sender.lock().unwrap().send(()).unwrap();
    });
    let handler = handler.unwrap();
    raise(SIGUSR1).unwrap();
    handled.recv_timeout(LONG).unwrap();
    drop(handler);
    time::timeout(LONG, run_until_idle).expect("the handler's thread ends");
}
