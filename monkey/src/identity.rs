//! Waits that belong to the OS thread, which many green threads share: they are told apart, and told of.
//!
//! `std::thread::park` waits on a word that the OS thread has once; `calls/parking.rs` gets along with that. But a
//! channel of std's takes the threads of both ends for the same one, and wakes nobody. A lock of parking_lot's waits
//! on a word in thread-local storage, and links what is around it into a list: that wait blocks the worker.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Builder;
use std::time::Duration;

use greenwire_runtime::thread::{self, Thread};
use log::Level;

use crate::green::Plain;
use crate::raw;

/// The most that a program's static thread-locals take in practice.
const THREAD_LOCALS: usize = 64 * 1024;

/// How long such a wait lasts before it is reported.
pub(crate) const SUSPICIOUS: Duration = Duration::from_secs(1);

pub(crate) static PARKS: Kind = Kind::new(
    Level::Warn,
    "has waited for a second in std::thread::park, or in a channel of std's or crossbeam's: if the other end of \
     the channel is a green thread of the same worker, nothing that is sent wakes it. Use greenwire's sync instead; \
     see docs/monkey.md",
);
pub(crate) static THREAD_LOCAL: Kind = Kind::new(
    Level::Error,
    "has held up its worker for a second, since it waits for a lock of parking_lot's (or another word in \
     thread-local storage): if another green thread of the worker has it, it waits for ever. Hold no such lock \
     while you wait, or use std's or greenwire's; see docs/monkey.md",
);

/// Waits of one kind, and which of them were reported: those of green threads that were spawned in these places.
pub(crate) struct Kind {
    level: Level,
    message: &'static str,
    waits: AtomicU64,
    reported: Plain<Vec<Option<Place>>>,
}

type Place = &'static Location<'static>;

impl Kind {
    const fn new(level: Level, message: &'static str) -> Kind {
        Kind {
            level,
            message,
            waits: AtomicU64::new(0),
            reported: Plain::new(Vec::new()),
        }
    }

    pub(crate) fn count(&self) {
        self.waits.fetch_add(1, Ordering::Relaxed);
    }

    /// Logs that the calling green thread waits, on a thread of its own: this is in the middle of a lock, perhaps the
    /// logger's. Where many are spawned in one place, the first one speaks for all.
    pub(crate) fn report(&'static self) {
        let waiter = thread::current();
        if self.is_first(waiter.spawned_at()) {
            // Without a thread to be had, nothing is said.
            let _ = Builder::new().spawn(move || {
                log::log!(self.level, "{} {}", describe(&waiter), self.message);
            });
        }
    }

    fn is_first(&self, place: Option<Place>) -> bool {
        self.reported.with(|reported| {
            let first = !reported.contains(&place);
            if first {
                reported.push(place);
            }
            first
        })
    }
}

/// As in a dump, and with the place that spawned it.
fn describe(thread: &Thread) -> String {
    let number = thread.id().number();
    let name = thread.name().map(|name| format!(" '{name}'"));
    let place = thread.spawned_at().map(|at| format!(", spawned at {at},"));
    let [name, place] = [name, place].map(Option::unwrap_or_default);
    format!("green thread {number}{name}{place}")
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
