//! Who calls: whether a hook has anything to do, and how it waits.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::LocalKey;

use greenwire_runtime::{patch, thread};

use crate::hook::Hook;

/// What the hooks do, for the whole process.
static STAGE: AtomicU8 = AtomicU8::new(OFF);

const OFF: u8 = 0;
const TESTING: u8 = 1;
const ON: u8 = 2;

thread_local! {
    /// How many of our own sections the OS thread is in, where nothing is patched.
    static PLAIN: Cell<u32> = const { Cell::new(0) };
    /// How many sections of `blocking` it is in, where no wait is.
    static BLOCKING: Cell<u32> = const { Cell::new(0) };
    /// Whether it makes calls to see whether they come to the hooks.
    static PROBES: Cell<bool> = const { Cell::new(false) };
}

/// Whether a hook is to act for the calling green thread.
#[inline]
pub(crate) fn acts(hook: &Hook) -> bool {
    is_on(hook) && may_wait()
}

/// Whether the caller is a green thread whose waits are to park.
#[inline]
pub(crate) fn may_wait() -> bool {
    patch::can_park() && BLOCKING.get() == 0
}

/// The same for the few that act for OS threads, too: they may have to tell a green thread something.
#[inline]
pub(crate) fn is_on(hook: &Hook) -> bool {
    match STAGE.load(Ordering::Relaxed) {
        OFF => false,
        ON => PLAIN.get() == 0 && !patch::is_forked(),
        _ => {
            if PROBES.get() {
                hook.reached();
            }
            false
        }
    }
}

/// From now on the hooks act.
pub(crate) fn turn_on() {
    STAGE.store(ON, Ordering::SeqCst);
}

pub(crate) fn is_turned_on() -> bool {
    STAGE.load(Ordering::SeqCst) == ON
}

/// While `f` runs, hooks only note that they are reached by threads that [`probe`].
pub(crate) fn testing<R>(f: impl FnOnce() -> R) -> R {
    STAGE.store(TESTING, Ordering::SeqCst);
    let result = f();
    STAGE.store(OFF, Ordering::SeqCst);
    result
}

/// Runs `f`, whose calls are to be noted.
pub(crate) fn probe<R>(f: impl FnOnce() -> R) -> R {
    PROBES.set(true);
    let result = f();
    PROBES.set(false);
    result
}

/// Runs `f` with nothing patched: every call in it that waits blocks the OS thread, as it would without
/// this crate.
///
/// For code that needs the OS thread for itself while it waits, such as a C library with thread-locals. All green
/// threads of the worker stand still meanwhile, so keep it short, and wait for none of them in there. What
/// waits by greenwire's own means blocks the worker, too.
///
/// # Examples
///
/// ```
/// use greenwire_monkey as monkey;
/// use greenwire_runtime::thread;
/// use std::time::Duration;
///
/// monkey::patch_all()?;
/// let short = Duration::from_millis(1);
/// thread::spawn(move || monkey::blocking(|| std::thread::sleep(short))).join().unwrap();
/// # Ok::<(), monkey::NotInterposed>(())
/// ```
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    thread::no_switch(|| counted(&BLOCKING, f))
}

/// Runs `f` while a counter of the OS thread is one higher.
fn counted<R>(counter: &'static LocalKey<Cell<u32>>, f: impl FnOnce() -> R) -> R {
    struct Leave(&'static LocalKey<Cell<u32>>);
    impl Drop for Leave {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }
    counter.set(counter.get() + 1);
    let _leave = Leave(counter);
    f()
}

/// A lock that the hooks themselves use: whoever waits for it waits in the kernel, for a moment.
pub(crate) struct Plain<T>(Mutex<T>);

impl<T> Plain<T> {
    pub(crate) const fn new(value: T) -> Plain<T> {
        Plain(Mutex::new(value))
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        counted(&PLAIN, || {
            f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }
}

/// Runs `f`, which waits by greenwire's means, in the name of a function of libc. When the wait is cut
/// short, the function fails with `ECANCELED`.
pub(crate) fn waiting<R>(f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    patch::without_unwinding(f)
        .unwrap_or_else(|patch::CutShort| Err(io::Error::from_raw_os_error(libc::ECANCELED)))
}
