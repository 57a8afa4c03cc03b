//! Medians, spreads, and ratios from pair to pair.

use crate::metric::Metric;
use crate::results::Peer;

/// Several measurements of the same thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The one in the middle, or between the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// How many there are.
    pub count: usize,
}

impl Summary {
    /// `None` if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Summary> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let count = values.len();
        let median = (values[(count - 1) / 2] + values[count / 2]) / 2.0;
        Some(Summary {
            median,
            min,
            max,
            count,
        })
    }

    /// The measurements of a peer.
    pub fn of_peer(peer: &Peer, metric: Metric) -> Option<Summary> {
        Summary::of(peer.values(metric).flatten())
    }
}

/// How many times the value of `base` the value of `peer` is: divided round by round, so that what slowed
/// down the machine for a while slowed down both.
pub fn ratio(peer: &Peer, base: &Peer, metric: Metric) -> Option<Summary> {
    let pairs = peer.values(metric).zip(base.values(metric));
    Summary::of(pairs.filter_map(|pair| match pair {
        (Some(value), Some(of)) if of > 0.0 => Some(value / of),
        _ => None,
    }))
}

/// The straight line through two points, continued to `x`.
pub fn extrapolate((x1, y1): (f64, f64), (x2, y2): (f64, f64), x: f64) -> f64 {
    y2 + (y2 - y1) / (x2 - x1) * (x - x2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Round;

    fn peer(values: &[Option<f64>]) -> Peer {
        let round = |value: &Option<f64>| match value {
            Some(value) => Round::Measured([(Metric::Throughput, *value)].into()),
            None => Round::Failed("it rained".to_owned()),
        };
        Peer {
            rounds: values.iter().map(round).collect(),
            ..Peer::default()
        }
    }

    #[test]
    fn a_summary_has_middle_and_ends() {
        assert_eq!(Summary::of([]), None);
        let odd = Summary::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(
            (odd.min, odd.median, odd.max, odd.count),
            (1.0, 2.0, 3.0, 3)
        );
        assert_eq!(Summary::of([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
    }

    #[test]
    fn ratios_pair_what_was_measured_in_the_same_round() {
        // The machine was half as fast in the second round; in the others one of the two failed.
        let base = peer(&[Some(100.0), Some(50.0), None, Some(100.0)]);
        let other = peer(&[Some(200.0), Some(100.0), Some(7.0), None]);
        let ratio = ratio(&other, &base, Metric::Throughput).unwrap();
        assert_eq!(
            (ratio.min, ratio.median, ratio.max, ratio.count),
            (2.0, 2.0, 2.0, 2)
        );
    }

    #[test]
    fn no_common_round_gives_no_ratio() {
        let (base, other) = (peer(&[Some(1.0), None]), peer(&[None, Some(1.0)]));
        assert_eq!(ratio(&other, &base, Metric::Throughput), None);
    }

    #[test]
    fn lines_go_on() {
        assert_eq!(extrapolate((10.0, 1.0), (20.0, 3.0), 40.0), 7.0);
    }
}
