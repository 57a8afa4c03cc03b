//! The load generator as a program: the words of a plan in, one line of JSON out.

use greenwire_bench_load::{Plan, ready_line, run};
use std::io::{self, Write};
use std::process::ExitCode;

const USAGE: &str = "\
usage: load KIND --address IP:PORT [option...]

  KIND               tcp-echo, http, churn, websocket-echo, broadcast, idle, stall or slow-head
  --path PATH        what is asked for, or the path of the websocket (default /)
  --body TEXT        what the body of every response must be
  --size N           bytes of a message (default 20)
  --window N         requests of a connection that may be without an answer (default 1)
  --connections N    how many there are (default 1)
  --stalled N        followers of a broadcast that do not read, beside the others
  --rate N           requests a second of all connections, whether or not the server keeps up;
                     without it, an answer lets the next request go
  --warm-up S        seconds before the measurement (default 0.2)
  --seconds S        seconds that it takes (default 1)
  --sources N        how many source addresses, from 127.64.0.1 on (default: the system's choice)
  --network N        use those from 127.64+N.0.1 on
  --watch PID        a process of the server: its CPU time is measured
  --wait             wait for a line on standard input when all are connected

`idle` only connects; with --wait it stays connected until the line comes.";

fn main() -> ExitCode {
    let plan = match Plan::parse(lexopt::Parser::from_env()) {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("load: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match load(plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The load is one OS thread: more of it are more processes.
fn load(plan: Plan) -> io::Result<()> {
    greenwire::runtime::Builder::new()
        .workers(1)
        .stack_size(64 * 1024)
        .start()?;
    let wait = plan.wait;
    let outcome = run(plan, || {
        if wait {
            // Nobody listens any more only if this process is about to be ended.
            let _ = writeln!(io::stdout(), "{}", ready_line());
            let _ = io::stdin().read_line(&mut String::new());
        }
    })?;
    let line = serde_json::to_string(&outcome)?;
    writeln!(io::stdout(), "{line}")
}
