//! What can be waited for. Every primitive but [`Mutex`](super::Mutex) says what it means for it to be
//! ready; the loop around that is here, once. It is inlined into whoever waits, see `Exit::suspend`.

use std::time::{Duration, Instant};

use crate::insight::Reason;
use crate::scheduler::Worker;
use crate::wait::{Key, Outcome, wait};

/// Something to wait for, with a list of those who do.
pub(super) trait Source {
    /// What there is once it is ready.
    type Output;

    /// Takes the output if it is ready, and the caller out of the list. Otherwise the caller joins those
    /// who are told when that may have changed, at the `place` that it had before.
    ///
    /// Never parks. Looking and joining are one step, so nothing is missed in between.
    fn poll(&self, place: &mut Option<Key>) -> Option<Self::Output>;

    /// What a wait for it is told to be for.
    fn reason(&self) -> Reason;

    /// The caller does not wait any longer. If it was told, and somebody else could have been told in
    /// its stead, that one is told now.
    fn leave(&self, place: Key);
}

/// Parks until `source` is ready. A wait that is interrupted has taken nothing.
#[inline(always)]
pub(super) fn wait_for<S: Source>(source: &S) -> S::Output {
    wait_until(source, None).expect("a wait ends only with an output if there is no deadline")
}

/// As [`wait_for`], but gives none if `source` is not ready by the deadline.
#[inline(always)]
pub(super) fn wait_until<S: Source>(source: &S, deadline: Option<Instant>) -> Option<S::Output> {
    charge();
    wait_from(source, None, deadline)
}

/// As [`wait_until`], for one who stands at `place` already.
#[inline(always)]
pub(super) fn wait_from<S: Source>(
    source: &S,
    mut place: Option<Key>,
    deadline: Option<Instant>,
) -> Option<S::Output> {
    let mut late = false;
    loop {
        if let Some(output) = source.poll(&mut place) {
            return Some(output);
        }
        if late {
            place.inspect(|place| source.leave(*place));
            return None;
        }
        match wait(source.reason(), deadline) {
            Outcome::Woken => {}
            Outcome::TimedOut => late = true,
            Outcome::Interrupted(interrupt) => {
                place.inspect(|place| source.leave(*place));
                interrupt.unwind()
            }
        }
    }
}

/// Takes the output of `source` if it is ready. Never parks.
pub(super) fn try_take<S: Source>(source: &S) -> Option<S::Output> {
    let mut place = None;
    let output = source.poll(&mut place);
    if output.is_none() {
        place.inspect(|place| source.leave(*place));
    }
    output
}

/// Counts a call that may complete without parking. Others get their turn now and then, before the call
/// has taken anything.
#[inline]
pub(super) fn charge() {
    if let Some((worker, slot)) = Worker::running() {
        worker.charge(slot);
    }
}

/// The instant that is `timeout` from now. None is never.
pub(super) fn deadline_in(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}
