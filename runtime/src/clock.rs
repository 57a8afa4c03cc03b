//! Time as the scheduler counts it: nanoseconds since the runtime began.

use std::time::Instant;

/// Converts between `Instant` and nanoseconds.
#[derive(Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock(Instant::now())
    }

    pub(crate) fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    /// An instant before the beginning is the beginning; one after 584 years is never.
    pub(crate) fn at(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.0).as_nanos();
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}
