//! Deadlines around a block.

use std::fmt;

use crate::interrupt::{self, Interrupt, Interrupts};

pub use std::time::{Duration, Instant};

#[doc(inline)]
pub use crate::thread::sleep;

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
    let result = Interrupts::catch(f);
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
