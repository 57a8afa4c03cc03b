//! Contexts as OS threads, each of which runs only while a worker waits for it in `resume`.
//!
//! `--cfg greenwire_context="threads"` builds the runtime with these. Miri cannot follow a switch of stacks;
//! with these it checks the rest: the scheduler, the timers, the locks. Nobody else should want them.
//! A green thread then has its own thread-locals, and a [`Stack`] is only a number.

use std::cell::Cell;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::{MARGIN, Progress, Running, Stack};

/// Green threads have thread-locals of their own, and must be told whose they are.
pub(crate) const ARE_OS_THREADS: bool = true;

/// A call stack that can be left and resumed.
pub(crate) struct Context {
    turn: Arc<Turn>,
    thread: JoinHandle<()>,
    stack: Stack,
}

/// How the green thread that a worker has resumed gets back to it.
pub(crate) struct Exit(Cell<Option<Arc<Turn>>>);

/// Whose turn it is: the worker's or the green thread's. The other one waits.
#[derive(Default)]
struct Turn {
    of: Mutex<Of>,
    passed: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Of {
    #[default]
    Worker,
    GreenThread,
    /// The worker's for ever: the green thread has ended.
    WorkerAlone,
}

impl Context {
    /// Prepares `entry` to run. Nothing runs yet.
    pub(crate) fn new(stack: Stack, entry: impl FnOnce() + 'static) -> Context {
        let turn = Arc::new(Turn::default());
        let body = Body(entry, turn.clone());
        let thread = Builder::new()
            .stack_size(stack.extent().size())
            .spawn(|| body.run())
            .expect("an OS thread for each green thread");
        Context {
            turn,
            thread,
            stack,
        }
    }

    /// Runs the green thread until it suspends by `exit`, or ends. `entry` must not unwind.
    pub(crate) fn resume(&mut self, exit: &'static Exit) -> Progress {
        exit.0.set(Some(self.turn.clone()));
        self.turn.pass_to(Of::GreenThread);
        match self.turn.wait_while(Of::GreenThread) {
            Of::WorkerAlone => Progress::Finished,
            _ => Progress::Suspended,
        }
    }

    /// Gives the stack back. The context must have finished.
    pub(crate) fn into_stack(self) -> Stack {
        // The destructors of its thread-locals may still run.
        self.thread.join().expect("a green thread does not unwind");
        self.stack
    }
}

impl Exit {
    pub(crate) fn new() -> Exit {
        Exit(Cell::new(None))
    }

    /// Leaves the running green thread; returns when it is resumed. Must be called on the green
    /// thread that was resumed with this exit. What `note` learns means nothing here.
    pub(crate) fn suspend(&self, note: impl FnOnce(usize)) {
        note(MARGIN);
        let turn = self.0.take().expect("a green thread was resumed");
        turn.pass_to(Of::Worker);
        turn.wait_while(Of::Worker);
    }
}

impl Turn {
    fn pass_to(&self, other: Of) {
        *self.of.lock().unwrap_or_else(PoisonError::into_inner) = other;
        self.passed.notify_one();
    }

    /// Returns whose turn it has become.
    fn wait_while(&self, others: Of) -> Of {
        let of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = self.passed.wait_while(of, |of| *of == others);
        *passed.unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a green thread runs, and the turn that it waits for first.
struct Body<F>(F, Arc<Turn>);

// SAFETY: the closure and all that it reaches are touched by one OS thread at a time: by the green
// thread's between `pass_to(GreenThread)` and the next `pass_to`, by the worker's at all other times. Each
// pass is a mutex, which orders what was before it and what comes after it. What an OS thread must
// not lend to another one, a thread-local or the guard of a lock of std's, is not safe with this backend: only
// tests use it, and none of them does that.
unsafe impl<F> Send for Body<F> {}

impl<F: FnOnce()> Body<F> {
    fn run(self) {
        let Body(entry, turn) = self;
        turn.wait_while(Of::Worker);
        entry();
        turn.pass_to(Of::WorkerAlone);
    }
}

/// The standard library reports when the stack of an OS thread overflows.
pub(crate) fn guard_against_overflow(_: Running) -> io::Result<()> {
    Ok(())
}

/// Addresses for stacks that nobody will stand on.
pub(super) mod maps {
    use std::alloc::{self, Layout};
    use std::io;
    use std::ops::Range;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Little, since Miri keeps books about each byte of a table.
    pub(crate) fn share() -> usize {
        1 << 20
    }

    pub(crate) fn reserve(bytes: usize, align: usize) -> io::Result<Range<usize>> {
        static NEXT: AtomicUsize = AtomicUsize::new(usize::MAX / 4);
        let start = NEXT.fetch_add(bytes + align, Ordering::Relaxed);
        let start = start.next_multiple_of(align);
        Ok(start..start + bytes)
    }

    /// Real memory, for a table.
    pub(crate) fn allocate(bytes: usize) -> Option<*mut u8> {
        assert!(bytes > 0);
        // SAFETY: the size is not zero.
        let start = unsafe { alloc::alloc(layout(bytes)) };
        (!start.is_null()).then_some(start)
    }

    pub(crate) fn free(start: *mut u8, bytes: usize) {
        // SAFETY: a `Table` gives back what `allocate` gave it for as many bytes, at its end.
        unsafe { alloc::dealloc(start, layout(bytes)) };
    }

    fn layout(bytes: usize) -> Layout {
        Layout::from_size_align(bytes, 64).expect("far less than the address space")
    }

    pub(crate) fn mark(_: Range<usize>) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn protect(_: Range<usize>) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn unmap(_: Range<usize>) {}

    pub(crate) fn release(_: &[Range<usize>]) {}
}
