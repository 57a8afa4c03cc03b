//! Why not `may`? Runs it and greenwire side by side, each measurement in a process of its own.
//!
//! ```sh
//! cargo run --release --manifest-path benches/Cargo.toml --bin why_not_may
//! ```
//!
//! You should see, after about half a minute, one line per measurement, with a column for each
//! runtime. `measurements.rs` says what they measure and why; all settings are the defaults, but for
//! the number of workers where that is said.

mod measurements;
mod runtimes;

use measurements::{busy, idle, parked, sleepers};
use runtimes::{Greenwire, May};
use std::process::{Command, ExitCode, Output};
use std::{env, io};

/// A measurement, and what the cells of its result line mean.
struct Measurement {
    name: &'static str,
    rows: &'static [&'static str],
    may: fn() -> io::Result<()>,
    greenwire: fn() -> io::Result<()>,
}

const MEASUREMENTS: [Measurement; 4] = [
    Measurement {
        name: "parked",
        rows: &["parked coroutines that lived, of 100000", "memory of each"],
        may: parked::<May>,
        greenwire: parked::<Greenwire>,
    },
    Measurement {
        name: "busy",
        rows: &[
            "echo over TCP beside a yield loop, one worker: median",
            "echo over TCP beside a yield loop, one worker: worst",
        ],
        may: busy::<May>,
        greenwire: busy::<Greenwire>,
    },
    Measurement {
        name: "idle",
        rows: &["times that an idle process wakes up in 5 s"],
        may: idle::<May>,
        greenwire: idle::<Greenwire>,
    },
    Measurement {
        name: "sleepers",
        rows: &[
            "10 ms sleepers that a computation of 1 s delays, two workers",
            "delay of the least delayed one",
            "delay of the most delayed one",
        ],
        may: sleepers::<May>,
        greenwire: sleepers::<Greenwire>,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => compare(),
        [name, runtime] => measure(name, runtime),
        _ => Err(io::Error::other("takes no arguments")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("why_not_may: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The child: one measurement of one runtime.
fn measure(name: &str, runtime: &str) -> io::Result<()> {
    let measurement = MEASUREMENTS.iter().find(|known| known.name == name);
    match (measurement, runtime) {
        (Some(measurement), "may") => (measurement.may)(),
        (Some(measurement), "greenwire") => (measurement.greenwire)(),
        _ => Err(io::Error::other("takes no arguments")),
    }
}

/// The parent: the table, and below it how children died.
fn compare() -> io::Result<()> {
    let mut notes = Vec::new();
    println!("{}", line("", "may", "greenwire"));
    for measurement in &MEASUREMENTS {
        let may = run(measurement, "may", &mut notes)?;
        let greenwire = run(measurement, "greenwire", &mut notes)?;
        for ((row, may), greenwire) in measurement.rows.iter().zip(may).zip(greenwire) {
            println!("{}", line(row, &may, &greenwire));
        }
    }
    for note in notes {
        println!("\n{note}");
    }
    Ok(())
}

fn line(row: &str, may: &str, greenwire: &str) -> String {
    format!("{row:60} {may:>12} {greenwire:>12}")
}

/// A cell for each row of the measurement.
fn run(
    measurement: &Measurement,
    runtime: &str,
    notes: &mut Vec<String>,
) -> io::Result<Vec<String>> {
    let child = Command::new(env::current_exe()?)
        .args([measurement.name, runtime])
        .env("RUST_BACKTRACE", "0")
        .output()?;
    if !child.status.success() {
        notes.push(obituary(measurement.name, runtime, &child));
    }
    let results = String::from_utf8_lossy(&child.stdout);
    let last = results.lines().last().unwrap_or_default();
    let cells = last.split('\t').map(str::to_owned);
    let missing = std::iter::repeat("failed".to_owned());
    let cells = cells.filter(|cell| !cell.is_empty()).chain(missing);
    Ok(cells.take(measurement.rows.len()).collect())
}

/// How a child ended, with the last of what it had to say about it.
fn obituary(measurement: &str, runtime: &str, child: &Output) -> String {
    let words = String::from_utf8_lossy(&child.stderr);
    let advice = |line: &&str| line.is_empty() || line.starts_with("note:");
    let last = words.lines().rev().find(|line| !advice(line));
    let last = last.unwrap_or("no last words");
    format!("{runtime}, {measurement}: {}: {last}", child.status)
}
