//! Locks and channels, by std's names, between threads of both kinds.

pub mod mpsc;
mod mutex;

pub use mutex::{Mutex, MutexGuard};
