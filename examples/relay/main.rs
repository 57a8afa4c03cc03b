//! A live relay: one source of messages, any number of websocket subscribers, full duplex.
//!
//! Shows what greenwire is for. Every connection is served by two plain loops: one reads what the
//! browser sends, one sends what the browser has chosen. No callback, no `async`, no event loop.
//!
//! ```sh
//! cargo run --release --example relay                 # then open the address it prints
//! cargo run --release --example relay -- --threads    # the same, one OS thread per green thread
//! ```
//!
//! You should see this machine's load as a moving graph, and a chat; open the page twice.
//!
//! Where to read on: `relay.rs` has the loops, `wire.rs` the messages, `load.rs` the measuring.

#![allow(
    unreachable_pub,
    reason = "`pub` is easier on the reader, and nothing leaves a program"
)]

mod load;
mod relay;
mod wire;

use greenwire::http::{self, IntoResponse, Request, Response, StatusCode};
use greenwire::{runtime, websocket};
use relay::Relay;
use std::process::ExitCode;
use std::sync::Arc;

const PAGE: &str = include_str!("index.html");

const USAGE: &str = "\
usage: relay [--port N] [--workers N] [--threads]

  --port N      listen on this port of the loopback interface; 0 picks a free one (default 8000)
  --workers N   run the green threads on N OS threads (default: one per CPU)
  --threads     no green threads: one OS thread for each, for comparison";

fn main() -> ExitCode {
    let flags = match Flags::parse(lexopt::Parser::from_env()) {
        Ok(Some(flags)) => flags,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("relay: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(flags: &Flags) -> std::io::Result<()> {
    // Not needed for the default settings: the first use of greenwire starts the runtime.
    let mut builder = runtime::Builder::new().os_threads(flags.threads);
    if let Some(workers) = flags.workers {
        builder = builder.workers(workers);
    }
    builder.start()?;

    let relay = Relay::start(flags.threads);
    let server = http::Server::bind(("127.0.0.1", flags.port))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve(move |request: Request| answer(request, &relay))
}

/// One request, on a green thread of its own.
fn answer(request: Request, relay: &Arc<Relay>) -> Response {
    match request.uri().path() {
        "/" => http::html(PAGE),
        "/relay" => {
            let relay = Arc::clone(relay);
            websocket::Config::default()
                .max_message_size(wire::LONGEST_COMMAND)
                .upgrade(request, move |ws| relay.monitor_subscriber(ws))
        }
        _ => (StatusCode::NOT_FOUND, "there is only / and /relay\n").into_response(),
    }
}

/// What the command line says.
struct Flags {
    port: u16,
    workers: Option<usize>,
    threads: bool,
}

impl Flags {
    /// `None` if the user asked for help.
    fn parse(mut arguments: lexopt::Parser) -> Result<Option<Flags>, lexopt::Error> {
        use lexopt::prelude::{Long, Short, ValueExt};
        let mut flags = Flags {
            port: 8000,
            workers: None,
            threads: false,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("port") => flags.port = arguments.value()?.parse()?,
                Long("workers") => flags.workers = Some(arguments.value()?.parse()?),
                Long("threads") => flags.threads = true,
                Long("help") | Short('h') => return Ok(None),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(Some(flags))
    }
}
