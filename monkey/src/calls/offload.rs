//! Calls that only an OS thread can make: files, names, and whatever the kernel has no events for.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use greenwire_runtime::{thread, unblock};

/// A call whose pointers stay valid, since its caller waits for its end.
struct Lent<F>(F);

// SAFETY: `offload` alone makes one, with a call of libc whose arguments may be used on any thread. It
// does not return before that has ended.
unsafe impl<F> Send for Lent<F> {}

impl<F> Lent<F> {
    /// By a method, since a closure would take only the field with it.
    fn into_inner(self) -> F {
        self.0
    }
}

/// Makes a call of libc on the pool of `unblock`, while the calling green thread is parked. It is not cut
/// short. Without an OS thread to be had, it is made here.
pub(crate) fn offload<R: Send + 'static>(call: impl Fn() -> io::Result<R> + Copy) -> io::Result<R> {
    let lent = Lent(call);
    let on_pool = || thread::no_cancel(|| unblock_lent(lent));
    catch_unwind(AssertUnwindSafe(on_pool)).unwrap_or_else(|_| call())
}

fn unblock_lent<R: Send + 'static, F: Fn() -> io::Result<R>>(lent: Lent<F>) -> io::Result<R> {
    let job: Box<dyn FnOnce() -> io::Result<R> + Send + '_> = Box::new(move || lent.into_inner()());
    // SAFETY: `no_cancel` around this has `unblock` return only when the job has ended and was dropped, so
    // nothing that it borrows can end before.
    let job: Box<dyn FnOnce() -> io::Result<R> + Send> = unsafe { std::mem::transmute(job) };
    unblock(job)
}
