//! What to do when the peer says nothing for long: ask it, and in the end give it up. Needs no timer:
//! it adds up the waits of the reader that nothing came to end.

use crate::config::Settings;
use std::mem;
use std::time::{Duration, Instant};

/// The silence of a peer so far.
#[derive(Debug)]
pub(crate) struct Silence {
    heartbeat: Option<Duration>,
    idle_timeout: Option<Duration>,
    lasted: Duration,
    /// Since the last ping, or all of it.
    unasked: Duration,
}

/// A wait of the reader. One that is cut short by the limit of a `timeout` block is part of the silence,
/// too: the reader may wait so again and again.
pub(crate) struct Wait<'a> {
    silence: &'a mut Silence,
    begin: Instant,
}

/// What a silence calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Ping,
    GiveUp,
}

impl Silence {
    pub(crate) fn new(settings: &Settings) -> Silence {
        Silence {
            heartbeat: settings.heartbeat,
            idle_timeout: settings.idle_timeout,
            lasted: Duration::ZERO,
            unasked: Duration::ZERO,
        }
    }

    /// How long to wait for a byte, until [`lasts`](Self::lasts) is asked.
    pub(crate) fn next_wait(&self) -> Option<Duration> {
        let left = self
            .idle_timeout
            .map(|limit| limit.saturating_sub(self.lasted));
        let unasked = self
            .heartbeat
            .map(|limit| limit.saturating_sub(self.unasked));
        let wait = match (unasked, left) {
            (Some(unasked), Some(left)) => Some(unasked.min(left)),
            (unasked, left) => unasked.or(left),
        };
        // A socket takes no wait of zero.
        wait.map(|wait| wait.max(Duration::from_millis(1)))
    }

    /// The whole [`next_wait`](Self::next_wait) has passed without a byte.
    pub(crate) fn lasts(&mut self) -> Call {
        self.goes_on(self.next_wait().unwrap_or_default());
        match self.idle_timeout {
            Some(limit) if self.lasted >= limit => Call::GiveUp,
            _ => {
                self.unasked = Duration::ZERO;
                Call::Ping
            }
        }
    }

    /// The reader begins to wait.
    #[inline]
    pub(crate) fn wait(&mut self) -> Wait<'_> {
        Wait {
            silence: self,
            begin: Instant::now(),
        }
    }

    /// Something came.
    #[inline]
    pub(crate) fn ends(&mut self) {
        (self.lasted, self.unasked) = (Duration::ZERO, Duration::ZERO);
    }

    fn goes_on(&mut self, time: Duration) {
        self.lasted += time;
        self.unasked += time;
    }
}

impl Wait<'_> {
    /// It was not cut short: something came, or it has [lasted](Silence::lasts).
    #[inline]
    pub(crate) fn end(self) {
        mem::forget(self);
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.silence.goes_on(self.begin.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The waits in seconds until the peer is given up, at most five.
    fn waits(heartbeat: Option<u64>, idle_timeout: Option<u64>) -> Vec<u64> {
        let mut silence = Silence {
            heartbeat: heartbeat.map(Duration::from_secs),
            idle_timeout: idle_timeout.map(Duration::from_secs),
            lasted: Duration::ZERO,
            unasked: Duration::ZERO,
        };
        let mut waits = Vec::new();
        while let Some(wait) = silence.next_wait()
            && waits.len() < 5
        {
            waits.push(wait.as_secs());
            if silence.lasts() == Call::GiveUp {
                break;
            }
        }
        waits
    }

    #[test]
    fn pings_and_the_end_of_patience() {
        assert_eq!(waits(Some(45), Some(120)), [45, 45, 30]);
        assert_eq!(waits(None, Some(120)), [120]);
        assert_eq!(waits(Some(45), None), [45; 5]);
        assert_eq!(waits(Some(45), Some(10)), [10]);
        assert!(waits(None, None).is_empty());
    }

    #[test]
    fn a_byte_is_enough_to_begin_anew() {
        let mut silence = Silence {
            heartbeat: Some(Duration::from_secs(3)),
            idle_timeout: Some(Duration::from_secs(5)),
            lasted: Duration::ZERO,
            unasked: Duration::ZERO,
        };
        assert_eq!(silence.lasts(), Call::Ping);
        silence.ends();
        assert_eq!(silence.lasts(), Call::Ping);
        assert_eq!(silence.lasts(), Call::GiveUp);
    }

    #[test]
    fn a_wait_that_is_cut_short_brings_the_ping_nearer() {
        let second = Duration::from_secs(1);
        let mut silence = Silence {
            heartbeat: Some(5 * second),
            idle_timeout: Some(7 * second),
            lasted: Duration::ZERO,
            unasked: Duration::ZERO,
        };
        silence.goes_on(3 * second);
        assert_eq!(silence.next_wait(), Some(2 * second));
        assert_eq!(silence.lasts(), Call::Ping);
        assert_eq!(silence.next_wait(), Some(2 * second));
        silence.goes_on(9 * second);
        assert_eq!(silence.next_wait(), Some(Duration::from_millis(1)));
        assert_eq!(silence.lasts(), Call::GiveUp);
    }
}
