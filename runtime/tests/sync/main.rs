//! `sync`, between green threads, OS threads, and both, on one worker and on several.
//!
//! Whatever std has, too, is tested by one source against both: see `on_std.rs` and `on_greenwire.rs`.
//! The ideas are those of std's own tests (rust-lang/rust, library/std/tests/sync) and gevent's
//! (gevent/gevent, `lock_tests.py`, `test__event.py`, `test__semaphore.py`).

#![allow(
    clippy::duplicate_mod,
    reason = "the same tests run against std and against greenwire"
)]

mod channel;
mod condvar;
mod event;
mod mutex;
mod on_greenwire;
mod on_std;
mod once;
mod oneshot;
mod rw_lock;
mod select;
mod semaphore;
mod sizes;
mod support;

use std::env;
use std::process::Command;

/// The variable that says how many workers there are.
const WORKERS: &str = "GREENWIRE_WORKERS";

/// Runs all tests of this file once more, in a process with another number of workers.
fn again_with_workers(count: &str) {
    if env::var_os(WORKERS).is_some() {
        return; // this is that process
    }
    let program = env::current_exe().expect("the program of this test is known");
    let output = Command::new(program).env(WORKERS, count).output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "with {WORKERS}={count}:\n{report}");
}

#[test]
fn all_of_this_holds_on_one_worker() {
    again_with_workers("1");
}

#[test]
fn all_of_this_holds_on_four_workers() {
    again_with_workers("4");
}
