//! Contexts: what it takes to stop running one call stack and go on with another.
//!
//! A [`Context`] is a coroutine (corosensei) on a [`Stack`] of ours. The worker calls
//! [`Context::resume`], which runs the green thread until it calls [`Exit::suspend`] or ends:
//!
//! ```text
//!   worker's stack            green thread's stack
//!   resume() ───────────────▶ entry()          first time
//!            ◀─────────────── suspend()
//!   resume() ───────────────▶ ... suspend() returns
//!            ◀─────────────── entry() returned  -> finished, the stack is free again
//! ```
//!
//! A context never leaves the OS thread that first resumed it: it is `!Send`, because the compiler
//! may keep the address of a thread-local in a register across a suspension.
//!
//! This folder is where the runtime is unsafe. It must never know why somebody waits.

mod backtrace;
mod interrupt;
mod overflow;
mod signal;
mod stack;

use std::cell::Cell;
use std::ptr;

use corosensei::{Coroutine, CoroutineResult, Yielder};

pub(crate) use backtrace::backtrace;
pub(crate) use interrupt::{EndlessThread, Interrupted};
pub(crate) use overflow::guard_thread as guard_against_overflow;
pub(crate) use stack::{Extent, Guard, Pool, Stack, release};

/// A call stack that can be left and resumed.
pub(crate) struct Context(Coroutine<&'static Exit, (), (), Stack>);

/// What became of the green thread that a [`Context::resume`] ran.
pub(crate) enum Progress {
    /// It suspended itself, and can be resumed.
    Suspended,
    /// Its entry function has returned.
    Finished,
}

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

/// Fetches the memory at an address into the CPU's cache. A hint: any address will do.
#[inline(always)]
pub(crate) fn prefetch(address: usize) {
    // SAFETY: a prefetch never faults and changes no memory.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(ptr::without_provenance(address));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// What is between [`stack_mark`] and the end of the frames of the switch, at most.
const MARGIN: usize = 512;

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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::stack::MIN_SIZE;
    use super::*;
    use std::rc::Rc;

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

    #[test]
    fn two_contexts_take_turns() {
        let pool = Pool::new(Guard::detect());
        let exit: &'static Exit = Box::leak(Box::new(Exit::new()));
        let log = Rc::new(Cell::new(0u32));
        let mut contexts: Vec<Context> = (1..=2)
            .map(|n| {
                let log = log.clone();
                Context::new(pool.take(MIN_SIZE).unwrap(), move || {
                    log.set(log.get() * 10 + n);
                    exit.suspend(|depth| assert_ne!(depth, 0));
                    log.set(log.get() * 10 + n);
                })
            })
            .collect();
        for context in &mut contexts {
            assert!(matches!(context.resume(exit), Progress::Suspended));
        }
        for mut context in contexts {
            assert!(matches!(context.resume(exit), Progress::Finished));
            pool.put(context.into_stack());
        }
        assert_eq!(log.get(), 1212);
    }
}
