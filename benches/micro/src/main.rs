//! What single operations cost: switching, spawning, channels, timers, locks, websocket frames.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml -p greenwire-bench-micro -- [NAME...] [--json]
//! ```
//!
//! You should see, within a minute or so, a line for each operation and each runtime, with the median of
//! nine repetitions. Each repetition lasts 20 ms or more, and the runtimes take turns. A `NAME` picks the
//! operations that contain it. `--json` prints an object for each line, `--repetitions N` changes the nine.
//!
//! Those for two workers are measured with the two green threads on different OS threads. May and tokio's
//! multi-thread scheduler move them together again, which their figures show; std's threads and tokio's
//! current-thread scheduler, of which there are two then, cannot.
//!
//! `--check` compares greenwire with a bare switch of stacks, and fails when something has become far
//! slower than it was: see `check.rs`.

mod blocking;
mod case;
mod check;
#[cfg(feature = "peers")]
mod frames;
mod greenwire;
#[cfg(feature = "peers")]
mod may;
mod memory;
mod std_threads;
mod switch;
mod timers;
#[cfg(feature = "peers")]
mod tokio;

use case::{Case, Measured};
use std::process::{Command, ExitCode};
use std::{env, io};

/// How many workers the runtimes of one process have. A process measures the cases made for it.
const WORKERS: [usize; 2] = [1, 2];

fn main() -> ExitCode {
    let flags = match Flags::parse(lexopt::Parser::from_env()) {
        Ok(flags) => flags,
        Err(error) => {
            eprintln!("micro: {error}");
            return ExitCode::from(2);
        }
    };
    let done = match flags.workers {
        _ if flags.check => check::check(flags.repetitions),
        Some(workers) => measure(&flags, workers),
        None => measure_in_children(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("micro: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The parent: a process for each number of workers, one after the other.
fn measure_in_children() -> io::Result<()> {
    let cpus = std::thread::available_parallelism()?.get();
    for workers in WORKERS {
        if workers > cpus {
            eprintln!("micro: left out what needs {workers} CPUs, there is {cpus}");
            continue;
        }
        let mut child = Command::new(env::current_exe()?);
        child.args(env::args_os().skip(1));
        child.args(["--workers", &workers.to_string()]);
        let status = child.status()?;
        if !status.success() {
            let text = format!("the process with {workers} workers failed: {status}");
            return Err(io::Error::other(text));
        }
    }
    Ok(())
}

/// The child.
fn measure(flags: &Flags, workers: usize) -> io::Result<()> {
    greenwire::start(workers)?;
    #[cfg(feature = "peers")]
    {
        may::start(workers);
        tokio::start(workers)?;
    }
    let cases = all_cases();
    let mut cases: Vec<&Case> = cases
        .iter()
        .filter(|case| case.workers == workers)
        .collect();
    cases.retain(|case| flags.picks(case));
    for names in cases.chunk_by(|one, other| one.name == other.name) {
        for (case, measured) in names.iter().zip(case::measure(names, flags.repetitions)) {
            print(case, &measured, flags.json);
        }
    }
    Ok(())
}

/// Cases of the same name are neighbours.
fn all_cases() -> Vec<Case> {
    let mut cases = switch::cases();
    cases.extend(blocking::cases::<greenwire::Greenwire>());
    cases.extend(blocking::cases::<std_threads::StdThreads>());
    cases.push(timers::case());
    #[cfg(feature = "peers")]
    {
        cases.extend(blocking::cases::<may::May>());
        cases.extend(tokio::cases());
        cases.extend(frames::cases());
    }
    let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    let first = |case: &Case| names.iter().position(|name| *name == case.name);
    cases.sort_by_key(first);
    cases
}

fn print(case: &Case, measured: &Measured, json: bool) {
    let Case { name, peer, .. } = case;
    let Measured {
        median,
        least,
        most,
        operations,
    } = measured;
    if json {
        println!(
            r#"{{"name": "{name}", "peer": "{peer}", "nanoseconds": {median:.1}, "least": {least:.1}, "most": {most:.1}, "operations": {operations}}}"#
        );
    } else {
        println!("{name:36} {peer:22} {median:>10.1} ns   ({least:.1} to {most:.1})");
    }
}

/// What the command line says.
struct Flags {
    names: Vec<String>,
    json: bool,
    check: bool,
    repetitions: usize,
    /// Set for children.
    workers: Option<usize>,
}

impl Flags {
    fn parse(mut arguments: lexopt::Parser) -> Result<Flags, lexopt::Error> {
        use lexopt::prelude::{Long, Value, ValueExt};
        let mut flags = Flags {
            names: Vec::new(),
            json: false,
            check: false,
            repetitions: 9,
            workers: None,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Value(name) => flags.names.push(name.string()?),
                Long("json") => flags.json = true,
                Long("check") => flags.check = true,
                Long("repetitions") => flags.repetitions = arguments.value()?.parse()?,
                Long("workers") => flags.workers = Some(arguments.value()?.parse()?),
                other => return Err(other.unexpected()),
            }
        }
        if flags.repetitions == 0 {
            return Err("--repetitions must be 1 or more".into());
        }
        Ok(flags)
    }

    fn picks(&self, case: &Case) -> bool {
        self.names.is_empty()
            || self
                .names
                .iter()
                .any(|name| case.name.contains(name.as_str()))
    }
}
