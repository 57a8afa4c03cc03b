//! Locks and channels, by std's names, between threads of both kinds.
//!
//! | std's, with std's API | |
//! |---|---|
//! | [`Mutex`], [`RwLock`], [`Condvar`] | locks, which may be held while the thread parks |
//! | [`Barrier`] | a point that threads pass together |
//! | [`Once`], [`OnceLock`], [`LazyLock`] | what is done or made once |
//! | [`mpsc`] | channels with one receiver |
//! | [`Arc`], [`atomic`], [`PoisonError`] and so on | std's own, for which nobody waits |
//!
//! | not in stable std | |
//! |---|---|
//! | [`mpmc`], [`oneshot`] | channels with many receivers, and for one value, by the names of std's unstable ones |
//! | [`Semaphore`], [`Event`] | gevent's: permits, and a flag to wait for |
//! | [`select!`](crate::sync::select!) | waits for the first of several receivers, events, threads, and a time |
//!
//! All of them work between green threads, between OS threads, and across, and all are `Send` and `Sync`
//! as std's are. Whatever parks here ends with the limit of a [`timeout`](crate::time::timeout) around it,
//! and with a [cancellation](crate::thread::Thread::cancel). Nothing is lost by that: who had just been
//! given a lock, a permit, a value or a notification leaves it to the next one. Nor is anything poisoned,
//! which only panics do.
//!
//! Waiters are served in the order in which they came. Only a [`Mutex`] and a full or empty channel may go
//! to a thread that comes just when one is being woken; that one keeps its place. [`RwLock`] and
//! [`Semaphore`] let nobody pass.
//!
//! # Differences from std
//!
//! A green thread that spins until another one has done something keeps its worker from it. Wait for it
//! with one of these, or at least call [`yield_now`](crate::thread::yield_now).
//!
//! `WaitTimeoutResult`, `BarrierWaitResult` and `OnceState` are our own, with std's methods, since std's cannot
//! be made outside of std. `Condvar::wait_timeout_ms`, which std deprecates, is missing.

mod barrier;
mod channel;
mod condvar;
mod event;
mod iter;
mod lazy_lock;
mod lock_word;
pub mod mpmc;
pub mod mpsc;
#[expect(unsafe_code, reason = "a value that only who has its lock can reach")]
mod mutex;
mod once;
mod once_lock;
pub mod oneshot;
mod poison;
#[expect(unsafe_code, reason = "a value that only who has its lock can reach")]
mod rw_lock;
mod rw_lock_word;
pub mod select;
mod select_macro;
mod semaphore;
mod source;

#[doc(inline)]
pub use crate::select;
pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use event::Event;
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceState};
pub use once_lock::OnceLock;
pub use rw_lock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak, atomic};
