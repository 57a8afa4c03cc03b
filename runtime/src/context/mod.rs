//! Contexts: what it takes to stop running one call stack and go on with another.
//!
//! A [`Context`] is one call stack. The worker calls [`Context::resume`], which runs the green thread until it
//! calls [`Exit::suspend`] or ends:
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
//! There are two kinds of contexts, with the same interface: `coroutines/`, and for Miri `threads.rs`.
//!
//! This folder is where the runtime is unsafe. It must never know why somebody waits.

mod backtrace;
mod interrupt;
mod signal;
mod stack;
mod table;

#[cfg_attr(not(greenwire_context = "threads"), path = "coroutines/mod.rs")]
#[cfg_attr(greenwire_context = "threads", path = "threads.rs")]
mod backend;

use std::ops::Range;

use backend::maps;
pub(crate) use backend::{ARE_OS_THREADS, Context, Exit, guard_against_overflow};
pub(crate) use backtrace::backtrace;
pub(crate) use interrupt::{EndlessThread, Interrupted};
pub(crate) use stack::{Extent, Guard, Pool, Stack, release};
pub(crate) use table::Table;

/// What became of the green thread that a [`Context::resume`] ran.
pub(crate) enum Progress {
    /// It suspended itself, and can be resumed.
    Suspended,
    /// Its entry function has returned.
    Finished,
}

/// Tells the guard of the stack that the calling OS thread runs on, and the name of the green thread,
/// if one runs.
///
/// Called in a signal handler: it must not allocate, lock or panic.
pub(crate) type Running = fn(report: &mut dyn FnMut(Range<usize>, Option<&str>));

/// What is between the mark of a suspended stack and the end of the frames of the switch, at most.
const MARGIN: usize = 512;

/// Fetches the memory at an address into the CPU's cache. A hint: any address will do.
#[inline(always)]
pub(crate) fn prefetch(address: usize) {
    // SAFETY: a prefetch never faults and changes no memory.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::without_provenance(address));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::stack::MIN_SIZE;
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

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
                    exit.suspend(|_| ());
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
