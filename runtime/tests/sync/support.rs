//! What the tests share.

use greenwire_runtime::thread;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;
use std::time::Duration;

pub(crate) const SOON: Duration = Duration::from_millis(5);
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// How long anything may take in a test. Miri's clock goes by the steps of the program.
const DEADLINE: Duration = Duration::from_secs(if cfg!(miri) { 600 } else { 30 });

/// A kind of thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Green,
    Os,
}

pub(crate) const KINDS: [Kind; 2] = [Kind::Green, Kind::Os];

/// Each combination of two kinds of thread.
pub(crate) fn pairs() -> impl Iterator<Item = (Kind, Kind)> {
    KINDS
        .into_iter()
        .flat_map(|one| KINDS.map(|other| (one, other)))
}

/// A thread of either kind. `join` is for OS threads, as tests are, and has a deadline.
pub(crate) struct Thread<T>(mpsc::Receiver<Result<T, Box<dyn Any + Send>>>);

pub(crate) fn spawn<T: Send + 'static>(
    kind: Kind,
    f: impl FnOnce() -> T + Send + 'static,
) -> Thread<T> {
    let (sender, receiver) = mpsc::channel();
    let run = move || drop(sender.send(catch_unwind(AssertUnwindSafe(f))));
    match kind {
        Kind::Green => drop(thread::spawn(run)),
        Kind::Os => drop(std::thread::spawn(run)),
    }
    Thread(receiver)
}

impl<T> Thread<T> {
    #[track_caller]
    pub(crate) fn join(self) -> T {
        let result = self.0.recv_timeout(DEADLINE).expect("it ends in time");
        result.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

/// Runs `f` on a green thread, and fails if it hangs.
#[track_caller]
pub(crate) fn green<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    spawn(Kind::Green, f).join()
}

/// Waits for a green thread from an OS thread, and fails if it hangs.
#[track_caller]
pub(crate) fn join<T: Send + 'static>(handle: thread::JoinHandle<T>) -> thread::Result<T> {
    spawn(Kind::Os, || handle.join()).join()
}

/// Lets every other green thread of the worker run until it waits.
pub(crate) fn let_others_run() {
    (0..5).for_each(|_| thread::yield_now());
}
