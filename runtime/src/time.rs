//! Sleeping, ticking, and deadlines around a block.

use std::fmt;

use crate::interrupt::{self, Interrupt, Interrupts};
use crate::thread::sleep_until;

pub use std::time::{Duration, Instant};

#[doc(inline)]
pub use crate::thread::sleep;

/// Makes ticks, one every `period`, the first one a period from now.
///
/// # Panics
///
/// If `period` is zero.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::time;
/// use std::time::{Duration, Instant};
///
/// let begin = Instant::now();
/// for _tick in time::interval(Duration::from_millis(1)).take(3) {
///     println!("still there");
/// }
/// assert!(begin.elapsed() >= Duration::from_millis(3));
/// ```
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "the period of an interval is zero");
    Interval {
        period,
        next: Instant::now().checked_add(period),
    }
}

/// Ticks in equal distances: what [`interval`] makes. As an iterator it never ends.
///
/// It never drifts: ticks lie whole periods after the beginning, however late they are read. Who
/// comes too late for several gets only the last one of them, at once; the others are skipped.
#[derive(Clone, Debug)]
pub struct Interval {
    period: Duration,
    /// `None` if no clock will ever show it.
    next: Option<Instant>,
}

impl Interval {
    /// Parks until the next tick, and gives the time for which it was planned.
    ///
    /// If that is cut short, the tick is still to come.
    pub fn tick(&mut self) -> Instant {
        sleep_until(self.next);
        let tick = self.next.expect("who sleeps for ever does not come here");
        let late = tick.elapsed().as_nanos();
        let missed = late - late % self.period.as_nanos();
        let tick = tick + Duration::from_nanos(missed as u64);
        self.next = tick.checked_add(self.period);
        tick
    }
}

impl Iterator for Interval {
    type Item = Instant;

    fn next(&mut self) -> Option<Instant> {
        Some(self.tick())
    }
}

/// Runs `f`, and cuts it short at its first wait that lasts longer than `limit` from now.
///
/// Cutting short means unwinding: destructors run, the panic hook is not called, and `timeout` returns.
/// Blocks may be nested; each one ends with its own limit, whatever happens inside of it. A limit has no
/// effect while the thread unwinds or is in [`no_cancel`](crate::thread::no_cancel), and code that never
/// waits is never cut short.
///
/// Works on OS threads, too, for everything that waits by greenwire's means. In a program built with
/// `panic = "abort"` nothing is ever cut short.
///
/// # Errors
///
/// [`Elapsed`] if `f` was cut short.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{thread, time};
/// use std::time::Duration;
///
/// let long = time::timeout(Duration::from_millis(1), || thread::park());
/// assert_eq!(long, Err(time::Elapsed));
/// let short = time::timeout(Duration::from_secs(5), || 42);
/// assert_eq!(short, Ok(42));
/// ```
pub fn timeout<T>(limit: Duration, f: impl FnOnce() -> T) -> Result<T, Elapsed> {
    let deadline = Instant::now().checked_add(limit);
    let id = Interrupts::with(|interrupts| interrupts.push_limit(deadline));
    let result = Interrupts::catch(|| interrupt::settling(f));
    Interrupts::with(Interrupts::pop_limit);
    result.map_err(|payload| match Interrupt::of_payload(&*payload) {
        Some(Interrupt::Elapsed(elapsed)) if elapsed == id => Elapsed,
        _ => interrupt::resume(payload),
    })
}

/// The limit of a [`timeout`] has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time limit has passed")
    }
}

impl std::error::Error for Elapsed {}
