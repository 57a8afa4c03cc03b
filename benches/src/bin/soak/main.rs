//! Soak: everything that the runtime has, mixed, for as long as you like, from green and from OS threads.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml --bin soak -- --minutes 10
//! ```
//!
//! You should see a table of what was done, and that nothing is left: no green thread, no stack, no
//! descriptor. It ends with a failure if any check of `workloads.rs` fails, if one of them comes to a standstill,
//! or if something is left. `--seed N` repeats a sequence; the interleaving is the machine's.

mod random;
mod workloads;

use greenwire::runtime::{Metrics, dump, metrics};
use greenwire::thread;
use random::Random;
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use workloads::{WORKLOADS, Workload};

/// Green threads that do the same workload at the same time. One OS thread does, too.
const GREEN: u64 = 4;

/// The longest pause between two rounds, in microseconds.
const PAUSE: u64 = 20_000;

/// How long a workload may go without finishing a round, and what is left may take to go.
const STANDSTILL: Duration = Duration::from_secs(30);

/// The rounds that were done of a workload.
#[derive(Default)]
struct Rounds {
    green: AtomicU64,
    os: AtomicU64,
}

/// What the threads that do the work share.
struct Soak {
    rounds: [Rounds; WORKLOADS.len()],
    over: AtomicBool,
    seed: u64,
}

/// What must be as it was.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    live: u64,
    parked: u64,
    stack_bytes: u64,
    descriptors: usize,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (length, seed) = flags().map_err(|error| error.to_string())?;
    println!("{length:?} with --seed {seed}");
    warm_up(seed);
    let before = left();
    let memory = resident();
    let soak = Arc::new(Soak {
        rounds: Default::default(),
        over: AtomicBool::new(false),
        seed,
    });
    let finished = soak.clone().start();
    soak.watch(length)?;
    soak.over.store(true, Ordering::Relaxed);
    for finish in finished {
        finish()?;
    }
    let after = wait_until_gone(&before);
    print!("{}", soak.table());
    println!("{}", totals(&metrics(), memory));
    println!("left before: {before:?}\nleft after:  {after:?}");
    if before == after {
        Ok(())
    } else {
        Err(format!("something is left\n{}", dump()))
    }
}

fn flags() -> Result<(Duration, u64), lexopt::Error> {
    use lexopt::prelude::{Long, ValueExt};
    let (mut minutes, mut seed) = (1.0, 1);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("minutes") => minutes = arguments.value()?.parse()?,
            Long("seed") => seed = arguments.value()?.parse()?,
            other => return Err(other.unexpected()),
        }
    }
    Ok((Duration::from_secs_f64(minutes * 60.0), seed))
}

/// Whatever the runtime opens once and keeps is open after this.
fn warm_up(seed: u64) {
    for workload in &WORKLOADS {
        (workload.round)(&mut Random::new(seed, 0));
    }
    wait_until_gone(&Left {
        live: 0,
        parked: 0,
        stack_bytes: 0,
        descriptors: left().descriptors,
    });
}

type Finish = Box<dyn FnOnce() -> Result<(), String>>;

impl Soak {
    /// Starts all threads. Each of the functions that it returns waits for one to end.
    fn start(self: Arc<Soak>) -> Vec<Finish> {
        let mut finished = Vec::new();
        for (index, workload) in WORKLOADS.iter().enumerate() {
            for number in 1..=GREEN {
                let soak = self.clone();
                let green =
                    thread::spawn(move || soak.repeat(index, number, |rounds| &rounds.green));
                finished.push(finish(workload, move || green.join().is_ok()));
            }
            let soak = self.clone();
            let os = std::thread::spawn(move || soak.repeat(index, 0, |rounds| &rounds.os));
            finished.push(finish(workload, move || os.join().is_ok()));
        }
        finished
    }

    fn repeat(&self, index: usize, number: u64, count: fn(&Rounds) -> &AtomicU64) {
        let sequence = index as u64 * (GREEN + 1) + number;
        let mut random = Random::new(self.seed, sequence);
        while !self.over.load(Ordering::Relaxed) {
            (WORKLOADS[index].round)(&mut random);
            count(&self.rounds[index]).fetch_add(1, Ordering::Relaxed);
            // Workers that are idle now and then sleep, wake each other and steal.
            thread::sleep(random.micros(PAUSE));
        }
    }

    /// Waits for the end, or until a workload comes to a standstill on either kind of thread.
    fn watch(&self, length: Duration) -> Result<(), String> {
        let end = Instant::now() + length;
        let mut before = self.counts();
        while Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            std::thread::sleep(left.min(STANDSTILL));
            if left < STANDSTILL {
                break;
            }
            let now = self.counts();
            if let Some(index) = (0..now.len()).find(|&n| now[n] == before[n]) {
                let name = WORKLOADS[index / 2].name;
                return Err(format!("standstill of {name}\n{}", dump()));
            }
            before = now;
        }
        Ok(())
    }

    fn counts(&self) -> Vec<u64> {
        let both = |rounds: &Rounds| {
            [&rounds.green, &rounds.os].map(|count| count.load(Ordering::Relaxed))
        };
        self.rounds.iter().flat_map(both).collect()
    }

    fn table(&self) -> String {
        let mut text = format!(
            "{:<20}{:>16}{:>16}\n",
            "rounds of", "green threads", "OS threads"
        );
        for (workload, counts) in WORKLOADS.iter().zip(self.counts().chunks(2)) {
            text += &format!("{:<20}{:>16}{:>16}\n", workload.name, counts[0], counts[1]);
        }
        text
    }
}

fn finish(workload: &'static Workload, join: impl FnOnce() -> bool + 'static) -> Finish {
    Box::new(move || match join() {
        true => Ok(()),
        false => Err(format!("{} went wrong", workload.name)),
    })
}

/// Waits until no more is left than `before`, but not for ever. Returns what is left.
fn wait_until_gone(before: &Left) -> Left {
    let end = Instant::now() + STANDSTILL;
    loop {
        let now = left();
        if now == *before || Instant::now() >= end {
            return now;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn left() -> Left {
    let metrics = metrics();
    Left {
        live: metrics.live,
        parked: metrics.parked,
        stack_bytes: metrics.stack_bytes,
        descriptors: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
    }
}

fn totals(metrics: &Metrics, memory: u64) -> String {
    format!(
        "{} spawned, {} stolen, {} switches; memory {memory} KiB at the beginning, {} KiB at the end",
        metrics.spawned,
        metrics.steals,
        metrics.switches,
        resident()
    )
}

/// KiB of memory in use.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
