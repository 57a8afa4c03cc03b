//! Threads, by std's names: green ones, and the OS threads that call into the runtime.

mod builder;
mod cancel;
mod group;
mod handle;
mod join;
mod local;
mod map;
mod members;
mod pool;
#[expect(
    unsafe_code,
    reason = "no borrow can say that a scope waits for its threads"
)]
mod scope;

use std::time::{Duration, Instant};

use crate::insight::Reason;
use crate::interrupt::Interrupts;
use crate::os_thread;
use crate::scheduler::Worker;
use crate::wait::{Outcome, wait};

pub use crate::scheduler::no_switch;
pub use builder::Builder;
pub use cancel::{Cancelled, catch_panic, is_cancellation, no_cancel, resume_cancellation};
pub use group::Group;
pub use handle::{Thread, ThreadId};
pub use join::{JoinHandle, join_all};
pub use local::{AccessError, LocalKey};
pub(crate) use local::{LocalsOfSlots, end_locals, forget_locals};
pub use map::{Imap, ImapUnordered};
pub use pool::{Pool, PoolFull};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use std::thread::{Result, available_parallelism};

/// Starts a green thread. See [`Builder::spawn`], which this calls with the default settings.
///
/// The new thread runs when the calling one parks, or on another worker that has nothing to do. Once
/// it has started, it stays on its OS thread, so thread-locals and `!Send` values mean in it what they
/// mean on a thread.
///
/// # Differences from std
///
/// A green thread is ended by [`JoinHandle::cancel`], too. It gives way only where it waits: one that
/// computes for long keeps its worker from all others.
///
/// # Panics
///
/// If the runtime cannot start or, in OS-thread mode, if the system refuses the thread.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
///
/// let threads: Vec<_> = (0..1000).map(|n| thread::spawn(move || n * n)).collect();
/// let sum: i32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
/// assert_eq!(sum, 332_833_500);
/// ```
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new()
        .spawn(f)
        .expect("the thread could not be spawned")
}

/// Starts a green thread beside the calling one, on the same worker: `f` need not be `Send`.
///
/// # Panics
///
/// If the caller is not a green thread. [`Builder::spawn_local`] gives an error instead.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
/// use std::{cell::Cell, rc::Rc};
///
/// let outer = thread::spawn(|| {
///     let counter = Rc::new(Cell::new(0));
///     let inner = counter.clone();
///     thread::spawn_local(move || inner.set(1)).join().unwrap();
///     counter.get()
/// });
/// assert_eq!(outer.join().unwrap(), 1);
/// ```
#[track_caller]
pub fn spawn_local<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: Send + 'static,
{
    Builder::new()
        .spawn_local(f)
        .expect("the thread could not be spawned")
}

/// A handle to the calling thread.
#[must_use]
pub fn current() -> Thread {
    Thread(match Worker::running() {
        Some((_, slot)) => slot.task().clone(),
        None => os_thread::current(),
    })
}

fn current_id() -> ThreadId {
    match Worker::running() {
        Some((_, slot)) => slot.task().header().id(),
        None => os_thread::current().header().id(),
    }
}

/// Whether the calling thread is a green one.
#[must_use]
pub fn is_green() -> bool {
    Worker::running().is_some()
}

/// Whether the calling thread unwinds.
///
/// # Differences from std
///
/// [`std::thread::panicking`] speaks of the OS thread: it is also true on a green thread while another
/// one of its worker is parked in the middle of unwinding.
#[must_use]
pub fn panicking() -> bool {
    Interrupts::with(Interrupts::is_unwinding)
}

/// Lets the other green threads of the worker that are ready run first. On an OS thread as std's.
///
/// A cancellation is delivered here.
#[inline(always)]
pub fn yield_now() {
    match Worker::running() {
        Some((worker, slot)) => worker.yield_now(slot),
        None => std::thread::yield_now(),
    }
}

/// Parks the calling thread for at least `duration`, usually not 0.1 ms longer.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
/// use std::time::{Duration, Instant};
///
/// let begin = Instant::now();
/// thread::sleep(Duration::from_micros(1500));
/// assert!(begin.elapsed() >= Duration::from_micros(1500));
/// ```
pub fn sleep(duration: Duration) {
    if crate::io::blocks_in_kernel() {
        return std::thread::sleep(duration);
    }
    sleep_until(Instant::now().checked_add(duration));
}

/// `None` is for ever.
pub(crate) fn sleep_until(deadline: Option<Instant>) {
    while park_until(Reason::Sleep, deadline) {}
}

/// Parks the calling thread until [`Thread::unpark`] is called for it, or was since its last `park`.
///
/// # Differences from std
///
/// It never returns without a reason.
pub fn park() {
    let this = current();
    while !this.0.header().take_token() {
        park_until(Reason::Park, None);
    }
}

/// As [`park`], for at most `duration`.
pub fn park_timeout(duration: Duration) {
    let this = current();
    let deadline = Instant::now().checked_add(duration);
    while !this.0.header().take_token() && park_until(Reason::Park, deadline) {}
}

/// Returns false once the deadline has passed.
fn park_until(reason: Reason, deadline: Option<Instant>) -> bool {
    match wait(reason, deadline) {
        Outcome::Woken => true,
        Outcome::TimedOut => false,
        Outcome::Interrupted(interrupt) => interrupt.unwind(),
    }
}
