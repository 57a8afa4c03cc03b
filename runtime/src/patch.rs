//! What `greenwire-monkey` is made of: waits in the middle of foreign code.
//!
//! A function of libc that greenwire stands in for is called from frames that must not be unwound, and
//! perhaps by code that holds locks of its own. So nothing here unwinds. An interrupt that comes is *owed*:
//! the thread takes it again at its next wait, and at the latest where the block that it cuts short ends.

use std::time::Instant;

use crate::fork;
use crate::insight::Reason;
use crate::interrupt::{Interrupt, Interrupts, resume};
use crate::scheduler::{Ticket, Worker, send_wake, wake};

/// Whether the caller is a green thread that can wait: not in a forked child.
#[inline]
pub fn can_park() -> bool {
    Worker::running().is_some() && !is_forked()
}

/// Whether this is a child that was forked, in which there are no other threads: whatever they had locked
/// stays locked.
#[inline]
#[must_use]
pub fn is_forked() -> bool {
    fork::is_child()
}

/// Counts the waits and yields of the calling green thread, wrapping.
#[must_use]
pub fn waits() -> u32 {
    Worker::running().map_or(0, |(_, slot)| slot.waits())
}

/// Counts a call that may complete without parking. Returns false if there were so many that it is the
/// turn of others.
#[must_use]
pub fn spend() -> bool {
    Worker::running().is_none_or(|(worker, _)| worker.spend())
}

/// A wait was cut short by a cancellation or a limit, which the thread owes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutShort;

/// Runs `f`. If it unwinds for an interrupt, that ends here and is owed.
///
/// # Errors
///
/// [`CutShort`] if it did.
pub fn without_unwinding<R>(f: impl FnOnce() -> R) -> Result<R, CutShort> {
    Interrupts::catch(f).map_err(|payload| match Interrupt::of_payload(&*payload) {
        Some(interrupt) => {
            interrupt.owe();
            CutShort
        }
        None => resume(payload),
    })
}

/// Whether the calling thread owes an interrupt, so that its next wait is cut short at once.
#[must_use]
pub fn owes() -> bool {
    Interrupts::with(Interrupts::owes)
}

/// A green thread that waits in [`wait_until`].
#[derive(Clone, Copy, Debug)]
pub struct Waiter(Ticket);

impl Waiter {
    /// The calling green thread, if it is one.
    #[must_use]
    pub fn current() -> Option<Waiter> {
        Worker::running().map(|(worker, slot)| Waiter(worker.ticket_of(slot)))
    }

    /// Makes it look again, from any thread, and in any state of a worker that calls this.
    pub fn wake(self) {
        match Worker::running() {
            Some(_) => wake(self.0),
            None => send_wake(self.0),
        }
    }
}

/// Parks the calling green thread until `done` says so. Returns false if the deadline came first.
///
/// This may stand in the middle of anything, other waits included. So it neither does what was put off
/// until the thread parks nor minds interrupts. It may take a wake that was meant for the wait around it, and
/// leaves one behind for that.
pub fn wait_until(
    reason: Reason,
    deadline: Option<Instant>,
    mut done: impl FnMut() -> bool,
) -> bool {
    let Some((worker, slot)) = Worker::running() else {
        return done();
    };
    let (mut waited, mut in_time) = (false, true);
    while in_time && !done() {
        in_time = worker.park_bare(slot, reason, deadline);
        waited = true;
    }
    if waited {
        // To itself, as it runs: its next wait returns at once.
        worker.wake(worker.ticket_of(slot));
    }
    in_time || done()
}
