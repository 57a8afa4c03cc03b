//! Groups and handles: joining, cancelling and counting many threads at once.
//!
//! Some of the cases follow gevent's tests of `Group`, `joinall`, `killall` and links.

use greenwire_runtime::sync::mpsc;
use greenwire_runtime::thread::{self, Cancelled, Group};
use greenwire_runtime::{Builder, time};
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(60);

/// Runs `f` on an OS thread and on a green one, each within half a minute.
#[track_caller]
fn on_both(f: fn()) {
    // Another test of this file may have been first.
    let _ = Builder::new().workers(2).start();
    let (sender, ended) = std::sync::mpsc::channel();
    let to = sender.clone();
    std::thread::spawn(move || to.send(panic::catch_unwind(f).is_ok()));
    let _green = thread::spawn(move || sender.send(panic::catch_unwind(f).is_ok()));
    for _ in 0..2 {
        let passed = ended.recv_timeout(Duration::from_secs(30));
        assert!(passed.expect("it ends in time"), "see the panic above");
    }
}

#[test]
fn a_group_forgets_the_finished() {
    on_both(|| {
        let group = Group::new();
        let parked = group.spawn(thread::park);
        for n in 0..100 {
            assert_eq!(group.spawn(move || n).join().unwrap(), n);
            assert_eq!(group.len(), 1);
        }
        let ids: Vec<_> = group.iter().map(|thread| thread.id()).collect();
        assert_eq!(ids, [parked.thread().id()]);
        parked.thread().unpark();
        group.join();
        assert!(group.is_empty());
    });
}

#[test]
fn join_waits_for_all() {
    on_both(|| {
        let group = Group::new();
        let done = Arc::new(AtomicUsize::new(0));
        for n in 0..50 {
            let done = done.clone();
            group.spawn(move || {
                thread::sleep(Duration::from_micros(n * 50));
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        group.join();
        assert_eq!(done.load(Ordering::SeqCst), 50);
        group.join();
    });
}

#[test]
fn join_timeout_says_whether_all_have_ended() {
    on_both(|| {
        let group = Group::new();
        let parked = group.spawn(thread::park);
        let begin = Instant::now();
        assert!(!group.join_timeout(SOON));
        assert!(begin.elapsed() >= SOON);
        parked.thread().unpark();
        assert!(group.join_timeout(LONG));
    });
}

#[test]
fn a_panic_of_a_member_concerns_its_handle_alone() {
    on_both(|| {
        let group = Group::new();
        let other = group.spawn(|| 5);
        let panicked = group.spawn(|| panic!("on purpose"));
        group.join();
        assert_eq!(
            panicked.join().unwrap_err().downcast_ref(),
            Some(&"on purpose")
        );
        assert_eq!(other.join().unwrap(), 5);
    });
}

#[test]
fn cancel_reaches_every_member() {
    on_both(|| {
        let group = Group::new();
        let threads: Vec<_> = (0..100).map(|_| group.spawn(thread::park)).collect();
        group.cancel().unwrap();
        group.join();
        for thread in threads {
            assert!(thread.join().unwrap_err().is::<Cancelled>());
        }
    });
}

#[test]
fn cancel_and_join_catches_those_that_are_spawned_meanwhile() {
    /// Spawns another one when it is cancelled, which does so, too.
    struct Respawns(Group, usize);
    impl Drop for Respawns {
        fn drop(&mut self) {
            if self.1 > 0 {
                let next = Respawns(self.0.clone(), self.1 - 1);
                self.0.spawn(move || {
                    let _next = next;
                    thread::park();
                });
            }
        }
    }
    on_both(|| {
        let group = Group::new();
        let first = Respawns(group.clone(), 5);
        group.spawn(move || {
            let _first = first;
            thread::park();
        });
        thread::sleep(SOON);
        group.cancel_and_join().unwrap();
        assert!(group.is_empty());
        assert_eq!(group.spawn(|| 3).join().unwrap(), 3, "it is open again");
    });
}

#[test]
fn waiting_for_a_group_can_be_cut_short() {
    on_both(|| {
        let group = Group::new();
        let parked = group.spawn(thread::park);
        assert_eq!(time::timeout(SOON, || group.join()), Err(time::Elapsed));
        let joiner = {
            let group = group.clone();
            thread::spawn(move || group.join())
        };
        thread::sleep(SOON);
        joiner.cancel().unwrap();
        assert!(joiner.join().unwrap_err().is::<Cancelled>());
        assert!(!parked.is_finished());
        parked.thread().unpark();
        group.join();
    });
}

#[test]
fn join_all_gives_the_results_in_order() {
    on_both(|| {
        let threads = (0..5).map(|n| {
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(5 - n));
                assert_ne!(n, 3, "on purpose");
                n
            })
        });
        let results = thread::join_all(threads);
        let values: Vec<_> = results.iter().map(|result| result.as_ref().ok()).collect();
        assert_eq!(values, [Some(&0), Some(&1), Some(&2), None, Some(&4)]);
    });
}

#[test]
fn join_timeout_gives_the_handle_back() {
    on_both(|| {
        let parked = thread::spawn(|| {
            thread::park();
            9
        });
        let begin = Instant::now();
        let parked = parked.join_timeout(SOON).expect_err("it is parked");
        assert!(begin.elapsed() >= SOON);
        let parked = parked.join_timeout(Duration::ZERO).expect_err("still");
        parked.thread().unpark();
        let result = parked.join_timeout(LONG).expect("it ends");
        assert_eq!(result.unwrap(), 9);
    });
}

#[test]
fn what_is_to_be_called_at_the_end_is_called_in_order_and_later_at_once() {
    on_both(|| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let note = |what| {
            let log = log.clone();
            move || log.lock().unwrap().push(what)
        };
        let (sender, ended) = mpsc::channel();
        let thread = thread::spawn(thread::park);
        thread.on_finish(note(1));
        thread.on_finish(|| panic!("on purpose"));
        thread.on_finish(note(2));
        thread.on_finish(move || sender.send(()).unwrap());
        assert!(log.lock().unwrap().is_empty());
        thread.thread().unpark();
        ended.recv().unwrap();
        assert_eq!(*log.lock().unwrap(), [1, 2]);
        assert!(thread.is_finished());
        thread.on_finish(note(3));
        assert_eq!(*log.lock().unwrap(), [1, 2, 3]);
        thread.join().unwrap();
    });
}

#[test]
fn the_end_is_told_of_one_that_is_cancelled_before_its_start() {
    on_both(|| {
        let (sender, ended) = mpsc::channel();
        let never = thread::Builder::new()
            .spawn_after(LONG, || unreachable!("it was cancelled"))
            .unwrap();
        never.on_finish(move || sender.send(()).unwrap());
        never.cancel().unwrap();
        ended.recv().unwrap();
        assert!(never.join().unwrap_err().is::<Cancelled>());
    });
}

#[test]
fn a_delayed_thread_starts_in_time() {
    on_both(|| {
        let begin = Instant::now();
        let late = thread::Builder::new().spawn_after(SOON, Instant::now);
        let at_once = thread::Builder::new().spawn_after(Duration::ZERO, || 1);
        assert_eq!(at_once.unwrap().join().unwrap(), 1);
        assert!(late.unwrap().join().unwrap() >= begin + SOON);
    });
}

#[test]
fn a_thread_knows_its_parent_and_where_it_was_spawned() {
    on_both(|| {
        let me = thread::current().id();
        let thread = thread::spawn(|| thread::spawn(|| thread::current().parent()).join().unwrap());
        let line = line!() - 1;
        let place = thread.thread().spawned_at().unwrap();
        assert_eq!((place.file(), place.line()), (file!(), line));
        assert_eq!(thread.thread().parent(), Some(me));
        let id = thread.thread().id();
        assert_eq!(thread.join().unwrap(), Some(id));
    });
    let foreign = std::thread::spawn(|| {
        let this = thread::current();
        (this.parent(), this.spawned_at())
    });
    assert_eq!(foreign.join().unwrap(), (None, None));
}

#[test]
fn a_thread_runs_on_the_worker_that_was_asked_for() {
    on_both(|| {
        for index in [0, 1, 1, 0] {
            let builder = thread::Builder::new().worker(index);
            let home = builder.spawn(|| std::thread::current().name().map(str::to_owned));
            let home = home.unwrap().join().unwrap();
            assert_eq!(home, Some(format!("greenwire-{index}")));
        }
        let builder = thread::Builder::new().worker(2);
        let error = builder.spawn(|| ()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("no worker 2"), "{error}");
    });
}

#[test]
fn a_thread_that_was_put_on_a_worker_is_not_stolen() {
    on_both(|| {
        // Nobody can start them before this is over; the other worker looks for work meanwhile.
        let busy = thread::Builder::new().worker(0).spawn(|| {
            let pinned: Vec<_> = (0..50)
                .map(|_| {
                    let builder = thread::Builder::new().worker(0);
                    builder.spawn(|| std::thread::current().id()).unwrap()
                })
                .collect();
            std::thread::sleep(SOON);
            (std::thread::current().id(), pinned)
        });
        let (home, pinned) = busy.unwrap().join().unwrap();
        for thread in pinned {
            assert_eq!(thread.join().unwrap(), home);
        }
    });
}

#[test]
fn a_local_thread_cannot_be_asked_to_another_worker() {
    on_both(|| {
        let thread = thread::Builder::new().worker(0).spawn(|| {
            let beside = thread::Builder::new().worker(0).spawn_local(|| 1);
            let elsewhere = thread::Builder::new().worker(1).spawn_local(|| 1);
            (
                beside.unwrap().join().unwrap(),
                elsewhere.unwrap_err().kind(),
            )
        });
        let result = thread.unwrap().join().unwrap();
        assert_eq!(result, (1, std::io::ErrorKind::InvalidInput));
    });
}
