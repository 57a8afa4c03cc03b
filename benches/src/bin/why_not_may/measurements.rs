//! The measurements. Each runs in a process of its own and prints its results as one line, the cells
//! separated by tabs; the last line counts, whatever becomes of the process afterwards.

use crate::runtimes::Runtime;
use greenwire_bench::process::Process;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How many coroutines there are at most, and after how many of them the memory is looked at.
const PARKED: usize = 100_000;
const STEP: usize = 100;

/// Coroutines that do nothing but exist: how many a process can have, and the memory of each.
///
/// A server has one for every connection, nearly all of them parked. They are spawned one after the
/// other, each when the one before runs. A program may not survive that there is no further one to be
/// had, so every step prints a result.
pub(crate) fn parked<R: Runtime>() -> io::Result<()> {
    let before = Process::own().memory()?.total();
    for count in 1..=PARKED {
        spawn_and_wait::<R>(|| {
            loop {
                R::park();
            }
        });
        if count % STEP == 0 {
            let bytes = Process::own().memory()?.total().saturating_sub(before);
            println!("{count}\t{:.1} KiB", bytes as f64 / 1024.0 / count as f64);
        }
    }
    Ok(())
}

/// Round trips of the echo, and how long the client waits for one of them.
const ECHOES: usize = 200;
const ECHO_LIMIT: Duration = Duration::from_secs(2);

/// A coroutine that is always ready, and an echo over TCP, on one worker: how long the echo takes.
///
/// The loop yields, as a good neighbour does. A scheduler that looks for I/O only when nothing else is
/// left to run never serves the socket. The client is an ordinary OS thread.
pub(crate) fn busy<R: Runtime>() -> io::Result<()> {
    R::set_workers(1)?;
    let mut client = TcpStream::connect(R::listen(echo)?)?;
    client.set_nodelay(true)?;
    client.set_read_timeout(Some(ECHO_LIMIT))?;
    round_trip(&mut client)?;
    R::spawn(|| {
        loop {
            R::yield_now();
        }
    });

    let mut times = Vec::new();
    for _ in 0..ECHOES {
        match round_trip(&mut client) {
            Ok(time) => times.push(time),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    times.sort_unstable();
    let median = times.get(ECHOES / 2).copied();
    let worst = times.get(ECHOES - 1).copied();
    println!("{}\t{}", or_never(median), or_never(worst));
    Ok(())
}

fn echo(mut stream: impl Read + Write) {
    let mut buffer = [0; 64];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

fn round_trip(client: &mut TcpStream) -> io::Result<Duration> {
    let start = Instant::now();
    client.write_all(b"ping")?;
    client.read_exact(&mut [0; 4])?;
    Ok(start.elapsed())
}

fn or_never(time: Option<Duration>) -> String {
    match time {
        Some(time) => format!("{:.3} ms", time.as_secs_f64() * 1000.0),
        None => "never".to_owned(),
    }
}

const IDLE: Duration = Duration::from_secs(5);

/// A process with nothing to do: how often its threads wake up nevertheless.
///
/// Every wake-up keeps a CPU from its deeper sleep, and a machine may have many idle services. Before
/// it rests, the process works a little: an echo, and a sleep.
pub(crate) fn idle<R: Runtime>() -> io::Result<()> {
    let mut client = TcpStream::connect(R::listen(echo)?)?;
    round_trip(&mut client)?;
    R::spawn(|| R::sleep(Duration::from_millis(10)));
    // What ends a second later, as the giving back of memory, is still part of the work.
    thread::sleep(Duration::from_secs(3));

    let before = Process::own().voluntary_switches()?;
    thread::sleep(IDLE);
    let switches = Process::own().voluntary_switches()? - before;
    // One of them is the thread that measures, going to sleep.
    println!("{}", switches.saturating_sub(1));
    Ok(())
}

/// How many coroutines sleep, how long, and when they are late.
const SLEEPERS: usize = 10;
const SLEEP: Duration = Duration::from_millis(10);
const LATE: Duration = Duration::from_millis(100);
const COMPUTATION: Duration = Duration::from_secs(1);

/// Coroutines that sleep for 10 ms, on two workers, while another one computes for a second: how many
/// of them that delays, and by how much.
///
/// Whoever shares the worker of the computation must wait for it. Nobody else should: a runtime whose
/// timers live in one OS thread, and that runs there what a timer woke, delays them all. So the
/// computation begins after a short sleep of its own, and the sleepers run before it.
pub(crate) fn sleepers<R: Runtime>() -> io::Result<()> {
    R::set_workers(2)?;
    let done = Arc::new(AtomicBool::new(false));
    let (sender, results) = mpsc::channel();
    for _ in 0..SLEEPERS {
        let (sender, done) = (sender.clone(), Arc::clone(&done));
        spawn_and_wait::<R>(move || {
            let _ = sender.send(latest_sleep::<R>(&done));
        });
    }
    drop(sender);
    spawn_and_wait::<R>(move || {
        R::sleep(Duration::from_millis(1));
        let start = Instant::now();
        while start.elapsed() < COMPUTATION {
            std::hint::spin_loop();
        }
        done.store(true, SeqCst);
    });

    let mut late: Vec<Duration> = results.iter().collect();
    late.sort_unstable();
    let delayed = late.iter().filter(|late| **late >= LATE).count();
    println!(
        "{delayed} of {}\t{}\t{}",
        late.len(),
        or_never(late.first().copied()),
        or_never(late.last().copied())
    );
    Ok(())
}

/// Sleeps again and again until it is `done`.
fn latest_sleep<R: Runtime>(done: &AtomicBool) -> Duration {
    let mut latest = Duration::ZERO;
    while !done.load(SeqCst) {
        let start = Instant::now();
        R::sleep(SLEEP);
        latest = latest.max(start.elapsed().saturating_sub(SLEEP));
    }
    latest
}

/// Returns when the coroutine has begun to run.
fn spawn_and_wait<R: Runtime>(body: impl FnOnce() + Send + 'static) {
    let runs = Arc::new(AtomicBool::new(false));
    let runs_too = Arc::clone(&runs);
    R::spawn(move || {
        runs_too.store(true, SeqCst);
        body();
    });
    while !runs.load(SeqCst) {
        thread::yield_now();
    }
}
