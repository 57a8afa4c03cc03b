//! Waits that belong to the OS thread, which many green threads share: they are told apart, and told of.
//!
//! `std::thread::park` waits on a word that the OS thread has once; `calls/parking.rs` gets along with that. But a
//! channel of std's takes the threads of both ends for the same one, and wakes nobody. A lock of parking_lot's waits
//! on a word in thread-local storage: one green thread may, two of a worker get in each other's way.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::raw;

/// The most that a program's static thread-locals take in practice.
const THREAD_LOCALS: usize = 64 * 1024;

/// Waits on what belongs to the OS thread, and whether the first of them was reported.
static PARKS: Kind = Kind::new(
    "a green thread waits in std::thread::park (or a channel of std's or crossbeam's, which does): it looks every \
     few milliseconds, and if it waits in a channel for another green thread of its worker, it waits for ever. Use \
     greenwire's sync and thread instead; see docs/monkey.md",
);
static THREAD_LOCAL: Kind = Kind::new(
    "a green thread waits on a word in thread-local storage (a lock of parking_lot's), which all green threads \
     of its worker share: two of them that wait disturb each other. Use std's locks or greenwire's instead, or \
     monkey::blocking; see docs/monkey.md",
);

struct Kind {
    message: &'static str,
    waits: AtomicU64,
    reported: AtomicBool,
}

impl Kind {
    const fn new(message: &'static str) -> Kind {
        Kind {
            message,
            waits: AtomicU64::new(0),
            reported: AtomicBool::new(false),
        }
    }

    fn count(&self) {
        self.waits.fetch_add(1, Ordering::Relaxed);
        if !self.reported.swap(true, Ordering::Relaxed) {
            log::warn!("{}", self.message);
        }
    }
}

/// Looks at a wait of a green thread on a futex.
pub(crate) fn look_at(address: usize, is_park: bool) {
    if is_park {
        PARKS.count();
    } else if is_thread_local(address) {
        THREAD_LOCAL.count();
    }
}

/// How many waits there were that belong to the OS thread.
pub(crate) fn waits() -> u64 {
    PARKS.waits.load(Ordering::Relaxed) + THREAD_LOCAL.waits.load(Ordering::Relaxed)
}

/// Static thread-locals lie below the control block on x86-64, and above it on aarch64.
fn is_thread_local(address: usize) -> bool {
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
