//! Locks for readers and writers, as far as std's cannot be the measure: order, and cancellation.

use super::support::{KINDS, SOON, green, let_others_run, spawn};
use greenwire_runtime::sync::{RwLock, mpsc};
use greenwire_runtime::{thread, time};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn it_excludes_among_threads_of_both_kinds() {
    let lock = Arc::new(RwLock::new((0, 0)));
    let threads: Vec<_> = (0..12)
        .map(|n| {
            let lock = lock.clone();
            spawn(KINDS[n % 2], move || {
                for round in 0..300 {
                    if (n + round) % 4 == 0 {
                        let mut pair = lock.write().unwrap();
                        pair.0 += 1;
                        thread::yield_now();
                        pair.1 += 1;
                    } else {
                        let pair = lock.read().unwrap();
                        thread::yield_now();
                        assert_eq!(pair.0, pair.1);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join());
    assert_eq!(*lock.read().unwrap(), (900, 900));
}

#[test]
fn it_is_granted_in_turn_to_readers_together() {
    green(|| {
        let lock = Arc::new(RwLock::new(()));
        let (sender, order) = mpsc::channel();
        let held = lock.read().unwrap();
        let asks = |name: &'static str| {
            let (lock, sender) = (lock.clone(), sender.clone());
            let thread = thread::spawn_local(move || {
                if name.starts_with('w') {
                    let _guard = lock.write().unwrap();
                    sender.send(name).unwrap();
                    thread::yield_now();
                } else {
                    let _guard = lock.read().unwrap();
                    sender.send(name).unwrap();
                    thread::sleep(SOON); // both readers hold it at the same time
                }
                sender.send("released").unwrap();
            });
            let_others_run();
            thread
        };
        let threads = ["w1", "r1", "r2", "w2"].map(asks);
        assert!(lock.try_read().is_err(), "a writer waits before");
        drop(held);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        drop(sender);
        let order: Vec<_> = order.iter().collect();
        assert_eq!(
            order,
            [
                "w1", "released", "r1", "r2", "released", "released", "w2", "released"
            ]
        );
    });
}

#[test]
fn a_writer_is_not_starved_by_readers() {
    let lock = Arc::new(RwLock::new(()));
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..4)
        .map(|n| {
            let (lock, stop) = (lock.clone(), stop.clone());
            spawn(KINDS[n % 2], move || {
                while !stop.load(Ordering::SeqCst) {
                    let _guard = lock.read().unwrap();
                    thread::yield_now(); // there is a reader at any time
                }
            })
        })
        .collect();
    for kind in KINDS {
        let lock = lock.clone();
        spawn(kind, move || {
            (0..50).for_each(|_| drop(lock.write().unwrap()))
        })
        .join();
    }
    stop.store(true, Ordering::SeqCst);
    readers.into_iter().for_each(|reader| reader.join());
}

#[test]
fn a_cancelled_writer_lets_readers_through_and_poisons_nothing() {
    green(|| {
        let lock = Arc::new(RwLock::new(()));
        let held = lock.read().unwrap();
        let writer = {
            let lock = lock.clone();
            thread::spawn_local(move || drop(lock.write()))
        };
        let_others_run();
        let reader = {
            let lock = lock.clone();
            thread::spawn_local(move || drop(lock.read()))
        };
        let_others_run();
        assert!(!reader.is_finished());
        writer.cancel().unwrap();
        reader.join().unwrap();
        writer.join().unwrap_err();
        drop(held);

        let limited = time::timeout(SOON, || {
            let _guard = lock.write().unwrap();
            thread::park();
        });
        assert_eq!(limited, Err(time::Elapsed));
        assert!(!lock.is_poisoned() && lock.try_write().is_ok());
    });
}
