//! What any thread may know of and do to another.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::num::NonZero;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::interrupt;
use crate::scheduler::runtime;
use crate::task::Task;

/// A handle to a thread, green or not.
#[derive(Clone)]
pub struct Thread(pub(super) Arc<dyn Task>);

// As std's: whoever looks at a thread after a panic finds it as whole as before.
impl UnwindSafe for Thread {}
impl RefUnwindSafe for Thread {}

impl Thread {
    /// Its identity, different from that of every other thread in the process.
    pub fn id(&self) -> ThreadId {
        self.0.header().id()
    }

    /// Its name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.0.header().name()
    }

    /// The thread that spawned it, which may have ended since. `None` for an OS thread that greenwire did
    /// not make.
    pub fn parent(&self) -> Option<ThreadId> {
        self.0.header().origin().map(|origin| origin.parent)
    }

    /// Where in the program it was spawned. `None` for an OS thread that greenwire did not make.
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.0.header().origin().map(|origin| origin.place)
    }

    /// Makes its present or its next [`park`](super::park) return. Never parks.
    pub fn unpark(&self) {
        self.0.header().unpark();
    }

    /// Ends the thread at its next wait: it unwinds from there, runs its destructors, and its `join`
    /// gives [`Cancelled`]. A thread that has not started never runs. Returns at once, and does
    /// nothing to a thread that has ended.
    ///
    /// This is gevent's `kill`. It is delivered once; a thread that catches the unwind and goes on is
    /// let alone until it is cancelled again. It waits while the thread unwinds already, or is in
    /// [`no_cancel`]. The panic hook is not called.
    ///
    /// [`Cancelled`]: super::Cancelled
    /// [`no_cancel`]: super::no_cancel
    ///
    /// # Errors
    ///
    /// `Unsupported` for an OS thread, and in a program built with `panic = "abort"`.
    pub fn cancel(&self) -> io::Result<()> {
        let reason = if !interrupt::can_unwind() {
            "a program built with panic = \"abort\" cannot cancel threads"
        } else if self.0.header().is_os_thread() || runtime().uses_os_threads() {
            "an OS thread cannot be cancelled"
        } else {
            self.0.header().cancel();
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::Unsupported, reason))
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// The identity of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(NonZero<u64>);

impl ThreadId {
    /// A new one. Each OS thread takes many at a time, so that they do not meet at every spawn.
    pub(crate) fn next() -> ThreadId {
        const MANY: u64 = 1024;
        static NEXT: AtomicU64 = AtomicU64::new(1);
        thread_local! {
            static NEXT_HERE: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
        }
        let (mut id, mut end) = NEXT_HERE.get();
        if id == end {
            id = NEXT.fetch_add(MANY, Ordering::Relaxed);
            end = id + MANY;
        }
        NEXT_HERE.set((id + 1, end));
        ThreadId(NonZero::new(id).expect("a process does not start 2^64 threads"))
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0.get()
    }

    pub(crate) fn from_bits(bits: u64) -> Option<ThreadId> {
        NonZero::new(bits).map(ThreadId)
    }

    /// The number that [`dump`](crate::dump()) shows. It is unique among the last four billion threads.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.get() as u32
    }
}
