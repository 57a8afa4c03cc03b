//! Fairness on a single worker: nobody can keep it from the others.

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::{Builder, thread};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Far below what an unfair scheduler shows (for ever), far above what ours does (0.2 ms).
const LATE: Duration = Duration::from_secs(10);

/// The tests keep the one worker busy, so they take turns: what one of them queues delays all others.
static TURN: Mutex<()> = Mutex::new(());

fn one_worker() -> MutexGuard<'static, ()> {
    // Another test of this file may have been first.
    let _ = Builder::new().workers(1).start();
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pair of which one end belongs to green threads.
fn pair() -> (UnixStream, Source<UnixStream>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    ours.set_read_timeout(Some(LATE)).unwrap();
    (ours, Source::new(theirs))
}

fn read(source: &Source<UnixStream>, buf: &mut [u8]) -> io::Result<usize> {
    source.read(buf.len(), None, |mut stream| stream.read(buf))
}

fn echo(source: &Source<UnixStream>) -> io::Result<()> {
    let mut byte = [0];
    while read(source, &mut byte)? > 0 {
        source.perform(Direction::Write, None, |mut stream| stream.write(&byte))?;
    }
    Ok(())
}

/// Echoes a hundred bytes from outside, each within the time limit.
fn check_echo() {
    let (mut ours, theirs) = pair();
    let server = thread::spawn(move || echo(&theirs));
    for n in 0..100 {
        ours.write_all(&[n]).unwrap();
        let mut byte = [0];
        ours.read_exact(&mut byte).expect("the echo comes in time");
        assert_eq!(byte, [n]);
    }
    drop(ours);
    server.join().unwrap().unwrap();
}

#[test]
fn a_yield_loop_does_not_starve_a_socket() {
    let _turn = one_worker();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let busy = thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            thread::yield_now();
        }
    });
    check_echo();
    stop.store(true, Ordering::Relaxed);
    busy.join().unwrap();
}

#[test]
fn a_flooded_reader_does_not_starve_a_socket() {
    let _turn = one_worker();
    let (mut ours, theirs) = pair();
    let flooded = thread::spawn(move || {
        let mut buf = [0; 512];
        let mut total = 0;
        loop {
            match read(&theirs, &mut buf) {
                Ok(0) | Err(_) => return total,
                Ok(n) => total += n,
            }
        }
    });
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let flood = std::thread::spawn(move || {
        let mut sent = 0;
        while !stopped.load(Ordering::Relaxed) {
            sent += ours.write(&[7; 65536]).unwrap();
        }
        sent
    });
    check_echo();
    stop.store(true, Ordering::Relaxed);
    assert_eq!(flood.join().unwrap(), flooded.join().unwrap());
}

#[test]
fn a_channel_that_is_never_empty_does_not_starve_a_socket() {
    let _turn = one_worker();
    let (sender, receiver) = greenwire_runtime::sync::mpsc::sync_channel(64);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let sends = thread::spawn(move || while sender.send(()).is_ok() {});
    let receives =
        thread::spawn(move || while !stopped.load(Ordering::Relaxed) && receiver.recv().is_ok() {});
    check_echo();
    stop.store(true, Ordering::Relaxed);
    receives.join().unwrap();
    sends.join().unwrap();
}

#[test]
fn a_timer_fires_beside_a_yield_loop() {
    let _turn = one_worker();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let busy = thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            thread::yield_now();
        }
    });
    let sleeper = thread::spawn(|| thread::sleep(Duration::from_millis(10)));
    let woke = sleeper.join_timeout(LATE);
    stop.store(true, Ordering::Relaxed);
    woke.expect("the timer fires").unwrap();
    busy.join().unwrap();
}

#[test]
fn a_descriptor_is_reused_after_its_source_is_dropped() {
    let _turn = one_worker();
    for _ in 0..200 {
        let (mut ours, theirs) = pair();
        let server = thread::spawn(move || echo(&theirs));
        ours.write_all(b"x").unwrap();
        ours.read_exact(&mut [0]).unwrap();
        drop(ours);
        server.join().unwrap().unwrap();
    }
}

#[test]
fn a_chain_of_spawns_does_not_starve_a_thread_from_outside() {
    static STOP: AtomicBool = AtomicBool::new(false);
    fn chain() {
        if !STOP.load(Ordering::Relaxed) {
            drop(thread::spawn(chain));
        }
    }
    let _turn = one_worker();
    let first = thread::spawn(|| thread::spawn(chain));
    std::thread::sleep(Duration::from_millis(10));
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(()).unwrap());
    let ran = receiver.recv_timeout(LATE);
    STOP.store(true, Ordering::Relaxed);
    ran.expect("it runs");
    drop(first.join());
}

fn compute(milliseconds: u64) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(milliseconds) {
        std::hint::spin_loop();
    }
}

#[test]
fn timers_are_looked_at_between_slow_threads_that_start() {
    let _turn = one_worker();
    let started = Arc::new(AtomicUsize::new(0));
    let counts = started.clone();
    // How many threads start during a sleep of a millisecond, at most. Each of them takes three.
    let sleeper = thread::spawn(move || {
        let during_a_sleep = |_| {
            let before = counts.load(Ordering::Relaxed);
            thread::sleep(Duration::from_millis(1));
            counts.load(Ordering::Relaxed) - before
        };
        (0..30).map(during_a_sleep).max()
    });
    let slow: Vec<_> = (0..300)
        .map(|_| started.clone())
        .map(|started| {
            thread::spawn(move || {
                started.fetch_add(1, Ordering::Relaxed);
                compute(3);
            })
        })
        .collect();
    let most = sleeper.join().unwrap();
    assert!(most < Some(40), "{most:?} of 300");
    slow.into_iter().for_each(|slow| slow.join().unwrap());
}

#[test]
fn a_slow_thread_that_yields_does_not_keep_new_ones_from_starting() {
    let _turn = one_worker();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let slow = thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            compute(2);
            thread::yield_now();
        }
    });
    let (sender, receiver) = std::sync::mpsc::channel();
    let starter = thread::spawn(move || {
        for n in 0..10 {
            let sender = sender.clone();
            thread::spawn(move || sender.send(n).unwrap())
                .join()
                .unwrap();
        }
    });
    for n in 0..10 {
        assert_eq!(receiver.recv_timeout(LATE), Ok(n));
    }
    stop.store(true, Ordering::Relaxed);
    slow.join().unwrap();
    starter.join().unwrap();
}

#[test]
fn two_readers_of_one_stream_share_what_comes() {
    let _turn = one_worker();
    let (mut ours, theirs) = pair();
    let theirs = Arc::new(theirs);
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let theirs = theirs.clone();
            thread::spawn(move || {
                let (mut byte, mut count) = ([0], 0);
                while read(&theirs, &mut byte).unwrap() > 0 {
                    count += 1;
                }
                count
            })
        })
        .collect();
    for _ in 0..100 {
        ours.write_all(&[1; 10]).unwrap();
        std::thread::yield_now();
    }
    drop(ours);
    let counts = readers.into_iter().map(|reader| reader.join().unwrap());
    assert_eq!(counts.sum::<i32>(), 1000);
}

#[test]
fn a_timeout_ends_a_read() {
    let _turn = one_worker();
    let (_ours, theirs) = pair();
    let waited = thread::spawn(move || {
        let (begin, limit) = (Instant::now(), Duration::from_millis(5));
        let error = theirs
            .read(1, Some(limit), |mut stream| stream.read(&mut [0]))
            .unwrap_err();
        (error.kind(), begin.elapsed() >= limit)
    });
    assert_eq!(waited.join().unwrap(), (io::ErrorKind::WouldBlock, true));
}
