//! Pools: never more than so many at a time, and nothing lost on the way.
//!
//! Some of the cases follow gevent's tests of `Pool`.

use greenwire_runtime::sync::mpsc;
use greenwire_runtime::thread::{self, Cancelled, Pool};
use greenwire_runtime::{Builder, time};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

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

/// Counts how many threads are in something at a time.
#[derive(Clone, Default)]
struct Crowd {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Crowd {
    fn visit(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        thread::sleep(Duration::from_micros(300));
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

#[test]
fn a_full_pool_makes_the_spawner_wait() {
    on_both(|| {
        let pool = Pool::new(2);
        let parked = [(); 2].map(|()| pool.spawn(thread::park));
        assert_eq!((pool.size(), pool.free_count()), (2, 0));
        let refused = pool.try_spawn(|| 1).unwrap_err();
        assert_eq!((refused.0)(), 1, "the closure comes back");
        let waits = time::timeout(SOON, || pool.spawn(|| 2));
        assert!(waits.is_err());
        assert!(!pool.wait_available(SOON));
        parked[0].thread().unpark();
        assert!(pool.wait_available(LONG));
        assert_eq!(pool.spawn(|| 3).join().unwrap(), 3);
        parked[1].thread().unpark();
        pool.group().join();
        assert_eq!(pool.free_count(), 2);
    });
}

#[test]
fn there_are_never_more_than_the_size() {
    on_both(|| {
        let (pool, crowd) = (Pool::new(7), Crowd::default());
        for _ in 0..200 {
            let crowd = crowd.clone();
            pool.spawn(move || crowd.visit());
        }
        pool.group().join();
        assert!((2..=7).contains(&crowd.most()), "{}", crowd.most());
    });
}

#[test]
fn many_spawners_share_a_pool_and_none_is_forgotten() {
    on_both(|| {
        let (pool, done) = (Pool::new(3), Arc::new(AtomicUsize::new(0)));
        let spawners = (0..20).map(|_| {
            let (pool, done) = (pool.clone(), done.clone());
            thread::spawn(move || {
                for _ in 0..50 {
                    let done = done.clone();
                    pool.spawn(move || done.fetch_add(1, Ordering::SeqCst));
                }
            })
        });
        for spawner in thread::join_all(spawners) {
            spawner.unwrap();
        }
        pool.group().join();
        assert_eq!(done.load(Ordering::SeqCst), 1000);
    });
}

#[test]
fn a_spawner_that_gives_up_hands_its_room_on() {
    on_both(|| {
        for _ in 0..200 {
            let pool = Pool::new(1);
            let first = pool.spawn(thread::park);
            let spawner = |n| {
                let pool = pool.clone();
                thread::spawn(move || pool.spawn(move || n).join().unwrap())
            };
            let (second, third) = (spawner(2), spawner(3));
            thread::yield_now();
            first.thread().unpark();
            second.cancel().unwrap();
            drop(second.join());
            assert_eq!(third.join().unwrap(), 3);
        }
    });
}

#[test]
fn a_pool_is_free_again_after_panics_and_cancellations() {
    on_both(|| {
        let pool = Pool::new(2);
        let panicked = pool.spawn(|| panic!("on purpose"));
        let cancelled = pool.spawn(thread::park);
        cancelled.cancel().unwrap();
        assert!(panicked.join().is_err());
        assert!(cancelled.join().unwrap_err().is::<Cancelled>());
        assert_eq!(pool.free_count(), 2);
    });
}

#[test]
fn map_gives_the_results_in_order() {
    on_both(|| {
        let (pool, crowd) = (Pool::new(5), Crowd::default());
        let inside = crowd.clone();
        let squares = pool.map(0..100u64, move |n| {
            inside.visit();
            n * n
        });
        assert_eq!(squares, (0..100).map(|n| n * n).collect::<Vec<_>>());
        assert!(crowd.most() <= 5);
        assert!(pool.map([(); 0], |()| 1).is_empty());
    });
}

#[test]
fn a_panic_of_what_is_mapped_reaches_the_caller() {
    on_both(|| {
        let pool = Pool::new(2);
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            pool.map(0..4, |n| assert!(n < 2, "item {n}"))
        }));
        let payload = result.unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"item 2".to_owned()));
        pool.group().join();
    });
}

#[test]
fn imap_is_ordered_and_imap_unordered_is_not() {
    on_both(|| {
        let nap = |millis| {
            thread::sleep(Duration::from_millis(millis));
            millis
        };
        let ordered: Vec<_> = Pool::new(3).imap([5, 0, 0], nap).collect();
        assert_eq!(ordered, [5, 0, 0]);

        let (open, gate) = mpsc::channel::<()>();
        let gate = greenwire_runtime::sync::Mutex::new(gate);
        let first_waits = move |n| {
            if n == 0 {
                let _ = gate.lock().unwrap().recv();
            }
            n
        };
        let mut unordered = Pool::new(3).imap_unordered(0..3, first_waits);
        let mut two = [unordered.next(), unordered.next()];
        two.sort_unstable();
        assert_eq!(two, [Some(1), Some(2)]);
        drop(open);
        assert_eq!([unordered.next(), unordered.next()], [Some(0), None]);
    });
}

#[test]
fn unread_results_are_bounded() {
    on_both(|| {
        for ordered in [true, false] {
            let (sender, started) = mpsc::channel();
            let run = move |n: u32| {
                sender.send(n).unwrap();
                n
            };
            let pool = Pool::new(10);
            let mut results: Box<dyn Iterator<Item = u32>> = if ordered {
                Box::new(pool.imap(0.., run).max_unread(4))
            } else {
                Box::new(pool.imap_unordered(0.., run).max_unread(4))
            };
            assert_eq!(started.try_iter().count(), 0, "nothing runs before next");
            for read in 1..=10 {
                assert!(results.next().is_some());
                pool.group().join();
                let total = started.try_iter().last().unwrap_or(0).max(3) as usize;
                assert!(total < read + 4, "{total} started, {read} read");
            }
        }
    });
}

#[test]
fn an_interrupted_reader_loses_no_result() {
    on_both(|| {
        for ordered in [true, false] {
            let pool = Pool::new(2);
            let nap = |n| {
                thread::sleep(2 * SOON);
                n
            };
            let mut results: Box<dyn Iterator<Item = u32>> = if ordered {
                Box::new(pool.imap(0..10, nap))
            } else {
                Box::new(pool.imap_unordered(0..10, nap))
            };
            let mut all = Vec::new();
            while let Some(next) = time::timeout(SOON / 2, || results.next()).unwrap_or(Some(99)) {
                all.push(next);
            }
            all.retain(|n| *n != 99);
            all.sort_unstable();
            assert_eq!(all, (0..10).collect::<Vec<_>>());
        }
    });
}

#[test]
fn a_reader_is_told_of_members_that_were_cancelled() {
    on_both(|| {
        for ordered in [true, false] {
            let pool = Pool::new(1);
            let park = |()| thread::park();
            let mut results: Box<dyn Iterator<Item = ()>> = if ordered {
                Box::new(pool.imap([()], park))
            } else {
                Box::new(pool.imap_unordered([()], park))
            };
            time::timeout(SOON, || results.next()).unwrap_err();
            pool.group().cancel().unwrap();
            let next = panic::catch_unwind(AssertUnwindSafe(|| results.next()));
            let payload = next.unwrap_err();
            let text = payload.downcast_ref::<&str>();
            assert_eq!(text, Some(&"a thread of the pool was cancelled"));
            assert_eq!(results.next(), None);
        }
    });
}

#[test]
fn the_end_of_the_items_is_seen_in_a_full_pool() {
    on_both(|| {
        let pool = Pool::new(1);
        let parked = pool.spawn(thread::park);
        assert_eq!(pool.imap([(); 0], |()| 1).next(), None);
        parked.thread().unpark();
        parked.join().unwrap();
    });
}

#[test]
#[should_panic(expected = "a pool of size 0")]
fn a_pool_of_nothing_is_refused() {
    Pool::new(0);
}
