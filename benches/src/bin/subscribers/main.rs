//! Ten thousand subscribers of the relay example: what they cost, and whether it is still punctual.
//!
//! ```sh
//! cargo build --release --example relay
//! cargo run --release --manifest-path benches/Cargo.toml --bin subscribers
//! ```
//!
//! Starts a relay, connects the subscribers (`crowd.rs`), each of which gets one sample a minute, and,
//! a minute later, one that gets a sample every 100 ms (`punctuality.rs`). You should see how late the samples
//! of that one came, and the memory, OS threads, memory maps and CPU time of the relay. With
//! `--threads` the relay has no green threads but two OS threads for each connection, to compare with;
//! it may not serve everybody then, which is a result and no error. The kernel's own stack for every OS
//! thread, 16 KiB, is not in the numbers.

mod crowd;
mod punctuality;
mod report;

use crowd::Crowd;
use greenwire_bench::example::Example;
use greenwire_bench::{descriptors, program};
use punctuality::{Measured, Punctuality};
use report::Load;
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{io, thread};

const RELAY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../target/release/examples/relay"
);

/// The first sample comes a second after subscribing; the measurement begins after the last of them.
const SETTLE: Duration = Duration::from_secs(2);

const USAGE: &str = "\
usage: subscribers [--clients N] [--every S] [--seconds S] [--threads] [--relay PATH]

  --clients N    how many subscribers get a sample now and then (default 10000)
  --every S      how often each of them does, in seconds (default 60)
  --seconds S    how long to measure (default 30)
  --threads      let the relay use one OS thread for each green thread
  --relay PATH   the relay (default: target/release/examples/relay of the repository)";

fn main() -> ExitCode {
    let flags = Flags::parse(lexopt::Parser::from_env());
    program::run("subscribers", USAGE, flags, measure)
}

fn measure(flags: &Flags) -> Result<(), Box<dyn Error>> {
    descriptors::allow(flags.clients as u64)?;
    let arguments: &[&str] = if flags.threads { &["--threads"] } else { &[] };
    let mut server = Example::start(&flags.relay, arguments)?;
    let url = format!("ws://{}/relay", server.address());
    let before = server.process().memory()?;

    let start = Instant::now();
    let (crowd, refused) = Crowd::gather(&url, flags.clients, flags.every, |connected| {
        eprint!("\r{connected} of {} are connected", flags.clients);
    });
    eprintln!(" after {:.1} s", start.elapsed().as_secs_f64());
    if let Err(error) = refused {
        eprintln!("the relay takes no more: {error}");
    }

    let observed = observe(&server, &url, &crowd, flags);
    report::crowd(&crowd, flags.clients, flags.threads);
    match observed {
        Ok(observed) => {
            report::line("  samples to them, each second", observed.samples_a_second);
            report::punctuality(observed.punctuality);
            report::load(before, &observed.begin, &observed.end, crowd.connected());
        }
        // A process whose load cannot be told is no more.
        Err(_) => report::line("the relay has ended", server.end()?),
    }
    Ok(())
}

/// What happened while one subscriber wanted a sample every 100 ms.
struct Observed {
    begin: Load,
    end: Load,
    /// Those of the crowd.
    samples_a_second: usize,
    punctuality: Measured,
}

/// The measurement proper, after all have subscribed. The error is a relay that has ended.
fn observe(server: &Example, url: &str, crowd: &Crowd, flags: &Flags) -> io::Result<Observed> {
    eprintln!("they subscribe, over {} s", flags.every.as_secs());
    thread::sleep(flags.every + SETTLE);
    let (begin, samples) = (Load::of(server.process())?, crowd.samples());
    eprintln!("measuring for {} s", flags.time.as_secs());
    let punctuality = Punctuality::measure(url, flags.time);
    let samples = crowd.samples() - samples;
    Ok(Observed {
        begin,
        end: Load::of(server.process())?,
        samples_a_second: samples / flags.time.as_secs().max(1) as usize,
        punctuality,
    })
}

fn seconds(value: OsString) -> Result<Duration, lexopt::Error> {
    use lexopt::prelude::ValueExt;
    value.parse().map(Duration::from_secs)
}

/// What the command line says.
struct Flags {
    clients: usize,
    every: Duration,
    time: Duration,
    threads: bool,
    relay: PathBuf,
}

impl Flags {
    /// `None` if the user asked for help.
    fn parse(mut arguments: lexopt::Parser) -> Result<Option<Flags>, lexopt::Error> {
        use lexopt::prelude::{Long, Short};
        let mut flags = Flags {
            clients: 10_000,
            every: Duration::from_secs(60),
            time: Duration::from_secs(30),
            threads: false,
            relay: RELAY.into(),
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("clients") => flags.clients = program::count(&mut arguments)?,
                Long("every") => flags.every = seconds(arguments.value()?)?,
                Long("seconds") => flags.time = seconds(arguments.value()?)?,
                Long("threads") => flags.threads = true,
                Long("relay") => flags.relay = arguments.value()?.into(),
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(flags))
    }
}
