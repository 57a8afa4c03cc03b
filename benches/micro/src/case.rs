//! A case, and how it is measured: calibrated, warmed up, repeated in turn with its peers.

use std::time::{Duration, Instant};

/// How long one repetition lasts at least.
const LONG_ENOUGH: Duration = Duration::from_millis(20);

/// One operation of one runtime.
pub(crate) struct Case {
    /// The operation; the same for all runtimes.
    pub(crate) name: &'static str,
    /// The runtime.
    pub(crate) peer: &'static str,
    /// How many workers the runtime is to have.
    pub(crate) workers: usize,
    /// Does it so many times, and tells how long that took.
    pub(crate) run: fn(u64) -> Duration,
    /// How many times it has to be done at least, for what is done once not to count.
    pub(crate) at_least: u64,
}

/// Nanoseconds for one operation.
pub(crate) struct Measured {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    /// How many one repetition did.
    pub(crate) operations: u64,
}

/// Measures all these in turn: first, second, third, first, second, third...
pub(crate) fn measure(cases: &[&Case], repetitions: usize) -> Vec<Measured> {
    let operations: Vec<u64> = cases.iter().map(|case| case.calibrate()).collect();
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..repetitions {
        for ((case, operations), times) in cases.iter().zip(&operations).zip(&mut times) {
            times.push(case.nanoseconds(*operations));
        }
    }
    let measured = times.into_iter().zip(operations);
    measured
        .map(|(times, count)| Measured::new(times, count))
        .collect()
}

impl Case {
    /// The number of operations that a repetition needs. Finding it warms up, too.
    fn calibrate(&self) -> u64 {
        let mut operations = self.at_least;
        loop {
            let start = Instant::now();
            (self.run)(operations);
            let taken = start.elapsed();
            if taken >= LONG_ENOUGH {
                return operations;
            }
            let missing = LONG_ENOUGH.as_nanos() / taken.as_nanos().max(1) + 1;
            operations *= missing.clamp(2, 10) as u64;
        }
    }

    /// For one operation, of so many.
    fn nanoseconds(&self, operations: u64) -> f64 {
        (self.run)(operations).as_nanos() as f64 / operations as f64
    }
}

impl Measured {
    fn new(mut times: Vec<f64>, operations: u64) -> Measured {
        times.sort_by(f64::total_cmp);
        Measured {
            median: times[times.len() / 2],
            least: times[0],
            most: times[times.len() - 1],
            operations,
        }
    }
}
