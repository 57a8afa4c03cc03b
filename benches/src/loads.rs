//! Load generators as processes of their own.

use crate::children::{Children, Process};
use crate::cpus::Cpus;
use greenwire_bench_load::{Kind, Outcome, Plan, ready_line};
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How many connections a process may have: 20,000 descriptors are a common limit.
pub const MOST_CONNECTIONS: usize = 18_000;

/// How long a load generator may take to connect, and to stop.
const CONNECT: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(20);

/// Load generators that are connected to a server; dropping them ends them.
#[derive(Debug)]
pub struct Loads {
    processes: Vec<Process>,
    limit: Duration,
}

impl Loads {
    /// Starts as many as the plan needs, and waits until all are connected. `first` is the number of the
    /// first network of source addresses that they may use.
    ///
    /// # Errors
    /// Why one could not connect.
    pub fn connect(children: &Children, plan: &Plan, cpus: &Cpus, first: u8) -> io::Result<Loads> {
        let parts = split(plan, cpus.load.len(), first);
        let start = |(index, plan): (usize, &Plan)| {
            let mut command = Command::new(program()?);
            command.args(plan.arguments()).stdin(Stdio::piped());
            children.start(command, &[cpus.load[index % cpus.load.len()]])
        };
        let processes = parts.iter().enumerate().map(start);
        let mut processes = processes.collect::<io::Result<Vec<_>>>()?;
        for process in &mut processes {
            let line = process.line(CONNECT).map_err(of_load)?;
            if line != ready_line() {
                return Err(io::Error::other(format!(
                    "the load generator printed {line:?}"
                )));
            }
        }
        Ok(Loads {
            processes,
            limit: Duration::from_secs_f64(plan.warm_up + plan.seconds) + STOP,
        })
    }

    /// Lets them do their work, and waits until it is done.
    ///
    /// # Errors
    /// Why one could not.
    pub fn work(mut self) -> io::Result<Outcome> {
        self.begin()?;
        let limit = self.limit;
        let outcome = |process: &mut Process| {
            let line = process.line(limit).map_err(of_load)?;
            Ok(serde_json::from_str(&line)?)
        };
        let outcomes = self.processes.iter_mut().map(outcome);
        Ok(Outcome::together(outcomes.collect::<io::Result<Vec<_>>>()?))
    }

    /// Lets them begin.
    ///
    /// # Errors
    /// One that has ended.
    pub fn begin(&mut self) -> io::Result<()> {
        self.processes
            .iter_mut()
            .try_for_each(|process| process.tell(b"go\n"))
    }
}

/// What each of several load generators has to do.
fn split(plan: &Plan, cpus: usize, first: u8) -> Vec<Plan> {
    let count = match plan.kind {
        Kind::Broadcast => 1,
        _ => plan
            .connections
            .div_ceil(MOST_CONNECTIONS)
            .max(cpus.min(plan.connections)),
    };
    let part = |index: usize| {
        let connections = plan.connections * (index + 1) / count - plan.connections * index / count;
        Plan {
            connections,
            rate: plan
                .rate
                .map(|rate| rate * connections as f64 / plan.connections as f64),
            network: first + index as u8,
            wait: true,
            ..plan.clone()
        }
    };
    (0..count).map(part).collect()
}

fn of_load(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the load generator: {error}"))
}

/// The program, which lies beside this one.
fn program() -> io::Result<PathBuf> {
    let program = greenwire_bench_peers::programs_directory()?.join("load");
    if !program.exists() {
        let text = format!("{} not found; cargo build makes it", program.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(kind: Kind, connections: usize) -> Plan {
        let mut plan = Plan::new(kind);
        plan.connections = connections;
        plan
    }

    #[test]
    fn parts_make_up_the_whole() {
        let mut whole = plan(Kind::Http, 100_000);
        whole.rate = Some(1000.0);
        let parts = split(&whole, 1, 4);
        assert_eq!(parts.len(), 6);
        assert_eq!(
            parts.iter().map(|part| part.connections).sum::<usize>(),
            100_000
        );
        assert!(
            parts
                .iter()
                .all(|part| part.connections <= MOST_CONNECTIONS)
        );
        let rate: f64 = parts.iter().filter_map(|part| part.rate).sum();
        assert!((rate - 1000.0).abs() < 1e-6);
        let networks: Vec<u8> = parts.iter().map(|part| part.network).collect();
        assert_eq!(networks, [4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn every_cpu_gets_a_part_but_nobody_an_empty_one() {
        assert_eq!(split(&plan(Kind::Http, 64), 4, 0).len(), 4);
        assert_eq!(split(&plan(Kind::Http, 1), 4, 0).len(), 1);
        assert_eq!(split(&plan(Kind::Broadcast, 10_000), 4, 0).len(), 1);
    }
}
