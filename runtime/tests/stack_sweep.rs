//! What a parked green thread has in use stays, when the pages below go back.

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::sync::mpsc;
use greenwire_runtime::{dump, metrics, thread};
use std::hint::black_box;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Runs `f` with more and more stack in use.
#[inline(never)]
fn at_depth<T>(steps: usize, f: impl FnOnce() -> T) -> T {
    let step = black_box([7u8; 64]);
    let result = match steps {
        0 => f(),
        _ => at_depth(steps - 1, Box::new(f) as Box<dyn FnOnce() -> T>),
    };
    black_box(step);
    result
}

/// Pages go back below the frame that waits, not below some place in it.
#[test]
fn what_is_in_use_stays_wherever_a_page_ends() {
    check(|| ());
    // Who has told of itself waits where it did before.
    check(|| drop(dump()));
}

/// Calls `meanwhile` when all wait.
fn check(meanwhile: fn()) {
    const DEPTHS: usize = 48;
    let mut threads = Vec::new();
    let mut wakers: Vec<Box<dyn FnOnce()>> = Vec::new();
    for depth in 0..DEPTHS {
        let (sender, receiver) = mpsc::channel::<()>();
        let (ours, theirs) = UnixStream::pair().unwrap();
        let parker = thread::spawn(move || at_depth(depth, thread::park));
        let parked = parker.thread().clone();
        threads.push(parker);
        threads.push(thread::spawn(move || {
            at_depth(depth, || assert!(receiver.recv().is_err()));
        }));
        threads.push(thread::spawn(move || {
            let source = Source::new(theirs);
            at_depth(depth, || source.wait(Direction::Read, None).unwrap());
        }));
        wakers.push(Box::new(move || {
            drop((sender, ours));
            parked.unpark();
        }));
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while metrics().parked < threads.len() as u64 {
        assert!(Instant::now() < deadline, "they do not wait");
        std::thread::sleep(Duration::from_millis(1));
    }
    meanwhile();
    // Their workers sweep a second later, in a turn of their loop.
    let swept = Instant::now() + Duration::from_secs(3);
    while Instant::now() < swept {
        let turns: Vec<_> = (0..8).map(|_| thread::spawn(thread::yield_now)).collect();
        turns.into_iter().for_each(|turn| turn.join().unwrap());
        std::thread::sleep(Duration::from_millis(50));
    }
    wakers.into_iter().for_each(|wake| wake());
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}
