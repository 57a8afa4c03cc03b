//! Ten thousand browsers that wait by long polls: what they cost, and how soon a message reaches all of them.
//!
//! ```sh
//! cargo build --release --example comet_chat
//! cargo run --release --manifest-path benches/Cargo.toml --bin polls
//! ```
//!
//! Starts the comet chat, makes the clients by JSON-RPC, and lets each of them poll on a connection of its own
//! (`client.rs`). When all of them wait, you should see the memory of each, and then how long each of some messages took
//! to the first, the middle and the last of them. They poll again at once, and this program takes its share of the
//! CPUs to read all the answers.

mod client;

use client::{Client, call};
use greenwire::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use greenwire::thread;
use greenwire_bench::example::Example;
use greenwire_bench::{descriptors, program};
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const CHAT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../target/release/examples/comet_chat"
);

/// How long all of them may take to connect, or to get a message.
const PATIENCE: Duration = Duration::from_secs(60);

/// After this the runtime has given back what it needed of the stacks only to begin.
const SETTLE: Duration = Duration::from_secs(3);

/// Between messages, so that all of them poll again.
const PAUSE: Duration = Duration::from_millis(500);

const USAGE: &str = "\
usage: polls [--clients N] [--messages N] [--chat PATH]

  --clients N    how many wait (default 10000)
  --messages N   how many messages they get (default 20)
  --chat PATH    the server (default: target/release/examples/comet_chat of the repository)";

fn main() -> ExitCode {
    let flags = Flags::parse(lexopt::Parser::from_env());
    program::run("polls", USAGE, flags, measure)
}

fn measure(flags: &Flags) -> Result<(), Box<dyn Error>> {
    descriptors::allow(flags.clients as u64)?;
    let server = Example::start(&flags.chat, &[])?;
    let process = server.process();
    let before = process.memory()?;

    let (sender, arrivals) = channel();
    for client in Client::create(server.address(), flags.clients)? {
        let sender = sender.clone();
        thread::spawn(move || client.poll(&sender));
    }
    drop(sender);
    // Each has had an answer, to what the subscriptions of the others left, and waits.
    wait_for(&arrivals, flags.clients)?;
    thread::sleep(SETTLE);

    let now = process.memory()?;
    line("polls that wait", flags.clients);
    let each = |now: u64, before: u64| {
        let bytes = now.saturating_sub(before) as f64 / flags.clients as f64;
        format!("{:.2} KiB", bytes / 1024.0)
    };
    let (pages, tables) = (
        each(now.pages, before.pages),
        each(now.tables, before.tables),
    );
    line(
        "memory of each",
        format!("{pages} + {tables} of page tables"),
    );
    line("OS threads", process.threads()?);

    let cpu_time = process.cpu_time()?;
    for number in 0..flags.messages {
        let start = Instant::now();
        let message = format!(r#"["source", "message {number}", "{}"]"#, client::CHANNEL);
        call(server.address(), "new_message", &message)?;
        let mut times = wait_for(&arrivals, flags.clients)?;
        times.sort_unstable();
        let after = |place: usize| {
            let time = times[place].saturating_duration_since(start);
            format!("{:.1} ms", time.as_secs_f64() * 1000.0)
        };
        let (middle, last) = (times.len() / 2, times.len() - 1);
        let text = format!("{}, {}, {}", after(0), after(middle), after(last));
        line(&format!("message {number}: first, middle, last"), text);
        thread::sleep(PAUSE);
    }
    let cpu_time =
        (process.cpu_time()? - cpu_time) / (flags.messages * flags.clients).max(1) as u32;
    line(
        "CPU time of the server for each answer",
        format!("{cpu_time:.1?}"),
    );
    Ok(())
}

/// The times at which `count` answers came.
fn wait_for(arrivals: &Receiver<io::Result<Instant>>, count: usize) -> io::Result<Vec<Instant>> {
    let deadline = Instant::now() + PATIENCE;
    let mut times = Vec::with_capacity(count);
    while times.len() < count {
        let left = deadline.saturating_duration_since(Instant::now());
        match arrivals.recv_timeout(left) {
            Ok(time) => times.push(time?),
            Err(RecvTimeoutError::Timeout) => {
                let text = format!("only {} of {count} answers came", times.len());
                return Err(io::Error::other(text));
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("all connections have ended"));
            }
        }
    }
    Ok(times)
}

fn line(name: &str, value: impl Display) {
    println!("{name:48} {value}");
}

/// What the command line says.
struct Flags {
    clients: usize,
    messages: usize,
    chat: PathBuf,
}

impl Flags {
    /// `None` if the user asked for help.
    fn parse(mut arguments: lexopt::Parser) -> Result<Option<Flags>, lexopt::Error> {
        use lexopt::prelude::{Long, Short};
        let mut flags = Flags {
            clients: 10_000,
            messages: 20,
            chat: CHAT.into(),
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("clients") => flags.clients = program::count(&mut arguments)?,
                Long("messages") => flags.messages = program::count(&mut arguments)?,
                Long("chat") => flags.chat = arguments.value()?.into(),
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(flags))
    }
}
