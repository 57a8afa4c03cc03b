//! The runtime of greenwire. (Interface sketch on std; the green threads follow.)

/// Threads, by std's names.
pub mod thread {
    pub use std::thread::{Builder, JoinHandle, Thread, ThreadId, current, park, sleep, spawn, yield_now};

    /// Whether the caller is a green thread (and not an ordinary OS thread).
    pub fn is_green() -> bool {
        false
    }

    /// Whether a caught panic payload is the unwind of a cancelled green thread.
    pub fn is_cancellation(_: &(dyn std::any::Any + Send)) -> bool {
        false
    }
}

/// Deadlines around a block.
pub mod time {
    pub use std::time::{Duration, Instant};

    /// The block did not end in time.
    #[derive(Debug)]
    pub struct Elapsed;

    /// Runs `f`, cutting it short at its first wait past `limit`.
    ///
    /// # Errors
    /// `Elapsed` if the limit passed.
    pub fn timeout<T>(_limit: Duration, f: impl FnOnce() -> T) -> Result<T, Elapsed> {
        Ok(f())
    }
}

/// Locks and channels, by std's names.
pub mod sync {
    pub use std::sync::{Mutex, MutexGuard, mpsc};
}

/// Work to be done when the calling green thread is about to give up its worker.
pub trait BeforePark: Send + Sync {
    /// Must not wait. Called once per registration.
    fn before_park(&self);
}

/// Registers `work` to run once, just before the calling green thread next parks, yields or ends.
/// On an ordinary OS thread it runs at once.
pub fn before_park(work: std::sync::Arc<dyn BeforePark>) {
    work.before_park();
}

/// Runs truly blocking work on a pool of OS threads while the caller parks.
pub fn unblock<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    f()
}
