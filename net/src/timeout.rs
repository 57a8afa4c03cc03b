//! A socket's timeouts, remembered beside the kernel's: a green thread's waits are not the kernel's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long an operation may wait; changed while others read it.
#[derive(Debug)]
pub(crate) struct Timeout {
    /// 0 for no limit, which the kernel's options mean by it too.
    nanos: AtomicU64,
}

impl Timeout {
    pub(crate) fn new(limit: Option<Duration>) -> Timeout {
        Timeout {
            nanos: AtomicU64::new(to_nanos(limit)),
        }
    }

    pub(crate) fn set(&self, limit: Option<Duration>) {
        self.nanos.store(to_nanos(limit), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Option<Duration> {
        match self.nanos.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }
}

/// Limits beyond 584 years are cut to that.
fn to_nanos(limit: Option<Duration>) -> u64 {
    let nanos = limit.map_or(0, |limit| limit.as_nanos());
    nanos.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let timeout = Timeout::new(None);
        assert_eq!(timeout.get(), None);
        timeout.set(Some(Duration::from_secs(60)));
        assert_eq!(timeout.get(), Some(Duration::from_secs(60)));
        timeout.set(Some(Duration::MAX));
        assert_eq!(timeout.get(), Some(Duration::from_nanos(u64::MAX)));
    }
}
