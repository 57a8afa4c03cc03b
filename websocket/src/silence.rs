//! What to do when the peer says nothing for long: ask it, and in the end give it up. Needs no timer
//! and reads no clock: it adds up the waits of the reader that nothing ended.

use crate::config::Settings;
use std::time::Duration;

/// The silence of a peer so far.
#[derive(Debug)]
pub(crate) struct Silence {
    heartbeat: Option<Duration>,
    idle_timeout: Option<Duration>,
    lasted: Duration,
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
        }
    }

    /// How long to wait for a byte, until [`lasts`](Self::lasts) is asked.
    pub(crate) fn next_wait(&self) -> Option<Duration> {
        let left = self
            .idle_timeout
            .map(|limit| limit.saturating_sub(self.lasted));
        let wait = match (self.heartbeat, left) {
            (Some(heartbeat), Some(left)) => Some(heartbeat.min(left)),
            (heartbeat, left) => heartbeat.or(left),
        };
        // A socket takes no wait of zero.
        wait.map(|wait| wait.max(Duration::from_millis(1)))
    }

    /// The whole [`next_wait`](Self::next_wait) has passed without a byte.
    pub(crate) fn lasts(&mut self) -> Call {
        self.lasted += self.next_wait().unwrap_or_default();
        match self.idle_timeout {
            Some(limit) if self.lasted >= limit => Call::GiveUp,
            _ => Call::Ping,
        }
    }

    /// Something came.
    #[inline]
    pub(crate) fn ends(&mut self) {
        self.lasted = Duration::ZERO;
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
        };
        assert_eq!(silence.lasts(), Call::Ping);
        silence.ends();
        assert_eq!(silence.lasts(), Call::Ping);
        assert_eq!(silence.lasts(), Call::GiveUp);
    }
}
