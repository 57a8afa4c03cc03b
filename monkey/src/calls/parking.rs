//! `std::thread::park`: it waits on a word that the OS thread has once, for all of its green threads.
//!
//! While one of them waits, the word says so, and the next one would spin on it, past all functions of libc.
//! And what is left in it by `unpark` is taken by whoever comes first. So nobody is left waiting on the word: each
//! waits for a moment, and returns without a reason, which `park` may do. Its caller looks whether that has
//! come which it waits for.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use greenwire_runtime::insight::Reason;
use greenwire_runtime::{green_local, patch};

use crate::identity::{self, SUSPICIOUS};

// What std's word can be.
const EMPTY: u32 = 0;
const NOTIFIED: u32 = 1;
const PARKED: u32 = u32::MAX;

/// The most bytes that std keeps of a thread in one place.
const THREAD: usize = 128;

/// How long one waits before it looks again: longer and longer, until somebody is unparked.
const SHORTEST: Duration = Duration::from_micros(50);
const LONGEST: Duration = Duration::from_millis(4);

/// Where many wait, there is so much time between two looks of the worker.
const EACH: Duration = Duration::from_micros(50);

thread_local! {
    static MOMENT: Cell<Duration> = const { Cell::new(SHORTEST) };
    static WAITING: Cell<u32> = const { Cell::new(0) };
}

green_local! {
    /// The last look of the green thread: when it began to wait, and how often it had waited for anything by then.
    static LAST: Cell<Option<(Instant, u32)>> = Cell::new(None);
}

/// Whether a wait for a futex is the calling OS thread's `park`.
pub(crate) fn is_park(address: usize, expected: u32) -> bool {
    // No lock or condition of std's gets to this value.
    expected == PARKED && address.wrapping_sub(address_of(&thread::current())) < THREAD
}

/// The word is somewhere behind the pointer that a `Thread` is.
fn address_of(thread: &Thread) -> usize {
    const { assert!(size_of::<Thread>() == size_of::<usize>()) };
    // SAFETY: it is one word long, as was just asserted, and any bits of it are a number.
    unsafe { (&raw const *thread).cast::<usize>().read() }
}

/// Waits until the OS thread is unparked, or for a moment.
pub(crate) fn park(word: &AtomicU32, deadline: Option<Instant>) {
    identity::PARKS.count();
    let begin = begin();
    if begin.elapsed() >= SUSPICIOUS {
        identity::PARKS.report();
    }
    let moment = MOMENT.get();
    let end = Instant::now() + moment;
    let end = deadline.map_or(end, |deadline| deadline.min(end));
    let is_notified = || word.load(Ordering::Relaxed) == NOTIFIED;
    // Another one may come meanwhile, and finds the word as if nobody waited.
    let _ = word.compare_exchange(PARKED, EMPTY, Ordering::Relaxed, Ordering::Relaxed);
    WAITING.set(WAITING.get() + 1);
    patch::wait_until(Reason::Park, Some(end), is_notified);
    WAITING.set(WAITING.get() - 1);
    // By this std returns.
    let notified = word.swap(NOTIFIED, Ordering::AcqRel) == NOTIFIED;
    remember((!notified).then_some(begin));
    MOMENT.set(match notified {
        true => SHORTEST,
        false => (moment * 2).min(LONGEST.max(EACH * WAITING.get())),
    });
}

/// When the calling green thread began to wait: it comes here again and again, and waits for nothing else meanwhile.
fn begin() -> Instant {
    let last = LAST.try_with(Cell::get).ok().flatten();
    let same = last.filter(|(_, waits)| *waits == patch::waits());
    same.map_or_else(Instant::now, |(begin, _)| begin)
}

fn remember(begin: Option<Instant>) {
    let last = begin.map(|begin| (begin, patch::waits()));
    // A thread that is ending may have dropped it. Its next wait is a new one then.
    let _ = LAST.try_with(|cell| cell.set(last));
}
