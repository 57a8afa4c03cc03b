//! Knowing when no green thread is left.
//!
//! A worker that is about to sleep looks whether somebody waits for that, and whether it is so:
//!
//! ```text
//!   worker                           waiter
//!   count one that ended             announce itself
//!   ... fence (in `doze`)            fence
//!   announced? all ended? wake it    all ended? return, else park
//! ```
//!
//! As with the inbox, one of the two sees the other. What has ended is summed up before what was
//! spawned: at the moment between, no more were live than the difference of the sums.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Runtime, runtime, started};
use crate::insight::Reason;
use crate::thread;
use crate::wait::{Outcome, WaitList, wait};

/// Who waits until no green thread is left.
#[derive(Default)]
pub(super) struct Idle {
    awaited: AtomicBool,
    state: Mutex<State>,
    /// Threads that were spawned outside of workers, or are OS threads; and how many of these ended.
    pub(super) spawned_outside: AtomicU64,
    pub(super) ended_outside: AtomicU64,
}

#[derive(Default)]
struct State {
    waiters: WaitList,
    /// Live green threads that do not count: those that wait here, and those that serve others. While
    /// the lock is held, none of them ends.
    excused: u64,
}

/// Parks until every green thread has ended, but for those that call this, too. In OS-thread mode, until
/// every OS thread has ended that greenwire spawned. This is gevent's `wait`.
///
/// Those that wait for ever keep it from returning; a [`timeout`](crate::time::timeout) around it does
/// not. Handlers of [`signal::on`](crate::signal::on) do not count while there is nothing to handle.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{run_until_idle, thread};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// static DONE: AtomicU32 = AtomicU32::new(0);
/// for _ in 0..10 {
///     thread::spawn(|| thread::spawn(|| DONE.fetch_add(1, Ordering::Relaxed)));
/// }
/// run_until_idle();
/// assert_eq!(DONE.load(Ordering::Relaxed), 10);
/// ```
pub fn run_until_idle() {
    let Some(runtime) = started() else { return };
    let _excused = thread::current().parent().map(|_| Excused::new());
    let mut place = None;
    loop {
        let mut state = runtime.idle.lock();
        let key = state.waiters.push(place);
        place = Some(key);
        runtime.idle.awaited.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if runtime.is_idle(&state) {
            state.waiters.remove(key);
            return;
        }
        drop(state);
        if let Outcome::Interrupted(interrupt) = wait(Reason::Idle, None) {
            runtime.idle.lock().waiters.remove(key);
            interrupt.unwind()
        }
    }
}

/// While this lives, the green thread that made it does not count as live.
pub(crate) struct Excused(&'static Runtime);

impl Excused {
    pub(crate) fn new() -> Excused {
        let runtime = runtime();
        runtime.idle.lock().excused += 1;
        fence(Ordering::SeqCst);
        runtime.tell_if_idle();
        Excused(runtime)
    }
}

impl Drop for Excused {
    fn drop(&mut self) {
        self.0.idle.lock().excused -= 1;
    }
}

impl Idle {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime {
    /// Wakes those who wait for it, if no green thread is left. A fence must precede it.
    pub(super) fn tell_if_idle(&self) {
        if !self.idle.awaited.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.idle.lock();
        if self.is_idle(&state) {
            let waiters = state.waiters.take();
            self.idle.awaited.store(false, Ordering::Relaxed);
            drop(state);
            waiters.for_each(|waiter| waiter.wake());
        }
    }

    fn is_idle(&self, state: &State) -> bool {
        let (spawned, ended) = self.spawned_and_ended();
        spawned - ended == state.excused
    }

    /// The sums over all workers. What has ended is counted first.
    pub(super) fn spawned_and_ended(&self) -> (u64, u64) {
        let ended_outside = self.idle.ended_outside.load(Ordering::Acquire);
        let counters = self.workers.iter().map(|worker| &*worker.counters);
        let ended: u64 = counters.clone().map(|worker| worker.ended.get()).sum();
        let spawned: u64 = counters.map(|worker| worker.spawned.get()).sum();
        let spawned_outside = self.idle.spawned_outside.load(Ordering::Acquire);
        (spawned + spawned_outside, ended + ended_outside)
    }
}

/// An OS thread begins that counts as live until this is dropped.
pub(crate) struct LiveOsThread(&'static Runtime);

impl LiveOsThread {
    pub(crate) fn new() -> LiveOsThread {
        let runtime = runtime();
        runtime.idle.spawned_outside.fetch_add(1, Ordering::Relaxed);
        LiveOsThread(runtime)
    }
}

impl Drop for LiveOsThread {
    fn drop(&mut self) {
        self.0.idle.ended_outside.fetch_add(1, Ordering::Release);
        fence(Ordering::SeqCst);
        self.0.tell_if_idle();
    }
}
