//! The tests of what std has, against std.

use std::{sync, thread};

#[path = "parity/barrier.rs"]
mod barrier;
#[path = "parity/condvar.rs"]
mod condvar;
#[path = "parity/mpsc.rs"]
mod mpsc;
#[path = "parity/mutex.rs"]
mod mutex;
#[path = "parity/once.rs"]
mod once;
#[path = "parity/rw_lock.rs"]
mod rw_lock;
#[path = "parity/signatures.rs"]
mod signatures;
