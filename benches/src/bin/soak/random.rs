//! Random numbers of one thread, the same in each run with the same seed.

use std::time::Duration;

/// Marsaglia's xorshift.
pub(crate) struct Random(u64);

impl Random {
    /// A sequence of its own for each `number`.
    pub(crate) fn new(seed: u64, number: u64) -> Random {
        Random((seed ^ (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)).max(1))
    }

    /// A number less than `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    /// A time between 1 and `limit` microseconds.
    pub(crate) fn micros(&mut self, limit: u64) -> Duration {
        Duration::from_micros(1 + self.below(limit))
    }

    /// Up to `limit` bytes.
    pub(crate) fn bytes(&mut self, limit: u64) -> Vec<u8> {
        let (len, first) = (self.below(limit), self.below(256));
        (first..first + len).map(|n| (n % 251) as u8).collect()
    }
}
