//! How a closure gets to the thread that runs it, and its result to the one who joins.
//!
//! ```text
//!   thread                          handle
//!   STARTED: the content is its     leaves its ticket, unless it finds ENDED; parks
//!   puts the result in              ENDED: TAKEN, the result is its
//!   ENDED: wakes whose ticket lies there
//! ```
//!
//! One word says whose the content is. All steps add to it atomically, so that whoever comes second sees
//! what the other has left. A lock around all of it would take twice as many locked instructions, which are
//! what starting and joining mostly cost.

use crate::primitive::{AtomicU64, Ordering, UnsafeCell};
use crate::scheduler::Ticket;
use std::mem;

/// A closure, and later its result.
pub(super) struct Handover<F, T> {
    /// The flags below, and above them the ticket of the one who waits, plus one.
    word: AtomicU64,
    content: UnsafeCell<Content<F, T>>,
}

/// A thread has the closure.
const STARTED: u64 = 1;
/// The result is there.
const ENDED: u64 = 2;
/// The result was taken, or will be dropped by the thread itself.
const TAKEN: u64 = 4;
/// Others than the one with the ticket want to know of the end.
const HEARD: u64 = 8;
const FLAGS: u32 = 4;

enum Content<F, T> {
    Closure(F),
    Nothing,
    Result(T),
}

/// The right to run the closure and to leave its result. There is one for each handover.
pub(super) struct Runner<'a, F, T>(&'a Handover<F, T>);

/// What the thread has to do at its end.
pub(super) struct End<T> {
    /// Who waits for the result.
    pub(super) joiner: Option<Ticket>,
    /// Whether others want to know.
    pub(super) is_heard: bool,
    /// The result, if nobody will ask for it.
    pub(super) unwanted: Option<T>,
}

// SAFETY: the content is moved from thread to thread, never shared: only the one runner reaches it between
// STARTED and ENDED, and afterwards only the one that was first to set TAKEN, or found it set.
unsafe impl<F: Send, T: Send> Sync for Handover<F, T> {}

impl<F, T> Handover<F, T> {
    #[inline(always)]
    pub(super) fn new(closure: F) -> Handover<F, T> {
        Handover::with(Content::Closure(closure))
    }

    /// For a thread that has its closure already.
    pub(super) fn without_closure() -> Handover<F, T> {
        Handover::with(Content::Nothing)
    }

    #[inline(always)]
    fn with(content: Content<F, T>) -> Handover<F, T> {
        Handover {
            word: AtomicU64::new(0),
            content: UnsafeCell::new(content),
        }
    }

    /// For the thread that is to run the closure, if there is none yet.
    #[inline]
    pub(super) fn start(&self) -> Option<Runner<'_, F, T>> {
        let is_first = self.word.fetch_or(STARTED, Ordering::Acquire) & STARTED == 0;
        is_first.then_some(Runner(self))
    }

    /// Takes the result, if it is there.
    #[inline]
    pub(super) fn take(&self) -> Option<T> {
        let is_mine = self.has_ended() && self.word.fetch_or(TAKEN, Ordering::Acquire) & TAKEN == 0;
        if !is_mine {
            return None;
        }
        // SAFETY: after ENDED, the content is for the one who was first to set TAKEN.
        unsafe { self.take_result() }
    }

    /// Nobody will ask for the result: it is given if it is there, else dropped by its thread.
    pub(super) fn detach(&self) -> Option<T> {
        if self.is_taken() {
            return None;
        }
        let word = self.word.fetch_or(TAKEN, Ordering::Acquire);
        if word & (ENDED | TAKEN) != ENDED {
            return None;
        }
        // SAFETY: as above. Before ENDED it is the runner who finds TAKEN set.
        unsafe { self.take_result() }
    }

    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        self.word.load(Ordering::Acquire) & ENDED != 0
    }

    pub(super) fn is_taken(&self) -> bool {
        self.word.load(Ordering::Relaxed) & TAKEN != 0
    }

    /// Leaves the ticket of who waits, or none. Returns false if the thread has ended.
    #[inline]
    pub(super) fn announce(&self, joiner: Option<Ticket>) -> bool {
        let ticket = joiner.map_or(0, |ticket| ticket.to_bits() + 1) << FLAGS;
        self.unless_ended(|word| word & !(u64::MAX << FLAGS) | ticket)
    }

    /// Has the thread tell that somebody listens. Returns false if it has ended.
    pub(super) fn listen(&self) -> bool {
        self.unless_ended(|word| word | HEARD)
    }

    /// Whether somebody listened.
    pub(super) fn is_heard(&self) -> bool {
        self.word.load(Ordering::Relaxed) & HEARD != 0
    }

    #[inline]
    fn unless_ended(&self, change: impl Fn(u64) -> u64) -> bool {
        let next = |word| (word & ENDED == 0).then(|| change(word));
        let (set, fetch) = (Ordering::AcqRel, Ordering::Acquire);
        self.word.fetch_update(set, fetch, next).is_ok()
    }

    /// # Safety
    /// The content must be the caller's.
    #[inline(always)]
    unsafe fn take_result(&self) -> Option<T> {
        // SAFETY: as the caller promises.
        match unsafe { self.replace(Content::Nothing) } {
            Content::Result(result) => Some(result),
            _ => None,
        }
    }

    /// Puts `next` in place of the content.
    ///
    /// # Safety
    /// The content must be the caller's.
    #[inline(always)]
    unsafe fn replace(&self, next: Content<F, T>) -> Content<F, T> {
        // SAFETY: as the caller promises.
        let replace = |content: *mut _| unsafe { mem::replace(&mut *content, next) };
        self.content.with_mut(replace)
    }
}

impl<F, T> Runner<'_, F, T> {
    /// Takes the closure, unless that was done, or it was never here.
    #[inline]
    pub(super) fn closure(&mut self) -> Option<F> {
        // SAFETY: between STARTED and ENDED the content is for the one runner.
        match unsafe { self.0.replace(Content::Nothing) } {
            Content::Closure(closure) => Some(closure),
            _ => None,
        }
    }

    /// Leaves the result.
    #[inline]
    pub(super) fn finish(self, result: T) -> End<T> {
        let Runner(handover) = self;
        // SAFETY: as above.
        drop(unsafe { handover.replace(Content::Result(result)) });
        // An addition, which sets the flag as there is one runner, is one instruction where `or` is a loop.
        let word = handover.word.fetch_add(ENDED, Ordering::AcqRel);
        let unwanted = if word & TAKEN != 0 {
            // SAFETY: as TAKEN was set before ENDED, the result is left to the runner.
            unsafe { handover.take_result() }
        } else {
            None
        };
        End {
            joiner: (word >> FLAGS).checked_sub(1).map(Ticket::from_bits),
            is_heard: word & HEARD != 0,
            unwanted,
        }
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use loom::sync::{Arc, Notify};
    use loom::thread;

    type Shared = Arc<(Handover<u32, u32>, Notify)>;

    /// Begins a thread that runs the closure 1, and leaves 2.
    fn run(shared: &Shared) -> thread::JoinHandle<Option<u32>> {
        let shared = shared.clone();
        thread::spawn(move || {
            let mut runner = shared.0.start()?;
            assert_eq!(runner.closure(), Some(1));
            let end = runner.finish(2);
            if end.joiner.is_some() {
                shared.1.notify();
            }
            end.unwanted
        })
    }

    fn shared() -> Shared {
        Arc::new((Handover::new(1), Notify::new()))
    }

    /// A lost wake leaves the joiner waiting for ever, which loom reports as a deadlock.
    #[test]
    fn loom_the_joiner_gets_the_result() {
        loom::model(|| {
            let shared = shared();
            let thread = run(&shared);
            if shared.0.announce(Some(Ticket::from_bits(0))) {
                while !shared.0.has_ended() {
                    shared.1.wait();
                }
            }
            assert_eq!(shared.0.take(), Some(2));
            assert_eq!(shared.0.take(), None);
            assert_eq!(thread.join().unwrap(), None);
        });
    }

    #[test]
    fn loom_an_unwanted_result_is_dropped_once() {
        loom::model(|| {
            let shared = shared();
            let thread = run(&shared);
            let given = shared.0.detach();
            let left = thread.join().unwrap();
            assert_eq!([given, left].iter().flatten().count(), 1);
        });
    }

    #[test]
    fn loom_one_thread_runs_the_closure() {
        loom::model(|| {
            let shared = shared();
            let threads = [run(&shared), run(&shared)];
            threads.map(|thread| thread.join().unwrap());
            assert_eq!(shared.0.take(), Some(2));
        });
    }
}
