//! Truly blocking work, on OS threads of its own.
//!
//! The pool has as many threads as there are jobs at a time, up to a limit; beyond it jobs queue. A
//! thread that had nothing to do for a while ends, so a process at rest has none.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::fork;
use crate::insight::Reason;
use crate::scheduler::{Worker, runtime};
use crate::task::{quietly, undisturbed};
use crate::wait::{Outcome, Waiter, wait};

const IDLE: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce() + Send>;

static POOL: Pool = Pool {
    state: Mutex::new(State {
        jobs: VecDeque::new(),
        threads: 0,
        idle: 0,
    }),
    job_came: Condvar::new(),
};

struct Pool {
    state: Mutex<State>,
    job_came: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

/// Runs `f`, which may block, on a pool of OS threads, and parks the caller until it has returned. On
/// an OS thread it simply runs.
///
/// The pool grows to [`Builder::unblock_threads`](crate::Builder::unblock_threads), and shrinks after two
/// seconds. `f` owns what it works on, so the caller
/// can be cancelled meanwhile; the result is then dropped.
///
/// # Panics
///
/// With the panic of `f`, or if there is no thread to run it on.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{thread, unblock};
///
/// let text = thread::spawn(|| unblock(|| std::fs::read_to_string("Cargo.toml")));
/// assert!(text.join().unwrap().unwrap().contains("greenwire"));
/// ```
pub fn unblock<F, T>(f: F) -> T
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    if Worker::running().is_none() {
        return f();
    }
    fork::assert_not_child();
    let result = Arc::new(Mutex::new(None));
    let waiter = Waiter::current();
    let slot = result.clone();
    POOL.submit(Box::new(move || {
        let outcome = panic::catch_unwind(AssertUnwindSafe(f));
        *lock(&slot) = Some(outcome);
        drop(slot);
        waiter.wake();
    }));
    loop {
        if let Some(outcome) = lock(&result).take() {
            return outcome.unwrap_or_else(|payload| panic::resume_unwind(payload));
        }
        if let Outcome::Interrupted(interrupt) = wait(Reason::Unblock, None) {
            // It may have come at the last moment, and may panic when it is dropped.
            undisturbed(|| drop(result));
            interrupt.unwind()
        }
    }
}

/// How many OS threads the pool has, if all of them are idle.
pub(crate) fn idle_threads() -> Option<usize> {
    let state = lock(&POOL.state);
    (state.idle == state.threads && state.jobs.is_empty()).then_some(state.idle)
}

/// How many threads the pool has, and how many jobs there are for them.
pub(crate) fn load() -> (usize, usize) {
    let state = lock(&POOL.state);
    (state.threads, state.threads - state.idle + state.jobs.len())
}

impl Pool {
    fn submit(&'static self, job: Job) {
        let mut state = lock(&self.state);
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() {
            return self.job_came.notify_one();
        }
        if state.threads >= runtime().unblock_threads() {
            return;
        }
        // The new thread waits for the lock. If there is none at all, the job is still the last.
        let name = "greenwire-unblock".to_owned();
        match thread::Builder::new().name(name).spawn(|| self.work()) {
            Ok(_) => state.threads += 1,
            Err(error) if state.threads == 0 => {
                state.jobs.pop_back();
                drop(state);
                panic!("no thread for blocking work: {error}");
            }
            // Those that there are will do the job in its turn.
            Err(_) => {}
        }
    }

    fn work(&self) {
        let mut state = lock(&self.state);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                quietly(job);
                state = lock(&self.state);
                continue;
            }
            state.idle += 1;
            let (next, timeout) = self
                .job_came
                .wait_timeout(state, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            state = next;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
