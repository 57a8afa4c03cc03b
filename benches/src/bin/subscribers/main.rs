//! Ten thousand subscribers of the relay example: what they cost, and whether it is still punctual.
//!
//! ```sh
//! cargo build --release --example relay
//! cargo run --release --manifest-path benches/Cargo.toml --bin subscribers
//! ```
//!
//! Starts a relay, connects the subscribers (`crowd.rs`), each of which gets one sample a minute, and
//! then one that gets a sample every 100 ms (`punctuality.rs`). You should see how late the samples
//! of that one came, and the memory, OS threads, memory maps and CPU time of the relay. With
//! `--threads` the relay has no green threads but two OS threads for each connection, to compare with;
//! it may not serve everybody then, which is a result and no error.

mod crowd;
mod punctuality;
mod server;

use crowd::Crowd;
use greenwire_benches::process::{Memory, Process};
use punctuality::Punctuality;
use rustix::process::{Resource, getrlimit, setrlimit};
use server::Server;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const RELAY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../target/release/examples/relay"
);

const USAGE: &str = "\
usage: subscribers [--clients N] [--seconds S] [--threads] [--relay PATH]

  --clients N    how many subscribers get a sample a minute (default 10000)
  --seconds S    how long to measure (default 30)
  --threads      let the relay use one OS thread for each green thread
  --relay PATH   the relay (default: target/release/examples/relay of the repository)";

fn main() -> ExitCode {
    let flags = match Flags::parse(lexopt::Parser::from_env()) {
        Ok(Some(flags)) => flags,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("subscribers: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match measure(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("subscribers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(flags: &Flags) -> Result<(), Box<dyn Error>> {
    allow_descriptors(flags.clients as u64)?;
    let server = Server::start(&flags.relay, flags.threads)?;
    let process = server.process();
    let before = process.memory()?;

    let start = Instant::now();
    let (crowd, refused) = Crowd::gather(server.url(), flags.clients, |connected| {
        eprint!("\r{connected} of {} are connected", flags.clients);
    });
    eprintln!(" after {:.1} s", start.elapsed().as_secs_f64());
    if let Err(error) = refused {
        eprintln!("the relay takes no more: {error}");
    }
    let connected = Load::of(process)?;

    eprintln!("measuring for {} s", flags.time.as_secs());
    let punctuality = Punctuality::measure(server.url(), flags.time);
    let end = Load::of(process)?;

    report_crowd(&crowd, flags);
    report_punctuality(punctuality);
    let subscribers = crowd.connected().max(1) as u64;
    report_load(before, &connected, &end, subscribers);
    Ok(())
}

/// Every connection is a descriptor in both processes; the relay inherits the limit.
fn allow_descriptors(clients: u64) -> Result<(), Box<dyn Error>> {
    const OTHERS: u64 = 100;
    let mut limit = getrlimit(Resource::Nofile);
    if limit
        .current
        .is_none_or(|current| current >= clients + OTHERS)
    {
        return Ok(());
    }
    if let Some(maximum) = limit.maximum.filter(|maximum| *maximum < clients + OTHERS) {
        return Err(format!("at most {maximum} descriptors are allowed (`ulimit -Hn`)").into());
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    Ok(())
}

/// What the relay has and has used at one moment.
struct Load {
    memory: Memory,
    threads: u64,
    maps: usize,
    cpu_time: Duration,
}

impl Load {
    fn of(process: Process) -> std::io::Result<Load> {
        Ok(Load {
            memory: process.memory()?,
            threads: process.threads()?,
            maps: process.maps()?,
            cpu_time: process.cpu_time()?,
        })
    }
}

fn report_crowd(crowd: &Crowd, flags: &Flags) {
    let mode = if flags.threads {
        "OS threads"
    } else {
        "green threads"
    };
    line("relay with", mode);
    line(
        "subscribers connected",
        format!("{} of {}", crowd.connected(), flags.clients),
    );
    line("  that got a sample", crowd.served());
    line("  whose connection ended", crowd.ended());
}

fn report_punctuality(punctuality: Result<Punctuality, greenwire::websocket::Error>) {
    let punctuality = match punctuality {
        Ok(punctuality) => punctuality,
        Err(error) => return line("a sample every 100 ms", format!("failed: {error}")),
    };
    let (received, expected) = (punctuality.received(), punctuality.expected());
    line(
        "samples, one every 100 ms",
        format!("{received} of about {expected}"),
    );
    for (name, share) in [
        ("  late: p50", 0.5),
        ("  late: p99", 0.99),
        ("  late: max", 1.0),
    ] {
        match punctuality.quantile(share) {
            Some(late) => line(name, format!("{late:.3} ms")),
            None => line(name, "-"),
        }
    }
}

fn report_load(before: Memory, connected: &Load, end: &Load, subscribers: u64) {
    let each = |now: u64, before: u64| {
        let bytes = now.saturating_sub(before) as f64 / subscribers as f64;
        format!("{:.2} KiB", bytes / 1024.0)
    };
    for (when, now) in [("when all are connected", connected), ("at the end", end)] {
        let pages = each(now.memory.pages, before.pages);
        let tables = each(now.memory.tables, before.tables);
        line(
            &format!("memory of a connection {when}"),
            format!("{pages} + {tables} of page tables"),
        );
    }
    line("OS threads", end.threads);
    line("memory maps", end.maps);
    let cpu_time = end.cpu_time.saturating_sub(connected.cpu_time);
    line("CPU time", format!("{:.2} s", cpu_time.as_secs_f64()));
}

fn line(name: &str, value: impl std::fmt::Display) {
    println!("{name:46} {value}");
}

/// What the command line says.
struct Flags {
    clients: usize,
    time: Duration,
    threads: bool,
    relay: PathBuf,
}

impl Flags {
    /// `None` if the user asked for help.
    fn parse(mut arguments: lexopt::Parser) -> Result<Option<Flags>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let mut flags = Flags {
            clients: 10_000,
            time: Duration::from_secs(30),
            threads: false,
            relay: RELAY.into(),
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("clients") => flags.clients = arguments.value()?.parse()?,
                Long("seconds") => {
                    flags.time = Duration::from_secs(arguments.value()?.parse()?);
                }
                Long("threads") => flags.threads = true,
                Long("relay") => flags.relay = arguments.value()?.into(),
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(flags))
    }
}
