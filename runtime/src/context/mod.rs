//! Contexts: what it takes to stop running one call stack and go on with another.
//!
//! A [`Context`] is a coroutine (corosensei) on a [`Stack`] of ours. The worker calls
//! [`Context::resume`], which runs the green thread until it calls [`suspend`] or ends:
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

mod overflow;
mod stack;

use std::cell::Cell;

use corosensei::{Coroutine, CoroutineResult, Yielder};

pub(crate) use overflow::guard_thread as guard_against_overflow;
pub(crate) use stack::{Extent, Guard, Pool, Stack, release};

/// A call stack that can be left and resumed.
pub(crate) struct Context(Coroutine<(), (), (), Stack>);

/// What became of the green thread that a [`Context::resume`] ran.
pub(crate) enum Progress {
    /// It suspended itself, and can be resumed.
    Suspended,
    /// Its entry function has returned.
    Finished,
}

thread_local! {
    /// How the green thread that is running on this OS thread gets back to the worker.
    static YIELDER: Cell<*const Yielder<(), ()>> = const { Cell::new(std::ptr::null()) };
}

impl Context {
    /// Prepares `entry` to run on `stack`. Nothing runs yet.
    pub(crate) fn new(stack: Stack, entry: impl FnOnce() + 'static) -> Context {
        Context(Coroutine::with_stack(stack, move |yielder, ()| {
            YIELDER.set(yielder);
            entry();
        }))
    }

    /// Runs the green thread until it suspends or ends. `entry` must not unwind.
    pub(crate) fn resume(&mut self) -> Progress {
        match self.0.resume(()) {
            CoroutineResult::Yield(()) => Progress::Suspended,
            CoroutineResult::Return(()) => Progress::Finished,
        }
    }

    /// Gives the stack back. The context must have finished.
    pub(crate) fn into_stack(self) -> Stack {
        self.0.into_stack()
    }
}

/// Leaves the running green thread; returns when it is resumed. Must be called on a green thread.
///
/// Before it leaves, it tells `note` an address above which the thread's frames will all be: what
/// lies on the pages below is stale.
pub(crate) fn suspend(note: impl FnOnce(usize)) {
    let yielder = YIELDER.get();
    assert!(
        !yielder.is_null(),
        "suspend() called outside of a green thread"
    );
    note(stack_mark());
    // SAFETY: `yielder` was set by the closure of `Context::new` (or by the line below) on this
    // very stack, and corosensei keeps the yielder alive in that stack's first frame for as long
    // as anything runs on it. Other green threads of this OS thread overwrite YIELDER while we
    // are away, which is why it is set again before we go on.
    unsafe { (*yielder).suspend(()) };
    YIELDER.set(yielder);
}

/// An address below the frame of [`suspend`] and those of the switch, which corosensei keeps far
/// smaller than the margin.
#[inline(always)]
fn stack_mark() -> usize {
    const MARGIN: usize = 512;
    let here = 0u8;
    (&raw const here).addr().saturating_sub(MARGIN)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::stack::MIN_SIZE;
    use super::*;
    use std::rc::Rc;

    #[test]
    fn two_contexts_take_turns() {
        let pool = Pool::new(Guard::detect());
        let log = Rc::new(Cell::new(0u32));
        let mut contexts: Vec<Context> = (1..=2)
            .map(|n| {
                let log = log.clone();
                Context::new(pool.take(MIN_SIZE).unwrap(), move || {
                    log.set(log.get() * 10 + n);
                    suspend(|mark| assert_ne!(mark, 0));
                    log.set(log.get() * 10 + n);
                })
            })
            .collect();
        for context in &mut contexts {
            assert!(matches!(context.resume(), Progress::Suspended));
        }
        for mut context in contexts {
            assert!(matches!(context.resume(), Progress::Finished));
            pool.put(context.into_stack());
        }
        assert_eq!(log.get(), 1212);
    }
}
