//! Counting what is answered, and how late.

use crate::{Latencies, Outcome};
use hdrhistogram::Histogram;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What all connections of a load count together.
///
/// They run on one OS thread, so nobody ever waits for the lock, and it is never held across a wait.
pub(crate) struct Tally {
    /// Whether this is the measurement, and neither the warm-up nor the end.
    measuring: AtomicBool,
    /// Whether connections are to end; what they see then is no failure.
    stopping: AtomicBool,
    operations: AtomicU64,
    late: Mutex<Late>,
}

struct Late {
    latencies: Histogram<u64>,
    failed: usize,
    failure: Option<String>,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally {
            measuring: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            operations: AtomicU64::new(0),
            late: Mutex::new(Late {
                latencies: Latencies::histogram(),
                failed: 0,
                failure: None,
            }),
        }
    }

    pub(crate) fn measure(&self, on: bool) {
        self.measuring.store(on, Relaxed);
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// Answers so far, in all phases.
    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Relaxed)
    }

    /// `count` answers came, each after `latency`.
    pub(crate) fn answered(&self, latency: Duration, count: usize) {
        self.operations.fetch_add(count as u64, Relaxed);
        if self.measuring.load(Relaxed) {
            self.record(latency, count);
        }
    }

    /// No answer came until the end, `waited` after it was due.
    pub(crate) fn unanswered(&self, waited: Duration) {
        self.record(waited, 1);
    }

    fn record(&self, latency: Duration, count: usize) {
        let nanoseconds = (latency.as_nanos() as u64).max(1);
        self.late()
            .latencies
            .saturating_record_n(nanoseconds, count as u64);
    }

    /// A connection ended; that is a failure unless all are to end.
    pub(crate) fn ended(&self, result: io::Result<()>) {
        if self.is_stopping() {
            return;
        }
        let why = match result {
            Ok(()) => "the server closed the connection".to_owned(),
            Err(error) => error.to_string(),
        };
        let mut late = self.late();
        late.failed += 1;
        late.failure.get_or_insert(why);
    }

    /// Adds what was counted here to what was measured.
    pub(crate) fn complete(&self, measured: Outcome) -> Outcome {
        let late = self.late();
        Outcome {
            failed: late.failed,
            failure: late.failure.clone(),
            latencies: Latencies::of(&late.latencies),
            ..measured
        }
    }

    fn late(&self) -> std::sync::MutexGuard<'_, Late> {
        self.late.lock().expect("nobody panics while counting")
    }
}
