//! Waits that belong to the OS thread, which many green threads share: they are told apart, and told of.
//!
//! `std::thread::park` waits on a word that the OS thread has once; `calls/parking.rs` gets along with that. But a
//! channel of std's takes the threads of both ends for the same one, and wakes nobody. A lock of parking_lot's waits
//! on a word in thread-local storage, and links what is around it into a list: that wait blocks the worker.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Builder;
use std::time::Duration;

use log::Level;

use crate::raw;

/// The most that a program's static thread-locals take in practice.
const THREAD_LOCALS: usize = 64 * 1024;

/// How long a worker may stand still before that is reported.
pub(crate) const SUSPICIOUS: Duration = Duration::from_secs(1);

pub(crate) static PARKS: Kind = Kind::new(
    Level::Warn,
    "a green thread waits in std::thread::park (or a channel of std's or crossbeam's, which does): it looks every \
     few milliseconds, and if it waits in a channel for another green thread of its worker, it waits for ever. Use \
     greenwire's sync and thread instead; see docs/monkey.md",
);
pub(crate) static THREAD_LOCAL: Kind = Kind::new(
    Level::Error,
    "a worker stands still, since a green thread waits for a lock of parking_lot's (or another word in \
     thread-local storage): if another green thread of the worker has it, it waits for ever. Hold no such lock \
     while you wait, or use std's or greenwire's; see docs/monkey.md",
);

/// Waits of one kind, and whether they were reported.
pub(crate) struct Kind {
    level: Level,
    message: &'static str,
    waits: AtomicU64,
    reported: AtomicBool,
}

impl Kind {
    const fn new(level: Level, message: &'static str) -> Kind {
        Kind {
            level,
            message,
            waits: AtomicU64::new(0),
            reported: AtomicBool::new(false),
        }
    }

    pub(crate) fn count(&self) {
        self.waits.fetch_add(1, Ordering::Relaxed);
    }

    /// Logs the message, once, and on a thread of its own: this is in the middle of a lock, perhaps the logger's.
    pub(crate) fn report(&'static self) {
        if !self.reported.swap(true, Ordering::Relaxed) {
            // Without a thread to be had, nothing is said.
            let _ = Builder::new().spawn(|| log::log!(self.level, "{}", self.message));
        }
    }
}

/// How many waits there were that belong to the OS thread.
pub(crate) fn waits() -> u64 {
    PARKS.waits.load(Ordering::Relaxed) + THREAD_LOCAL.waits.load(Ordering::Relaxed)
}

/// Static thread-locals lie below the control block on x86-64, and above it on aarch64.
pub(crate) fn is_thread_local(address: usize) -> bool {
    let pointer = raw::thread_pointer();
    let distance = if cfg!(target_arch = "x86_64") {
        pointer.wrapping_sub(address)
    } else {
        address.wrapping_sub(pointer)
    };
    distance < THREAD_LOCALS
}

/// Names a word in dumps.
pub(crate) fn number_of(address: usize) -> u32 {
    (address >> 2) as u32
}
