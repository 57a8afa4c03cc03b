//! The order of measurements: A B C, A B C, and so on, so that a slow minute of the machine meets all.

use crate::machine;
use crate::measure::{Bench, processes};
use crate::metric::Metric;
use crate::results;
use crate::results::Round;
use crate::scenarios::Point;
use crate::servers::command_line;
use crate::statistics::{Summary, ratio};
use greenwire_bench_load::{Kind, Plan};
use greenwire_bench_peers::{Peer, Service};

/// After so many failures a peer is not tried again.
const PATIENCE: usize = 2;

/// The share of the available memory that a server may be expected to take: the kernel's memory for its
/// sockets is not in what is expected.
const MOST_MEMORY: f64 = 0.4;

/// Nearer to greenwire than this, a peer is measured more often.
const CLOSE: f64 = 0.25;

/// How often, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// How often each peer is measured.
    pub count: usize,
    /// How often if it is near to greenwire.
    pub close: usize,
    /// Seconds before the measurement.
    pub warm_up: f64,
    /// Seconds that it takes.
    pub seconds: f64,
}

impl Rounds {
    /// These, as they suit a point. Idle connections are measured less often: their memory is the same
    /// each time, and many take long to connect. A large broadcast takes longer, since a message does, and
    /// so does what comes at a fixed rate, since it is seldom.
    pub fn of(self, point: &Point) -> Rounds {
        let most = match (point.load.kind, point.load.connections) {
            (Kind::Idle, ..5_000) => 3,
            (Kind::Idle, ..20_000) => 2,
            (Kind::Idle, _) => 1,
            _ => usize::MAX,
        };
        let least = match (point.load.kind, point.load.connections) {
            (Kind::Broadcast, 5_000..) => 2.0,
            _ if point.load.rate.is_some() => 3.0,
            _ => 0.0,
        };
        Rounds {
            count: self.count.min(most),
            close: self.close.min(most),
            seconds: self.seconds.max(least),
            ..self
        }
    }

    /// Measures all that offer what the point is about. `smaller` is the point before, with fewer
    /// connections: who took too much memory there for this one is left out. `step` is told who is next.
    pub fn measure(
        &self,
        bench: &Bench,
        peers: &[Peer],
        point: &Point,
        metric: Metric,
        smaller: Option<&results::Point>,
        mut step: impl FnMut(&str),
    ) -> results::Point {
        let mut point = point.clone();
        point.load.warm_up = self.warm_up;
        point.load.seconds = self.seconds;
        let offer = |peer: &&Peer| peer.services.contains(&point.service);
        let offered: Vec<&Peer> = peers.iter().filter(offer).collect();
        let mut result = results::Point {
            label: point.label.clone(),
            connections: Some(point.load.connections),
            load: load_line(&point),
            peers: offered
                .iter()
                .map(|peer| introduce(peer, bench, &point))
                .collect(),
        };
        for peer in &mut result.peers {
            let reason = smaller.and_then(|smaller| too_large(peer, smaller, &point.load));
            let failures = reason.map(|reason| vec![Round::Failed(reason); PATIENCE]);
            peer.rounds.extend(failures.into_iter().flatten());
        }
        for round in 0..self.close.max(self.count) {
            let close = if round < self.count {
                None
            } else {
                Some(near(&result, metric))
            };
            for (index, peer) in offered.iter().enumerate() {
                if close.as_ref().is_some_and(|close| !close[index])
                    || bench.children.is_interrupted()
                {
                    continue;
                }
                step(peer.name);
                if result.peers[index].failures() < PATIENCE {
                    let round = bench.measure(peer, &point);
                    // What the user has interrupted is no failure of the peer.
                    if !bench.children.is_interrupted() {
                        result.peers[index].rounds.push(round);
                    }
                }
            }
        }
        result
    }

    /// How many measurements a point takes at most, for the bar.
    pub fn steps(&self, peers: &[Peer], service: Service) -> u64 {
        let offer = peers.iter().filter(|peer| peer.services.contains(&service));
        (offer.count() * self.count) as u64
    }
}

/// Who is near to the base, and the base itself if anybody is.
fn near(point: &results::Point, metric: Metric) -> Vec<bool> {
    let Some(base) = point.base() else {
        return vec![false; point.peers.len()];
    };
    let near = |peer: &results::Peer| {
        peer.name != base.name
            && ratio(peer, base, metric).is_some_and(|ratio| (ratio.median - 1.0).abs() < CLOSE)
    };
    let mut near: Vec<bool> = point.peers.iter().map(near).collect();
    let anybody = near.contains(&true);
    for (near, peer) in near.iter_mut().zip(&point.peers) {
        *near |= anybody && peer.name == base.name;
    }
    near
}

/// Why a peer cannot have so many idle connections on this machine, if it goes on as with fewer.
fn too_large(peer: &results::Peer, smaller: &results::Point, load: &Plan) -> Option<String> {
    let before = smaller
        .peers
        .iter()
        .find(|before| before.name == peer.name)?;
    let each = Summary::of_peer(before, Metric::MemoryPerConnection)?.median;
    let needed = each * load.connections as f64;
    let available = machine::available_memory();
    (needed > MOST_MEMORY * available).then(|| {
        let show = |bytes| Metric::Memory.show(bytes);
        format!(
            "not tried: it would take {} of memory, and {} are available",
            show(needed),
            show(available)
        )
    })
}

fn introduce(peer: &Peer, bench: &Bench, point: &Point) -> results::Peer {
    let (version, rounds) = match peer.version() {
        Ok(version) => (version, Vec::new()),
        // A failure for each attempt that would be made.
        Err(error) => (
            String::new(),
            vec![Round::Failed(error.to_string()); PATIENCE],
        ),
    };
    results::Peer {
        name: peer.name.to_owned(),
        version,
        command: command_line(
            peer,
            point.service,
            bench.cpus.server.len(),
            processes(point),
        ),
        rounds,
    }
}

fn load_line(point: &Point) -> String {
    let line = |plan: &Plan| {
        let mut plan = plan.clone();
        plan.address.set_port(8080);
        let words = plan.arguments();
        let quoted = words
            .iter()
            .map(|word| match word.contains([' ', '"', '{']) {
                true => format!("'{word}'"),
                false => word.clone(),
            });
        format!(
            "benches/target/release/load {}",
            quoted.collect::<Vec<_>>().join(" ")
        )
    };
    let beside = point
        .beside
        .as_ref()
        .map(|plan| format!("{} &\n", line(plan)));
    beside.unwrap_or_default() + &line(&point.load)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str, value: f64) -> results::Peer {
        results::Peer {
            name: name.to_owned(),
            rounds: vec![Round::Measured([(Metric::Throughput, value)].into()); 5],
            ..results::Peer::default()
        }
    }

    fn point(peers: Vec<results::Peer>) -> results::Point {
        results::Point {
            label: String::new(),
            connections: None,
            load: String::new(),
            peers,
        }
    }

    #[test]
    fn who_would_not_fit_is_not_tried() {
        let with = |name: &str, bytes| results::Peer {
            name: name.to_owned(),
            rounds: vec![Round::Measured(
                [(Metric::MemoryPerConnection, bytes)].into(),
            )],
            ..results::Peer::default()
        };
        let smaller = point(vec![with("small", 1.0), with("large", 1e12)]);
        let mut load = Plan::new(Kind::Idle);
        load.connections = 1000;
        let reason = |name| too_large(&peer(name, 0.0), &smaller, &load);
        assert_eq!(reason("small"), None);
        assert!(reason("large").is_some_and(|reason| reason.contains("931323 GiB")));
        assert_eq!(reason("new"), None);
    }

    #[test]
    fn near_peers_are_measured_again_and_greenwire_with_them() {
        let peers = vec![
            peer("greenwire", 100.0),
            peer("near", 80.0),
            peer("far", 50.0),
        ];
        assert_eq!(near(&point(peers), Metric::Throughput), [true, true, false]);
        let peers = vec![peer("greenwire", 100.0), peer("far", 130.0)];
        assert_eq!(near(&point(peers), Metric::Throughput), [false, false]);
    }
}
