//! The instrument is tested: our load generator and wrk on the same server, in turn.

use crate::loads::Loads;
use crate::measure::{Bench, judge};
use crate::metric::Metric;
use crate::process::Process;
use crate::results::{Peer, Point, Round};
use crate::rounds::Rounds;
use crate::servers::{Servers, command_line};
use greenwire_bench_load::{Kind, Plan};
use greenwire_bench_peers::{self as peers, Service};
use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 64;

/// How much longer than it was told wrk may take.
const GRACE: Duration = Duration::from_secs(20);

/// Who sends requests.
const INSTRUMENTS: [&str; 2] = ["load", "wrk"];

/// Measures greenwire's server with both.
pub fn measure(bench: &Bench, rounds: &Rounds, mut step: impl FnMut(&str)) -> Point {
    let server = peers::PEERS
        .first()
        .expect("greenwire is a peer of its own");
    let plan = plan(rounds);
    let mut instruments = INSTRUMENTS.map(|name| Peer {
        name: name.to_owned(),
        version: if name == "wrk" {
            wrk_version()
        } else {
            String::new()
        },
        command: command_line(server, Service::Http, bench.cpus.server.len(), 1),
        rounds: Vec::new(),
    });
    for _ in 0..rounds.count {
        for instrument in &mut instruments {
            if bench.children.is_interrupted() {
                break;
            }
            step(&instrument.name);
            let measured =
                serve(bench, server).and_then(|servers| match instrument.name.as_str() {
                    "wrk" => wrk(bench, &servers, &plan),
                    _ => load(bench, &servers, &plan),
                });
            instrument.rounds.push(match measured {
                Ok(values) => Round::Measured(values),
                Err(error) => Round::Failed(error.to_string()),
            });
        }
    }
    Point {
        label: format!("{CONNECTIONS} connections"),
        connections: None,
        load: format!(
            "wrk --latency --threads 1 --connections {CONNECTIONS} http://127.0.0.1:8080/plaintext"
        ),
        peers: instruments.to_vec(),
    }
}

fn plan(rounds: &Rounds) -> Plan {
    let mut plan = Plan::new(Kind::Http);
    plan.path = "/plaintext".to_owned();
    plan.connections = CONNECTIONS;
    plan.warm_up = rounds.warm_up;
    // wrk counts in whole seconds.
    plan.seconds = rounds.seconds.ceil();
    plan
}

fn serve(bench: &Bench, server: &peers::Peer) -> io::Result<Servers> {
    Servers::start(
        &bench.children,
        server,
        Service::Http,
        &bench.cpus.server,
        1,
    )
}

fn load(bench: &Bench, servers: &Servers, plan: &Plan) -> io::Result<BTreeMap<Metric, f64>> {
    let mut plan = plan.clone();
    plan.address = servers.address();
    plan.watch = servers.ids();
    let outcome = Loads::connect(&bench.children, &plan, &bench.cpus, 0)?.work()?;
    judge(&outcome, bench.cpus.server.len(), bench.cpus.load.len())
}

/// wrk has no warm-up: it and the server begin together, and its connecting counts.
fn wrk(bench: &Bench, servers: &Servers, plan: &Plan) -> io::Result<BTreeMap<Metric, f64>> {
    let mut command = Command::new("wrk");
    let threads = bench.cpus.load.len();
    command.args(["--latency", "--threads", &threads.to_string()]);
    command.args(["--connections", &CONNECTIONS.to_string()]);
    command.args(["--duration", &format!("{}s", plan.seconds)]);
    command.arg(format!("http://{}{}", servers.address(), plan.path));
    let cpu = || {
        servers
            .ids()
            .into_iter()
            .map(|id| Process::new(id).cpu_time())
            .sum::<io::Result<Duration>>()
    };
    let before = cpu()?;
    let mut wrk = bench.children.start(command, &bench.cpus.load)?;
    let end = Instant::now() + Duration::from_secs_f64(plan.seconds) + GRACE;
    let mut lines = Vec::new();
    loop {
        match wrk.line(end.saturating_duration_since(Instant::now())) {
            Ok(line) => lines.push(line),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    let used = cpu()?.saturating_sub(before).as_secs_f64();
    let report =
        Report::parse(&lines).ok_or_else(|| io::Error::other(format!("wrk says {lines:?}")))?;
    Ok([
        (Metric::Throughput, report.requests / report.seconds),
        (Metric::CpuPerOperation, 1e6 * used / report.requests),
        (Metric::Latency50, report.latency50),
        (Metric::Latency99, report.latency99),
        (
            Metric::ServerBusy,
            used / report.seconds / bench.cpus.server.len() as f64,
        ),
    ]
    .into())
}

/// What wrk prints.
#[derive(Debug, PartialEq)]
struct Report {
    requests: f64,
    seconds: f64,
    latency50: f64,
    latency99: f64,
}

impl Report {
    /// `None` if something is missing, or not every request was answered well.
    fn parse(lines: &[String]) -> Option<Report> {
        let trimmed = || lines.iter().map(|line| line.trim());
        let after = |name: &str| trimmed().find_map(|line| line.strip_prefix(name));
        if trimmed().any(|line| line.starts_with("Socket errors") || line.starts_with("Non-2xx")) {
            return None;
        }
        let (requests, rest) = trimmed().find_map(|line| line.split_once(" requests in "))?;
        Some(Report {
            requests: requests.parse().ok()?,
            seconds: microseconds(rest.split(',').next()?)? / 1e6,
            latency50: microseconds(after("50%")?)?,
            latency99: microseconds(after("99%")?)?,
        })
    }
}

/// A time as wrk writes it, such as `541.00us`, `1.20ms` or `3.01s`.
fn microseconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let units = [("us", 1.0), ("ms", 1e3), ("s", 1e6), ("m", 6e7)];
    let (number, unit) = units
        .iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    Some(number.parse::<f64>().ok()? * unit)
}

fn wrk_version() -> String {
    // `wrk --version` ends with status 1.
    let output = Command::new("wrk").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = text
        .ok()
        .and_then(|text| text.split_whitespace().nth(1).map(str::to_owned));
    version.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
Running 1s test @ http://127.0.0.1:8080/plaintext
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   550.10us  120.00us   5.10ms   97.00%
    Req/Sec   115.00k     2.00k  118.00k    70.00%
  Latency Distribution
     50%  541.00us
     75%  560.00us
     90%  580.00us
     99%    1.20ms
  126500 requests in 1.10s, 18.00MB read
Requests/sec: 115000.00
Transfer/sec:     16.36MB
";

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_wrk_prints_is_understood() {
        let report = Report::parse(&lines(OUTPUT)).unwrap();
        assert_eq!((report.requests, report.latency50), (126_500.0, 541.0));
        assert!((report.seconds - 1.1).abs() < 1e-9);
        assert!((report.latency99 - 1200.0).abs() < 1e-9);
    }

    #[test]
    fn bad_answers_are_no_result() {
        let bad = format!("{OUTPUT}  Non-2xx or 3xx responses: 7\n");
        assert_eq!(Report::parse(&lines(&bad)), None);
        assert_eq!(Report::parse(&lines("unable to connect")), None);
    }
}
