//! Two workers: where green threads go, and what passes between them.

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::{Builder, thread};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The tests keep workers busy, so they take turns.
static TURN: Mutex<()> = Mutex::new(());

fn two_workers() -> MutexGuard<'static, ()> {
    // Another test of this file may have been first.
    let _ = Builder::new().workers(2).start();
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps its caller's worker busy until two have called it, which are then on two workers.
fn meet(arrived: &AtomicUsize) {
    arrived.fetch_add(1, Ordering::SeqCst);
    while arrived.load(Ordering::SeqCst) < 2 {
        std::hint::spin_loop();
    }
}

/// Computes on one worker, parking never, until the flag is set.
fn hog(stop: &Arc<AtomicBool>) -> (thread::JoinHandle<()>, std::thread::ThreadId) {
    let stop = stop.clone();
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        sender.send(std::thread::current().id()).unwrap();
        while !stop.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    });
    (thread, receiver.recv().unwrap())
}

#[test]
fn a_sleep_is_not_delayed_by_computation_on_the_other_worker() {
    let _turn = two_workers();
    let stop = Arc::new(AtomicBool::new(false));
    let (hog, hogged) = hog(&stop);
    // Started while the hog computes, so on the other worker.
    let sleeper = thread::spawn(move || {
        assert_ne!(std::thread::current().id(), hogged);
        let begin = Instant::now();
        thread::sleep(Duration::from_millis(10));
        begin.elapsed()
    });
    // The hog computes until the sleeper is awake.
    let slept = sleeper.join_timeout(Duration::from_secs(30));
    stop.store(true, Ordering::Relaxed);
    hog.join().unwrap();
    let slept = slept.expect("it is not delayed").unwrap();
    assert!(slept >= Duration::from_millis(10), "{slept:?}");
}

#[test]
fn what_a_busy_worker_cannot_start_another_one_steals() {
    let _turn = two_workers();
    let results = thread::spawn(|| {
        let home = std::thread::current().id();
        let started = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..50)
            .map(|_| {
                let started = started.clone();
                thread::spawn(move || {
                    started.fetch_add(1, Ordering::Relaxed);
                    std::thread::current().id() != home
                })
            })
            .collect();
        // This worker computes until others have done everything.
        let end = Instant::now() + Duration::from_secs(30);
        while started.load(Ordering::Relaxed) < 50 && Instant::now() < end {
            std::hint::spin_loop();
        }
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert!(results.join().unwrap().into_iter().all(|stolen| stolen));
}

#[test]
fn threads_spawned_one_by_one_spread_over_the_workers() {
    let _turn = two_workers();
    let stop = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..1000)
        .map(|_| {
            let (sender, receiver) = std::sync::mpsc::channel();
            let stop = stop.clone();
            let thread = thread::spawn(move || {
                sender.send(std::thread::current().id()).unwrap();
                while stop.load(Ordering::Relaxed) == 0 {
                    thread::park();
                }
            });
            (thread, receiver.recv().unwrap())
        })
        .collect();
    let mut counts = HashMap::new();
    for (_, home) in &threads {
        *counts.entry(*home).or_insert(0) += 1;
    }
    stop.store(1, Ordering::Relaxed);
    for (thread, _) in threads {
        thread.thread().unpark();
        thread.join().unwrap();
    }
    assert!(
        counts.values().all(|count| (400..=600).contains(count)),
        "{counts:?}"
    );
}

/// A reader on one worker and a writer on another, data and end of stream together: a lost wake would
/// leave the reader parked for ever.
#[test]
fn data_and_end_of_stream_together_always_arrive() {
    let _turn = two_workers();
    let rounds: u32 = 100_000;
    let (to_writer, streams) = greenwire_runtime::sync::mpsc::sync_channel::<Source<UnixStream>>(0);
    let arrived = Arc::new(AtomicUsize::new(0));
    let reader_arrived = arrived.clone();
    let reader = thread::spawn(move || {
        meet(&reader_arrived);
        for round in 0..rounds {
            let (ours, theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            theirs.set_nonblocking(true).unwrap();
            let ours = Source::new(ours);
            to_writer.send(Source::new(theirs)).unwrap();
            let (mut buf, mut total) = ([0; 16], 0);
            loop {
                let read = ours
                    .read(buf.len(), None, |mut stream| stream.read(&mut buf))
                    .unwrap();
                if read == 0 {
                    break;
                }
                total += read;
            }
            assert_eq!(total, 5, "round {round}");
        }
    });
    let writer = thread::spawn(move || {
        meet(&arrived);
        for stream in streams {
            stream
                .perform(Direction::Write, None, |mut s| s.write(b"hello"))
                .unwrap();
        }
    });
    writer.join().unwrap();
    reader.join().unwrap();
}

#[test]
fn park_and_unpark_across_workers_never_hang() {
    let _turn = two_workers();
    let (arrived, turn) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let players: Vec<_> = (0..2)
        .map(|me| {
            let (arrived, turn) = (arrived.clone(), turn.clone());
            let (sender, receiver) = std::sync::mpsc::channel::<thread::Thread>();
            let player = thread::spawn(move || {
                meet(&arrived);
                let other = greenwire_runtime::unblock(move || receiver.recv().unwrap());
                for round in 0..20_000 {
                    while turn.load(Ordering::Acquire) != 2 * round + me {
                        thread::park();
                    }
                    turn.fetch_add(1, Ordering::Release);
                    other.unpark();
                }
            });
            (player, sender)
        })
        .collect();
    players[0].1.send(players[1].0.thread().clone()).unwrap();
    players[1].1.send(players[0].0.thread().clone()).unwrap();
    players
        .into_iter()
        .for_each(|(player, _)| player.join().unwrap());
    assert_eq!(turn.load(Ordering::Relaxed), 40_000);
}
