//! What the tests share.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Once, mpsc};
use std::time::Duration;

use greenwire_monkey as monkey;
use greenwire_runtime::{Builder, thread};

/// How long anything may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Patches the process and starts the runtime with this many workers.
pub(crate) fn on_workers(count: usize) {
    static START: Once = Once::new();
    START.call_once(|| {
        monkey::patch_all().unwrap();
        Builder::new().workers(count).start().unwrap();
    });
}

pub(crate) fn on_one_worker() {
    on_workers(1);
}

/// A green thread. `join` is for OS threads, as tests are, and has a deadline.
pub(crate) struct Green<T> {
    ended: mpsc::Receiver<Result<T, Box<dyn Any + Send>>>,
    pub(crate) thread: thread::Thread,
}

pub(crate) fn spawn_green<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Green<T> {
    let (sender, ended) = mpsc::channel();
    let handle = thread::spawn(move || drop(sender.send(catch_unwind(AssertUnwindSafe(f)))));
    let thread = handle.thread().clone();
    Green { ended, thread }
}

impl<T> Green<T> {
    #[track_caller]
    pub(crate) fn join(self) -> T {
        let result = self.ended.recv_timeout(DEADLINE).expect("it ends in time");
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

/// Runs `f` on a green thread, and fails if it hangs.
#[track_caller]
pub(crate) fn green<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_green(f).join()
}

/// How many calls of a function have parked.
pub(crate) fn parked(name: &str) -> u64 {
    let report = monkey::report();
    let hook = report.hooks.iter().find(|hook| hook.name == name);
    hook.expect("there is such a hook").parked
}
