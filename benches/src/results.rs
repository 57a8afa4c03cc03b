//! What was measured, as it is kept in `results.json`.

use crate::metric::Metric;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything of one run of the command.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Results {
    /// When, where and how, as pairs of a name and a text.
    pub setting: Vec<(String, String)>,
    /// How even the CPUs are.
    pub noise: Vec<Noise>,
    /// What was measured.
    pub scenarios: Vec<Scenario>,
}

/// How long the same computation took on one CPU, again and again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Noise {
    /// Which CPU.
    pub cpu: usize,
    /// How often it was timed.
    pub times: usize,
    /// Milliseconds in the median.
    pub median: f64,
    /// By how much 99 of 100 exceed the median at most: 0.1 is a tenth.
    pub excess99: f64,
    /// By how much the longest does.
    pub excess: f64,
}

/// One scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// What is done, and what is measured.
    pub about: String,
    /// What is shown of it.
    pub metrics: Vec<Metric>,
    /// Its sizes, or parts.
    pub points: Vec<Point>,
}

/// A scenario at one size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Point {
    /// What tells it from other points.
    pub label: String,
    /// How many connections there were, if there were any.
    pub connections: Option<usize>,
    /// The command of the load generator.
    pub load: String,
    /// Who took part.
    pub peers: Vec<Peer>,
}

/// A peer at one point.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub version: String,
    /// How its server was started.
    pub command: String,
    /// Round by round; rounds of the same index were measured one after the other.
    pub rounds: Vec<Round>,
}

/// What one measurement gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// The values.
    Measured(BTreeMap<Metric, f64>),
    /// Why there are none.
    Failed(String),
}

/// The peer to which all are compared.
pub const BASE: &str = "greenwire";

impl Point {
    /// The peer to which the others are compared: greenwire if it is there, or the first.
    pub fn base(&self) -> Option<&Peer> {
        let named = self.peers.iter().find(|peer| peer.name == BASE);
        named.or(self.peers.first())
    }
}

impl Peer {
    /// The values of a metric, round by round.
    pub fn values(&self, metric: Metric) -> impl Iterator<Item = Option<f64>> {
        self.rounds.iter().map(move |round| match round {
            Round::Measured(values) => values.get(&metric).copied(),
            Round::Failed(_) => None,
        })
    }

    /// Why it has no values; `None` if it has some.
    pub fn failure(&self) -> Option<&str> {
        let failed = |round: &Round| matches!(round, Round::Failed(_));
        if !self.rounds.iter().all(failed) {
            return None;
        }
        match self.rounds.last() {
            Some(Round::Failed(reason)) => Some(reason),
            _ => Some("not measured"),
        }
    }

    /// How many rounds failed.
    pub fn failures(&self) -> usize {
        let failed = self
            .rounds
            .iter()
            .filter(|round| matches!(round, Round::Failed(_)));
        failed.count()
    }
}

impl Scenario {
    /// The names of all who took part, in their order.
    pub fn peers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for peer in self.points.iter().flat_map(|point| &point.peers) {
            if !names.contains(&peer.name.as_str()) {
                names.push(&peer.name);
            }
        }
        names
    }
}
