//! The program that measures the runtimes themselves, without a server. It prints lines of JSON.

use crate::measure::Bench;
use crate::metric::Metric;
use crate::results::{Peer, Point, Round};
use serde::Deserialize;
use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What it is called; it lies beside this program.
const PROGRAM: &str = "micro";

/// It repeats each measurement itself, and is run more than once as well.
const ARGUMENTS: [&str; 3] = ["--json", "--repetitions", "3"];

/// How long one measurement may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What one prints on a line.
#[derive(Debug, Deserialize)]
struct Line {
    name: String,
    peer: String,
    nanoseconds: f64,
}

/// Runs it `count` times. A point for each thing that it measures.
pub fn measure(bench: &Bench, count: usize, mut step: impl FnMut(&str)) -> Vec<Point> {
    let mut points = Vec::new();
    for round in 0..count {
        if bench.children.is_interrupted() {
            break;
        }
        step(PROGRAM);
        let mut found = |line: Line| {
            add(
                &mut points,
                round,
                &line.name,
                line.peer,
                Ok(line.nanoseconds),
            )
        };
        if let Err(error) = run(bench, &mut found) {
            add(&mut points, round, "all", PROGRAM.to_owned(), Err(error));
        }
    }
    points
}

/// Runs it once, and passes on what it prints. It has all CPUs, since some cases need two.
fn run(bench: &Bench, found: &mut impl FnMut(Line)) -> io::Result<()> {
    let path = greenwire_bench_peers::programs_directory()?.join(PROGRAM);
    if !path.exists() {
        let text = format!("{PROGRAM} not found; cargo build makes it");
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    let mut command = Command::new(path);
    command.args(ARGUMENTS).stdin(Stdio::null());
    let cpus = [bench.cpus.load.as_slice(), &bench.cpus.server].concat();
    let mut process = bench.children.start(command, &cpus)?;
    loop {
        match process.line(LIMIT) {
            Ok(line) => found(serde_json::from_str(&line)?),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    match process.ended() {
        Some(how) if !how.contains("exit status: 0") => Err(io::Error::other(how)),
        _ => Ok(()),
    }
}

/// Puts a value where it belongs: to its point and peer, in its round.
fn add(points: &mut Vec<Point>, round: usize, name: &str, peer: String, value: io::Result<f64>) {
    let command = format!("benches/target/release/{PROGRAM} {}", ARGUMENTS.join(" "));
    let index = points
        .iter()
        .position(|point| point.label == name)
        .unwrap_or_else(|| {
            points.push(Point {
                label: name.to_owned(),
                connections: None,
                load: String::new(),
                peers: Vec::new(),
            });
            points.len() - 1
        });
    let peers = &mut points[index].peers;
    let index = peers
        .iter()
        .position(|known| known.name == peer)
        .unwrap_or_else(|| {
            peers.push(Peer {
                name: peer,
                command,
                ..Peer::default()
            });
            peers.len() - 1
        });
    let rounds = &mut peers[index].rounds;
    // A round in which it printed nothing.
    rounds.resize_with(round.max(rounds.len()), || {
        Round::Failed("not measured".to_owned())
    });
    rounds.push(match value {
        Ok(nanoseconds) => Round::Measured([(Metric::Nanoseconds, nanoseconds)].into()),
        Err(error) => Round::Failed(error.to_string()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_find_their_point_peer_and_round() {
        let mut points = Vec::new();
        let mut put = |round, name, peer: &str, value| {
            add(&mut points, round, name, peer.to_owned(), Ok(value));
        };
        put(0, "yield", "greenwire", 40.0);
        put(0, "yield", "may", 140.0);
        put(0, "spawn", "may", 5000.0);
        put(1, "yield", "greenwire", 42.0);
        put(1, "spawn", "greenwire", 300.0);
        assert_eq!(points.len(), 2);
        let values = |point: usize, peer: usize| {
            let peer = &points[point].peers[peer];
            peer.values(Metric::Nanoseconds).collect::<Vec<_>>()
        };
        assert_eq!(values(0, 0), [Some(40.0), Some(42.0)]);
        assert_eq!(values(0, 1), [Some(140.0)]);
        assert_eq!(values(1, 1), [None, Some(300.0)]);
    }
}
