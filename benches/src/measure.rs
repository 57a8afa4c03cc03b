//! One measurement: a server is started, loaded, looked at, and ended.

use crate::children::Children;
use crate::cpus::Cpus;
use crate::loads::{Loads, MOST_CONNECTIONS};
use crate::metric::Metric;
use crate::results::Round;
use crate::scenarios::Point;
use crate::servers::Servers;
use greenwire_bench_load::{Kind, Outcome, Plan};
use greenwire_bench_peers::Peer;
use std::collections::BTreeMap;
use std::io;
use std::thread;
use std::time::Duration;

/// Idle connections are left alone for so long, so that a server can give back what it does not need.
const SETTLE: Duration = Duration::from_secs(2);

/// Load generators beside the one that is measured use source addresses from here on.
const BESIDE: u8 = 64;

/// Everything that measurements have in common.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The processes that run.
    pub children: Children,
    /// Where they run.
    pub cpus: Cpus,
}

impl Bench {
    /// Measures one peer at one point. What goes wrong is a result as well.
    pub fn measure(&self, peer: &Peer, point: &Point) -> Round {
        let count = processes(point);
        let started = Servers::start(
            &self.children,
            peer,
            point.service,
            &self.cpus.server,
            count,
        );
        let measured = started.and_then(|mut servers| {
            let measured = self.load(&servers, point);
            match servers.ended() {
                Some(how) => Err(io::Error::other(format!("the server failed: {how}"))),
                None => measured,
            }
        });
        match measured {
            Ok(values) => Round::Measured(values),
            Err(error) => Round::Failed(error.to_string()),
        }
    }

    fn load(&self, servers: &Servers, point: &Point) -> io::Result<BTreeMap<Metric, f64>> {
        let plan = self.aimed(&point.load, servers);
        let before = servers.memory()?;
        let mut beside = None;
        if let Some(plan) = &point.beside {
            let plan = self.aimed(plan, servers);
            let mut loads = Loads::connect(&self.children, &plan, &self.cpus, BESIDE)?;
            loads.begin()?;
            beside = Some(loads);
        }
        let mut loads = Loads::connect(&self.children, &plan, &self.cpus, 0)?;
        if plan.kind == Kind::Idle {
            thread::sleep(SETTLE);
            let memory = servers.memory()?;
            loads.begin()?;
            return Ok(memory_of(memory, before, plan.connections));
        }
        let outcome = loads.work()?;
        let memory = servers.memory()?;
        drop(beside);
        let mut values = judge(&outcome, self.cpus.server.len(), self.cpus.load.len())?;
        values.insert(Metric::Memory, memory as f64);
        Ok(values)
    }

    fn aimed(&self, plan: &Plan, servers: &Servers) -> Plan {
        Plan {
            address: servers.address(),
            watch: servers.ids(),
            ..plan.clone()
        }
    }
}

/// How many processes a server needs for its descriptors.
pub fn processes(point: &Point) -> usize {
    point.load.connections.div_ceil(MOST_CONNECTIONS)
}

fn memory_of(memory: u64, before: u64, connections: usize) -> BTreeMap<Metric, f64> {
    let each = memory.saturating_sub(before) as f64 / connections as f64;
    [
        (Metric::Memory, memory as f64),
        (Metric::MemoryPerConnection, each),
    ]
    .into()
}

/// The values of an outcome; those of one in which something failed are none.
pub(crate) fn judge(
    outcome: &Outcome,
    server_cpus: usize,
    load_cpus: usize,
) -> io::Result<BTreeMap<Metric, f64>> {
    if outcome.failed > 0 {
        let why = outcome.failure.as_deref().unwrap_or("no reason given");
        let text = format!(
            "{} of {} connections failed: {why}",
            outcome.failed, outcome.connections
        );
        return Err(io::Error::other(text));
    }
    if outcome.operations == 0 {
        let text = format!("no answer in {:.1} s", outcome.seconds);
        return Err(io::Error::other(text));
    }
    let operations = outcome.operations as f64;
    let quantiles = outcome.latencies.quantiles(&[0.5, 0.99, 0.999]);
    let latency = |index: usize| 1e6 * quantiles[index].as_secs_f64();
    let busy = |seconds: f64, cpus: usize| seconds / outcome.seconds / cpus as f64;
    let mut values = BTreeMap::from([
        (Metric::Throughput, operations / outcome.seconds),
        (Metric::Latency50, latency(0)),
        (Metric::Latency99, latency(1)),
        (Metric::Latency999, latency(2)),
        (
            Metric::ServerBusy,
            busy(outcome.server_cpu_seconds, server_cpus),
        ),
        (Metric::LoadBusy, busy(outcome.own_cpu_seconds, load_cpus)),
    ]);
    // It is counted in hundredths of a second; none of these says nothing.
    if outcome.server_cpu_seconds > 0.0 {
        let cpu = 1e6 * outcome.server_cpu_seconds / operations;
        values.insert(Metric::CpuPerOperation, cpu);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_becomes_values_for_an_operation() {
        let outcome = Outcome {
            operations: 1000,
            seconds: 2.0,
            server_cpu_seconds: 1.0,
            own_cpu_seconds: 0.5,
            ..Outcome::default()
        };
        let values = judge(&outcome, 1, 1).unwrap();
        assert_eq!(values[&Metric::Throughput], 500.0);
        assert_eq!(values[&Metric::CpuPerOperation], 1000.0);
        assert_eq!(values[&Metric::ServerBusy], 0.5);
        assert_eq!(values[&Metric::LoadBusy], 0.25);
    }

    #[test]
    fn failures_and_silence_are_no_values() {
        let failed = Outcome {
            connections: 9,
            operations: 1,
            failed: 2,
            failure: Some("reset".to_owned()),
            ..Outcome::default()
        };
        let error = judge(&failed, 1, 1).unwrap_err().to_string();
        assert_eq!(error, "2 of 9 connections failed: reset");
        assert!(judge(&Outcome::default(), 1, 1).is_err());
    }
}
