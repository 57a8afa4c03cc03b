//! What came of a load, as one line of JSON.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest latency that is told from longer ones.
const LONGEST: Duration = Duration::from_secs(600);

/// Significant digits of a latency.
const DIGITS: u8 = 3;

/// What came of a load.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// How many connections there were.
    pub connections: usize,
    /// How long it took to connect them all.
    pub connecting_seconds: f64,
    /// How many requests were answered during the measurement.
    pub operations: u64,
    /// How long the measurement took.
    pub seconds: f64,
    /// The CPU time that the watched processes used during it, in user space and in the kernel.
    pub server_cpu_seconds: f64,
    /// The same of the load generator itself.
    pub own_cpu_seconds: f64,
    /// How many connections failed.
    pub failed: usize,
    /// Why the first of them did.
    pub failure: Option<String>,
    /// How long the answers took.
    pub latencies: Latencies,
}

impl Outcome {
    /// What several load generators did to one server at the same time. They all watched it.
    pub fn together(outcomes: Vec<Outcome>) -> Outcome {
        let count = outcomes.len().max(1) as f64;
        let mut all = Outcome::default();
        for one in outcomes {
            all.connections += one.connections;
            all.connecting_seconds = all.connecting_seconds.max(one.connecting_seconds);
            all.operations += one.operations;
            all.seconds += one.seconds / count;
            all.server_cpu_seconds += one.server_cpu_seconds / count;
            all.own_cpu_seconds += one.own_cpu_seconds;
            all.failed += one.failed;
            all.failure = all.failure.or(one.failure);
            all.latencies.0.extend(one.latencies.0);
        }
        all
    }
}

/// The line that says that all are connected.
pub fn ready_line() -> &'static str {
    "ready"
}

/// How many answers took how many nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latencies(Vec<(u64, u64)>);

impl Latencies {
    /// An empty histogram, from a nanosecond to ten minutes.
    pub fn histogram() -> Histogram<u64> {
        Histogram::new_with_bounds(1, LONGEST.as_nanos() as u64, DIGITS)
            .expect("the bounds are in order and the digits few")
    }

    /// What the histogram knows, as pairs.
    pub fn of(histogram: &Histogram<u64>) -> Latencies {
        let recorded = histogram.iter_recorded();
        Latencies(
            recorded
                .map(|step| (step.value_iterated_to(), step.count_at_value()))
                .collect(),
        )
    }

    /// The latency that a share of `quantiles` of all do not exceed, for each of these.
    pub fn quantiles(&self, quantiles: &[f64]) -> Vec<Duration> {
        let mut histogram = Latencies::histogram();
        for &(nanoseconds, count) in &self.0 {
            histogram.saturating_record_n(nanoseconds, count);
        }
        let value = |&quantile| Duration::from_nanos(histogram.value_at_quantile(quantile));
        quantiles.iter().map(value).collect()
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(microseconds: impl Iterator<Item = u64>) -> Latencies {
        let mut histogram = Latencies::histogram();
        for value in microseconds {
            histogram.record(value * 1000).unwrap();
        }
        Latencies::of(&histogram)
    }

    #[track_caller]
    fn check_close(value: Duration, microseconds: u64) {
        let wanted = Duration::from_micros(microseconds).as_secs_f64();
        let off = (value.as_secs_f64() - wanted).abs() / wanted;
        assert!(off < 0.002, "{value:?} is not {microseconds} us");
    }

    #[test]
    fn quantiles_have_three_digits() {
        let quantiles = latencies(1..=10_000).quantiles(&[0.5, 0.99, 1.0]);
        check_close(quantiles[0], 5_000);
        check_close(quantiles[1], 9_900);
        check_close(quantiles[2], 10_000);
    }

    #[test]
    fn several_are_one_as_if_measured_together() {
        let half = |latencies| Outcome {
            connections: 3,
            operations: 10,
            seconds: 2.0,
            server_cpu_seconds: 1.5,
            latencies,
            ..Outcome::default()
        };
        let all = Outcome::together(vec![half(latencies(1..=500)), half(latencies(501..=1000))]);
        assert_eq!((all.connections, all.operations), (6, 20));
        assert_eq!((all.seconds, all.server_cpu_seconds), (2.0, 1.5));
        assert_eq!(all.latencies.count(), 1000);
        check_close(all.latencies.quantiles(&[0.5])[0], 500);
    }

    #[test]
    fn an_outcome_survives_its_line() {
        let outcome = Outcome {
            failure: Some("reset".to_owned()),
            latencies: latencies(1..=3),
            ..Outcome::default()
        };
        let line = serde_json::to_string(&outcome).unwrap();
        let again: Outcome = serde_json::from_str(&line).unwrap();
        assert_eq!(again.latencies, outcome.latencies);
        assert_eq!(again.failure, outcome.failure);
        assert!(!line.contains('\n'));
    }
}
