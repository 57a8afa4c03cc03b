//! Semaphores. After gevent's `test__semaphore.py` and `lock_tests.py`.

use super::support::{KINDS, Kind, SOON, green, join, let_others_run, spawn};
use greenwire_runtime::sync::{Semaphore, mpsc};
use greenwire_runtime::{thread, time};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

#[test]
fn no_more_than_so_many_hold_a_permit() {
    let semaphore = Arc::new(Semaphore::new(3));
    let holders = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..12)
        .map(|n| {
            let (semaphore, holders) = (semaphore.clone(), holders.clone());
            spawn(KINDS[n % 2], move || {
                for _ in 0..100 {
                    let _permit = semaphore.acquire();
                    assert!(holders.fetch_add(1, Ordering::SeqCst) < 3);
                    thread::yield_now();
                    holders.fetch_sub(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join());
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn who_wants_many_is_not_passed_by() {
    green(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        let (sender, order) = mpsc::channel();
        let held = semaphore.acquire();
        let wants = |n: usize| {
            let (semaphore, sender) = (semaphore.clone(), sender.clone());
            let thread = thread::spawn_local(move || {
                let _permits = semaphore.acquire_many(n);
                sender.send(n).unwrap();
            });
            let_others_run();
            thread
        };
        let threads = [wants(2), wants(1)];
        assert!(semaphore.try_acquire().is_none(), "two wait before");
        assert_eq!(semaphore.available_permits(), 1);
        drop(held);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        drop(sender);
        assert_eq!(order.iter().collect::<Vec<_>>(), [2, 1]);
        assert_eq!(semaphore.available_permits(), 2);
    });
}

#[test]
fn who_gives_up_lets_the_next_one_through() {
    green(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let greedy = {
            let semaphore = semaphore.clone();
            thread::spawn_local(move || drop(semaphore.acquire_many(2)))
        };
        let_others_run();
        let modest = {
            let semaphore = semaphore.clone();
            thread::spawn_local(move || drop(semaphore.acquire()))
        };
        let_others_run();
        assert!(!modest.is_finished());
        greedy.cancel().unwrap();
        modest.join().unwrap();
        greedy.join().unwrap_err();
    });
}

#[test]
fn permits_can_be_tried_forgotten_added_and_moved() {
    static SEMAPHORE: Semaphore = Semaphore::new(1);
    let permit = SEMAPHORE.try_acquire().unwrap();
    assert!(SEMAPHORE.try_acquire().is_none());
    assert!(SEMAPHORE.try_acquire_many(0).is_some());
    permit.forget();
    assert_eq!(SEMAPHORE.available_permits(), 0);
    SEMAPHORE.add_permits(2);
    drop(SEMAPHORE.try_acquire_many(2).unwrap());
    assert_eq!(
        format!("{SEMAPHORE:?}"),
        "Semaphore { available_permits: 2, .. }"
    );

    let semaphore = Arc::new(Semaphore::new(1));
    let permit = semaphore.acquire_owned();
    assert!(semaphore.try_acquire_owned().is_none());
    let holds = thread::spawn(move || drop(permit));
    spawn(Kind::Os, {
        let semaphore = semaphore.clone();
        move || semaphore.acquire_owned().forget()
    })
    .join();
    join(holds).unwrap();
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn a_wait_ends_with_its_time() {
    for kind in KINDS {
        spawn(kind, || {
            let semaphore = Semaphore::new(0);
            let begin = Instant::now();
            assert!(semaphore.acquire_timeout(SOON).is_none());
            assert!(begin.elapsed() >= SOON);
            let limited = time::timeout(SOON, || semaphore.acquire().forget());
            assert_eq!(limited, Err(time::Elapsed));
            semaphore.add_permits(1);
            assert!(semaphore.acquire_timeout(SOON).is_some());
        })
        .join();
    }
}
