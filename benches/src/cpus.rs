//! Which process runs on which CPU, and how even these are.

use crate::results::Noise;
use crate::statistics::Summary;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::hint::black_box;
use std::io;
use std::thread;
use std::time::Instant;

/// How often the loop is timed.
const TIMES: usize = 400;

/// About two milliseconds of work.
const STEPS: u64 = 700_000;

/// Where servers and load generators run.
#[derive(Clone, Debug)]
pub struct Cpus {
    /// All processes of the server share these.
    pub server: Vec<usize>,
    /// One load generator runs on each of these, or more in turn.
    pub load: Vec<usize>,
}

/// Does `start` on a thread that runs on these CPUs only: a process that it starts inherits that.
///
/// # Errors
/// A CPU that is not there, or what `start` says.
pub fn on<T: Send>(cpus: &[usize], start: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        if cpu >= CpuSet::MAX_CPU {
            return Err(io::Error::other(format!("there is no CPU {cpu}")));
        }
        set.set(cpu);
    }
    let pinned = move || {
        sched_setaffinity(None, &set)?;
        start()
    };
    thread::scope(|scope| {
        let done = scope.spawn(pinned).join();
        done.unwrap_or_else(|_| Err(io::Error::other("starting a process panicked")))
    })
}

/// Times the same computation again and again.
///
/// # Errors
/// A CPU that is not there.
pub fn noise(cpu: usize) -> io::Result<Noise> {
    let times = on(&[cpu], || {
        compute();
        let times = (0..TIMES).map(|_| {
            let begin = Instant::now();
            compute();
            1000.0 * begin.elapsed().as_secs_f64()
        });
        Ok(times.collect())
    })?;
    Ok(noise_of(cpu, times))
}

fn noise_of(cpu: usize, mut times: Vec<f64>) -> Noise {
    times.sort_by(f64::total_cmp);
    let summary = Summary::of(times.iter().copied()).expect("it was timed");
    let high = times[(times.len() - 1) * 99 / 100];
    Noise {
        cpu,
        times: times.len(),
        median: summary.median,
        excess99: high / summary.median - 1.0,
        excess: summary.max / summary.median - 1.0,
    }
}

fn compute() {
    let mut state = black_box(1u64);
    for _ in 0..STEPS {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_told_against_the_median() {
        let mut times = vec![2.0; 100];
        times[7] = 5.0;
        times.push(2.2);
        let noise = noise_of(3, times);
        assert_eq!((noise.cpu, noise.times, noise.median), (3, 101, 2.0));
        assert!((noise.excess99 - 0.1).abs() < 1e-9, "{noise:?}");
        assert_eq!(noise.excess, 1.5);
    }

    #[test]
    fn a_cpu_that_is_not_there_is_an_error() {
        assert!(on(&[1_000_000], || Ok(())).is_err());
        assert!(on(&[1023], || Ok(())).is_err());
    }
}
