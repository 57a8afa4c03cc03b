//! The runtime of greenwire: green threads that look like threads.
//!
//! ```
//! use greenwire_runtime::{sync::mpsc, thread};
//! use std::time::Duration;
//!
//! let (sender, receiver) = mpsc::channel();
//! thread::spawn(move || {
//!     for n in 1..=3 {
//!         thread::sleep(Duration::from_millis(1));
//!         sender.send(n).unwrap();
//!     }
//! });
//! assert_eq!(receiver.iter().sum::<i32>(), 6);
//! ```
//!
//! There is nothing to start and nothing to mark: the first use begins the runtime, and a call that
//! would block a thread parks a green thread instead, while its worker runs others. Every call also
//! works on an ordinary OS thread, such as `main` above, which it blocks.
//!
//! # Concepts
//!
//! * A *green thread* has a stack of its own, of which only the pages it uses take memory. It is pinned:
//!   once it has started, it stays on its worker.
//! * A *worker* is an OS thread that runs green threads in turn, and waits for events and timers when
//!   none is ready. There is one for each CPU.
//! * To *park* is to wait and let the worker run others. Waits end when what they wait for happens, at a
//!   deadline, or by an interrupt: [`cancel`](thread::JoinHandle::cancel) or [`time::timeout`].
//!
//! # Safety model
//!
//! [`thread::spawn`] is safe, since a green thread never changes its OS thread. What remains is that others
//! of the same OS thread run while one waits, and the compiler cannot see that. So two patterns can be
//! undefined behaviour even in safe code: waiting inside a `thread_local!` initialiser, and inside a
//! scoped thread-local. Others are only surprising, such as holding a `std::sync::Mutex` while waiting.
//! The page [`safety_model`] shows each of them, and what to do instead.
//!
//! # Looking for faults
//!
//! [`dump()`] tells what all green threads are doing and where they stand; [`Builder::watchdog`] names those
//! that keep their worker from all others; a deadlock of the whole process is logged. See [`insight`].
//!
//! # Errors
//!
//! `io::Result` throughout; [`thread::JoinHandle::join`] gives a [`thread::Result`] as std's does.

#![deny(unsafe_code)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod before_park;
mod builder;
mod clock;
#[expect(
    unsafe_code,
    reason = "switching stacks is the one thing that Rust cannot express safely"
)]
mod context;
#[expect(unsafe_code, reason = "only libc tells a process that it was forked")]
mod fork;
pub mod insight;
mod interrupt;
mod metrics;
mod os_thread;
#[doc(hidden)]
pub mod patch;
mod primitive;
mod reactor;
pub mod safety_model;
mod scheduler;
pub mod signal;
pub mod sync;
mod task;
pub mod thread;
pub mod time;
mod timer;
mod unblock;
mod wait;

pub use before_park::{BeforePark, before_park};
pub use builder::Builder;
pub use insight::{Dump, dump, dump_up_to};
pub use metrics::{Metrics, metrics};
pub use scheduler::run_until_idle;
pub use unblock::unblock;

/// Waiting for descriptors: what sockets are made of.
pub mod io {
    pub use crate::reactor::{Direction, Source, blocks_in_kernel};
}
