//! `patch_all`, and the test by which it finds out whether this very program was linked as it must be.

use std::ffi::c_void;
use std::fmt;
use std::io::{IoSliceMut, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{panic, thread};

use crate::green::{self, probe};
use crate::hook::Hook;
use crate::hooks;

/// How long a thread that is to wait for a lock may take to get there.
const DEADLINE: Duration = Duration::from_secs(10);

/// From now on, calls of green threads that would block the OS thread park the green thread.
///
/// To be called at the beginning of `main`; further calls do nothing. What OS threads call stays as it is,
/// but that closing a descriptor and waking a futex also reach green threads. The panic hook that is set then
/// blocks its OS thread where it waits, which std's does for backtraces; one that is set later must not wait. Only a program should call this,
/// not a library: it changes the whole process.
///
/// # Errors
///
/// [`NotInterposed`] if the program was linked in such a way that calls do not come to this crate. Nothing is
/// patched then.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
/// use std::time::Duration;
///
/// greenwire_monkey::patch_all()?;
/// let sleepers: Vec<_> = (0..100)
///     .map(|_| thread::spawn(|| std::thread::sleep(Duration::from_millis(10))))
///     .collect();
/// // They sleep at the same time, on a few OS threads.
/// sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
/// # Ok::<(), greenwire_monkey::NotInterposed>(())
/// ```
pub fn patch_all() -> Result<Patched, NotInterposed> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    if !green::is_turned_on() {
        green::testing(test)?;
        keep_panic_hook_from_waiting();
        green::turn_on();
    }
    Ok(Patched(()))
}

/// The process is patched. See [`patch_all`].
#[derive(Clone, Copy, Debug)]
pub struct Patched(());

/// Why nothing was patched: calls of some functions do not come to this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotInterposed {
    missing: Vec<&'static str>,
}

impl NotInterposed {
    /// The functions of libc that are called past this crate.
    #[must_use]
    pub fn missing(&self) -> &[&'static str] {
        &self.missing
    }
}

impl fmt::Display for NotInterposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing.join(", ");
        write!(
            f,
            "blocking calls are not patched, since another library's definitions come first (is this a library \
             that another program loads? link it with -Wl,-Bsymbolic, or preload it): {missing}"
        )
    }
}

impl std::error::Error for NotInterposed {}

/// std's hook reads files for a backtrace. If another green thread of the worker panicked meanwhile, std would
/// take that for a panic of the hook, and abort.
fn keep_panic_hook_from_waiting() {
    // std lets nobody set a hook while its thread unwinds.
    if thread::panicking() {
        return;
    }
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| green::blocking(|| report(info))));
}

/// Each symbol is looked up as the dynamic linker does for C code. And std is called in each of its ways,
/// since it may be a library that was linked before.
fn test() -> Result<(), NotInterposed> {
    fail_if(|hook, ours| !hook.is_in_front(ours))?;
    let called = call_all();
    fail_if(|hook, _| called.contains(&hook.name()) && !hook.was_reached())
}

fn fail_if(is_missing: impl Fn(&Hook, *const c_void) -> bool) -> Result<(), NotInterposed> {
    let mut missing = hooks::all();
    missing.retain(|(hook, ours)| is_missing(hook, *ours));
    if missing.is_empty() {
        return Ok(());
    }
    Err(NotInterposed {
        missing: missing.iter().map(|(hook, _)| hook.name()).collect(),
    })
}

/// Has std call libc, and tells which functions. Nothing here waits for long, wherever the calls go.
fn call_all() -> Vec<&'static str> {
    probe(|| thread::sleep(Duration::from_nanos(1)));
    let mut called = vec!["clock_nanosleep"];
    // Without free descriptors, this part is left out.
    if let Ok((ours, theirs)) = UnixStream::pair() {
        probe(|| exchange(ours, theirs));
        called.extend(["send", "recv", "readv", "close"]);
    }
    if contend() {
        called.push("syscall");
    }
    called
}

fn exchange(mut ours: UnixStream, mut theirs: UnixStream) {
    let mut byte = [0];
    // What they return does not matter: there are two bytes to be read.
    let _ = ours.write(b"ab");
    let _ = theirs.read(&mut byte);
    let _ = theirs.read_vectored(&mut [IoSliceMut::new(&mut byte)]);
}

/// Has another thread wait for a lock. Returns false if there is no other thread to be had.
fn contend() -> bool {
    let lock = Mutex::new(());
    thread::scope(|scope| {
        let held = lock.lock();
        let waits = thread::Builder::new().spawn_scoped(scope, || probe(|| drop(lock.lock())));
        let deadline = Instant::now() + DEADLINE;
        while waits.is_ok() && !is_reached("syscall") && Instant::now() < deadline {
            thread::sleep(Duration::from_micros(50));
        }
        drop(held);
        waits.is_ok()
    })
}

fn is_reached(name: &str) -> bool {
    let hooks = hooks::all();
    hooks
        .iter()
        .any(|(hook, _)| hook.name() == name && hook.was_reached())
}
