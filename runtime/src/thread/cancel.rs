//! Cancellation, as seen by the thread that is cancelled.

use std::any::Any;
use std::fmt;
use std::panic::UnwindSafe;

use super::Result;
use crate::interrupt::{Interrupt, Interrupts, resume};

/// The payload of a join on a thread that was cancelled.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread::{self, Cancelled};
///
/// let thread = thread::spawn(|| thread::park());
/// thread.cancel().unwrap();
/// assert!(thread.join().unwrap_err().is::<Cancelled>());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Cancelled(pub(crate) ());

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the thread was cancelled")
    }
}

impl std::error::Error for Cancelled {}

/// Runs `f`, and catches a panic of it: as [`std::panic::catch_unwind`], but a cancellation, or the end of a
/// [`timeout`](crate::time::timeout) around this, passes through.
///
/// # Errors
///
/// The payload of the panic.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
///
/// let thread = thread::spawn(|| {
///     let result = thread::catch_panic(|| "seven".parse::<u32>().unwrap());
///     assert!(result.is_err());
///     thread::catch_panic(thread::park)
/// });
/// thread.cancel().unwrap();
/// assert!(thread.join().is_err(), "it did not get beyond the park");
/// ```
pub fn catch_panic<T>(f: impl FnOnce() -> T + UnwindSafe) -> Result<T> {
    Interrupts::catch(f).map_err(|payload| {
        if is_cancellation(&*payload) {
            resume_cancellation(payload);
        }
        payload
    })
}

/// Whether a panic payload is not a panic but the unwind of a cancelled thread or of a
/// [`timeout`](crate::time::timeout). Who catches both, and does not use [`catch_panic`], must pass it on with
/// [`resume_cancellation`].
#[must_use]
pub fn is_cancellation(payload: &(dyn Any + Send)) -> bool {
    Interrupt::of_payload(payload).is_some()
}

/// Goes on with an unwind that was caught, if [`is_cancellation`] says that it is one. Any other payload is
/// resumed as a panic.
///
/// [`std::panic::resume_unwind`] does so, too, but greenwire's locks may take what it resumes for a panic,
/// if the thread has waited or taken a lock since it caught it: then those that it still holds are poisoned.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread::{self, Cancelled};
/// use std::panic;
///
/// let thread = thread::spawn(|| {
///     if let Err(payload) = panic::catch_unwind(thread::park) {
///         if thread::is_cancellation(&*payload) {
///             thread::resume_cancellation(payload);
///         }
///         println!("it panicked");
///     }
/// });
/// thread.cancel().unwrap();
/// assert!(thread.join().unwrap_err().is::<Cancelled>());
/// ```
pub fn resume_cancellation(payload: Box<dyn Any + Send>) -> ! {
    resume(payload)
}

/// Runs `f` with cancellations and timeouts put off until it returns.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
/// use std::time::Duration;
///
/// let thread = thread::spawn(|| {
///     thread::no_cancel(|| {
///         thread::sleep(Duration::from_millis(1));
///         println!("the transaction is complete");
///     });
///     thread::park();
/// });
/// thread.cancel().unwrap();
/// assert!(thread.join().is_err());
/// ```
pub fn no_cancel<T>(f: impl FnOnce() -> T) -> T {
    struct Unmask;
    impl Drop for Unmask {
        fn drop(&mut self) {
            Interrupts::with(Interrupts::unmask);
        }
    }
    Interrupts::with(Interrupts::mask);
    let _unmask = Unmask;
    f()
}
