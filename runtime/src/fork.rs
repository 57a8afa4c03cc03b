//! After a fork without exec: only the forking thread lives on in the child, so no worker does.
//!
//! What would wait for one there fails with a clear message instead of hanging. Descriptors are shared
//! with the parent, the reactors' own among them, so the child must not touch any registration either.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::scheduler::Worker;

static FORKED: AtomicBool = AtomicBool::new(false);

const REASON: &str = "this process was forked from one that runs greenwire, and its green threads did \
    not come along: exec or exit, or fork before the first use of greenwire";

/// Has children of this process know what they are.
///
/// # Errors
/// If there is no memory to register this.
pub(crate) fn watch() -> io::Result<()> {
    // SAFETY: `in_child` is a function with the signature that is asked for, and never goes away. It runs
    // in the child of a process with several threads, where only little is allowed: it stores to an
    // atomic and to a plain thread-local, and neither locks nor allocates nor unwinds.
    match unsafe { libc::pthread_atfork(None, None, Some(in_child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

extern "C" fn in_child() {
    FORKED.store(true, Ordering::Relaxed);
    if let Some(worker) = Worker::current() {
        worker.hold();
    }
}

/// Whether this is the child of a process in which workers ran.
pub(crate) fn is_child() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// Before something that needs a worker.
///
/// # Errors
/// `Unsupported` in a child.
pub(crate) fn check() -> io::Result<()> {
    if is_child() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, REASON));
    }
    Ok(())
}

/// The same, where no error can be returned.
///
/// # Panics
/// In a child.
#[track_caller]
pub(crate) fn assert_not_child() {
    assert!(!is_child(), "{REASON}");
}

/// The green thread that forked has ended in the child. There is nobody to go on with.
#[cold]
pub(crate) fn end_child() -> ! {
    log::error!("the green thread that forked has returned: {REASON}");
    std::process::abort()
}
