//! Socket.IO beside Node's `socket.io` and `socketioxide`: memory of idle clients, events with answers, broadcasts.
//!
//! ```sh
//! benches/peers/setup
//! cargo build --release --manifest-path benches/Cargo.toml --workspace
//! cargo run --release --manifest-path benches/Cargo.toml --bin socketio
//! ```
//!
//! Each server is a process with one worker on CPU 1; this program plays the clients, over websockets, on CPU 0
//! (`client.rs`). It measures one server after the other, again and again (`measure.rs`): what many clients cost that
//! only listen, a message to the room of all of them, and a few that ask and wait for the answer. You should see the
//! medians, with the least and the greatest value, and how many times greenwire's they are, from round to round.

mod client;
mod measure;

use greenwire::runtime::Builder;
use greenwire_bench::children::Children;
use greenwire_bench::metric::Metric;
use greenwire_bench::statistics::Summary;
use greenwire_bench::{cpus, descriptors, program};
use greenwire_bench_peers::{PEERS, Peer, Service};
use measure::{FIGURES, Values, measure};
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

/// The CPU of the clients.
const CLIENTS: usize = 0;

const USAGE: &str = "\
usage: socketio [--clients N] [--messages N] [--askers N] [--seconds S] [--runs N]

  --clients N    how many only listen (default 2000)
  --messages N   how many messages they get (default 50)
  --askers N     how many ask and wait for the answer (default 64)
  --seconds S    for how long (default 3)
  --runs N       how often each server is measured (default 5)";

/// What was measured of each server, round by round.
type Results = Vec<(&'static Peer, Vec<Values>)>;

fn main() -> ExitCode {
    let flags = Flags::parse(lexopt::Parser::from_env());
    program::run("socketio", USAGE, flags, compare)
}

fn compare(flags: &Flags) -> Result<(), Box<dyn Error>> {
    descriptors::allow((flags.clients + flags.askers) as u64)?;
    cpus::on(&[CLIENTS], || Builder::new().workers(1).start())?;
    let children = Children::default();
    let mut results: Results = peers().map(|peer| (peer, Vec::new())).collect();
    for run in 1..=flags.runs {
        for (peer, rounds) in &mut results {
            eprintln!("round {run}: {}", peer.name);
            rounds.push(measure(&children, peer, flags)?);
        }
    }
    for (figure, (name, metric)) in FIGURES.into_iter().enumerate() {
        println!("{name}");
        show(&results, figure, metric);
    }
    Ok(())
}

/// Those that are there, greenwire first.
fn peers() -> impl Iterator<Item = &'static Peer> {
    let offering = PEERS
        .iter()
        .filter(|peer| peer.services.contains(&Service::SocketIo));
    offering.filter(|peer| match peer.version() {
        Ok(version) => {
            println!("{}: {version}", peer.name);
            true
        }
        Err(error) => {
            println!("{} is left out: {error}", peer.name);
            false
        }
    })
}

fn show(results: &Results, figure: usize, metric: Metric) {
    let base = results.first().map(|(_, rounds)| rounds);
    for (peer, rounds) in results {
        let of = |rounds: &[Values]| rounds.iter().map(|round| round[figure]).collect::<Vec<_>>();
        let Some(values) = Summary::of(of(rounds)) else {
            continue;
        };
        let pairs = of(rounds)
            .into_iter()
            .zip(base.map(|base| of(base)).unwrap_or_default());
        let times = Summary::of(pairs.map(|(value, base)| value / base));
        let [median, min, max] = [values.median, values.min, values.max].map(|it| metric.show(it));
        let times = times.map_or(String::new(), |times| format!("{:.2} times", times.median));
        let range = format!("({min} to {max})");
        println!("  {:16} {median:>10}  {range:26} {times}", peer.name);
    }
}

/// What the command line says.
pub(crate) struct Flags {
    clients: usize,
    messages: usize,
    askers: usize,
    time: Duration,
    runs: usize,
}

impl Flags {
    /// `None` if the user asked for help.
    fn parse(mut arguments: lexopt::Parser) -> Result<Option<Flags>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let mut flags = Flags {
            clients: 2000,
            messages: 50,
            askers: 64,
            time: Duration::from_secs(3),
            runs: 5,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("clients") => flags.clients = program::count(&mut arguments)?,
                Long("messages") => flags.messages = program::count(&mut arguments)?,
                Long("askers") => flags.askers = program::count(&mut arguments)?,
                Long("seconds") => flags.time = Duration::from_secs(arguments.value()?.parse()?),
                Long("runs") => flags.runs = program::count(&mut arguments)?,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(flags))
    }
}
