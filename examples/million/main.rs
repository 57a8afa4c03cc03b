//! A million green threads, half of them asleep and half waiting for a message, each with a guarded
//! stack of its own; then every one is woken and joined.
//!
//! Run it with `cargo run --release --example million` (5 GB of memory). You see how many memory maps
//! that takes, how many bytes each, and how many seconds. `--count N` takes fewer, `--seconds N` gives a
//! slower machine more time before the sleepers wake.

mod memory;

use greenwire::sync::mpsc::{self, Sender};
use greenwire::thread::{self, JoinHandle};
use memory::{Memory, STACK, report_guards};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How many stacks are examined.
const SAMPLES: usize = 1000;

/// A green thread as `main` knows it.
struct Waiting {
    thread: JoinHandle<()>,
    /// Wakes it, if it waits for a message.
    sender: Option<Sender<()>>,
}

/// What the green threads leave for `main`.
#[derive(Default)]
struct Record {
    parked: AtomicUsize,
    woken: AtomicUsize,
    /// Where the frames of some of them are.
    frames: Mutex<Vec<usize>>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (count, seconds) = flags()?;
    greenwire::runtime::Builder::new()
        .stack_size(STACK)
        .start()?;
    thread::spawn(|| ()).join().expect("it does nothing");
    let before = Memory::now();

    let begin = Instant::now();
    let alarm = begin + Duration::from_secs(seconds);
    let record = Arc::new(Record::default());
    let waiting = spawn(count, alarm, &record);
    while record.parked.load(Ordering::Acquire) < count && Instant::now() < alarm {
        thread::sleep(Duration::from_millis(10));
    }
    let parked = record.parked.load(Ordering::Acquire);
    if parked < count || record.woken.load(Ordering::Acquire) > 0 {
        return Err(format!(
            "only {parked} have parked in time: give them more with --seconds, or see \
             whether the log of the runtime tells of stacks that cannot be had"
        )
        .into());
    }
    println!(
        "{count} green threads are parked after {:.1} s",
        begin.elapsed().as_secs_f64()
    );
    if let (Ok(before), Ok(now)) = (before, Memory::now()) {
        now.report(&before, count);
        report_guards(&record.frames.lock().expect("nobody panics"))?;
    }
    thread::sleep(alarm.saturating_duration_since(Instant::now()));
    let begin = Instant::now();
    for sender in waiting.iter().filter_map(|waiting| waiting.sender.as_ref()) {
        sender.send(())?;
    }
    for waiting in waiting {
        waiting.thread.join().expect("no green thread panics");
    }
    assert_eq!(record.woken.load(Ordering::Acquire), count);
    println!(
        "  all woken and joined in {:.1} s",
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

fn flags() -> Result<(usize, u64), Box<dyn std::error::Error>> {
    let (mut count, mut seconds) = (1_000_000, 30);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("count") => count = parser.value()?.to_string_lossy().parse()?,
            lexopt::Arg::Long("seconds") => seconds = parser.value()?.to_string_lossy().parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok((count, seconds))
}

fn spawn(count: usize, alarm: Instant, record: &Arc<Record>) -> Vec<Waiting> {
    let mut waiting = Vec::with_capacity(count);
    for number in 0..count {
        let record = record.clone();
        let sampled = number % (count.div_ceil(SAMPLES) | 1) == 0; // some of each half
        waiting.push(if number % 2 == 0 {
            let sleep = move || thread::sleep(alarm.saturating_duration_since(Instant::now()));
            Waiting {
                thread: thread::spawn(move || record.park(sampled, sleep)),
                sender: None,
            }
        } else {
            let (sender, receiver) = mpsc::channel();
            // Fails only if `main` has given up.
            let receive = move || _ = receiver.recv();
            Waiting {
                thread: thread::spawn(move || record.park(sampled, receive)),
                sender: Some(sender),
            }
        });
    }
    waiting
}

impl Record {
    fn park(&self, sampled: bool, wait: impl FnOnce()) {
        if sampled {
            let frame = 0u8;
            self.frames
                .lock()
                .expect("nobody panics")
                .push((&raw const frame).addr());
        }
        self.parked.fetch_add(1, Ordering::AcqRel);
        wait();
        self.woken.fetch_add(1, Ordering::AcqRel);
    }
}
