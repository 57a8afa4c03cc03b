//! Contexts as coroutines (corosensei), each on a [`Stack`] of ours.

pub(super) mod maps;
mod overflow;

use std::cell::Cell;
use std::ptr;

use corosensei::stack::StackPointer;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::{Extent, MARGIN, Progress, Stack};

pub(crate) use overflow::guard_thread as guard_against_overflow;

/// Green threads run on the OS thread of their worker, and share its thread-locals.
pub(crate) const ARE_OS_THREADS: bool = false;

/// A call stack that can be left and resumed.
pub(crate) struct Context(Coroutine<&'static Exit, (), (), Stack>);

/// How the green thread that a worker has resumed gets back to it.
pub(crate) struct Exit {
    yielder: Cell<*const Yielder<&'static Exit, ()>>,
    /// The stack that the yielder belongs to.
    extent: Cell<Extent>,
}

impl Context {
    /// Prepares `entry` to run on `stack`. Nothing runs yet.
    pub(crate) fn new(stack: Stack, entry: impl FnOnce() + 'static) -> Context {
        let extent = stack.extent();
        Context(Coroutine::with_stack(stack, move |yielder, exit: &Exit| {
            exit.lead_through(yielder, extent);
            entry();
        }))
    }

    /// Runs the green thread until it suspends by `exit`, or ends. `entry` must not unwind.
    #[inline(always)]
    pub(crate) fn resume(&mut self, exit: &'static Exit) -> Progress {
        match self.0.resume(exit) {
            CoroutineResult::Yield(()) => Progress::Suspended,
            CoroutineResult::Return(()) => Progress::Finished,
        }
    }

    /// Gives the stack back. The context must have finished.
    pub(crate) fn into_stack(self) -> Stack {
        self.0.into_stack()
    }
}

impl Exit {
    pub(crate) fn new() -> Exit {
        Exit {
            yielder: Cell::new(ptr::null()),
            extent: Cell::default(),
        }
    }

    #[inline(always)]
    fn lead_through(&self, yielder: *const Yielder<&'static Exit, ()>, extent: Extent) {
        self.yielder.set(yielder);
        self.extent.set(extent);
    }

    /// Leaves the running green thread; returns when it is resumed. Must be called on the green
    /// thread that was resumed with this exit.
    ///
    /// Before it leaves, it tells `note` how many bytes of the stack are in use: what lies on the pages
    /// below is stale.
    ///
    /// Inlined up to whoever waits: a CPU predicts that a function returns to where it was called, and
    /// is wrong for each frame that returns after a switch.
    #[inline(always)]
    pub(crate) fn suspend(&self, note: impl FnOnce(usize)) {
        let (yielder, extent) = (self.yielder.get(), self.extent.get());
        let depth = extent.base().wrapping_sub(stack_mark());
        assert!(depth <= extent.size(), "suspended on a foreign stack");
        note(depth);
        // SAFETY: `yielder` was set by the closure of `Context::new` (or by the line below) on the
        // stack `extent`. We are on that stack, as was checked. So that closure has not returned,
        // and corosensei keeps the yielder alive in its frame.
        unsafe { (*yielder).suspend(()) };
        self.lead_through(yielder, extent);
    }
}

/// An address below the frame of the caller and those of the switch, which corosensei keeps far smaller
/// than the margin.
///
/// Never inlined: where in its frame a function keeps a local is the compiler's choice, and that frame may
/// be as large as the waiter likes. The frame of a function that it calls is below all of it.
#[inline(never)]
fn stack_mark() -> usize {
    let here = 0u8;
    (&raw const here).addr().wrapping_sub(MARGIN)
}

// SAFETY: `Pool::take` hands out each slot once until it is put back, at least MIN_SIZE bytes of
// readable and writable memory that is never unmapped, with a guard installed at its low end.
// Base and limit are multiples of MIN_SIZE.
unsafe impl corosensei::stack::Stack for Stack {
    fn base(&self) -> StackPointer {
        StackPointer::new(self.extent().top()).expect("a mapped address is not null")
    }

    fn limit(&self) -> StackPointer {
        StackPointer::new(self.extent().limit()).expect("a mapped address is not null")
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::stack::MIN_SIZE;
    use super::super::{Guard, Pool};
    use super::*;

    /// Whatever is live lies above the mark, however the frame is laid out.
    #[test]
    fn all_of_a_large_frame_is_in_use() {
        const LARGE: usize = 8 * 1024;
        let pool = Pool::new(Guard::detect());
        let exit: &'static Exit = Box::leak(Box::new(Exit::new()));
        let mut context = Context::new(pool.take(8 * MIN_SIZE).unwrap(), move || {
            let (first, last) = ([1u8; LARGE], [2u8; LARGE]);
            let lowest = [&first, &last].map(|array| array.as_ptr().addr());
            let lowest = lowest[0].min(lowest[1]);
            let base = exit.extent.get().base();
            exit.suspend(|depth| assert!(base - depth < lowest, "{depth} bytes"));
            assert_eq!(
                std::hint::black_box((first, last)),
                ([1; LARGE], [2; LARGE])
            );
        });
        assert!(matches!(context.resume(exit), Progress::Suspended));
        assert!(matches!(context.resume(exit), Progress::Finished));
        pool.put(context.into_stack());
    }
}
