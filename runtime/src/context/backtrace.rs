//! The backtrace of the calling green thread.

use std::ops::Range;

/// The return addresses of the calling function and its callers, innermost first: at most `most` of
/// those whose frames are in `stack`.
///
/// It unwinds by the tables that panics use. It needs a few kilobytes of stack.
pub(crate) fn backtrace(stack: &Range<usize>, most: usize) -> Vec<usize> {
    let mut addresses = Vec::with_capacity(most);
    let add = |frame: &backtrace::Frame| {
        let is_ours = stack.contains(&frame.sp().addr());
        if is_ours {
            addresses.push(frame.ip().addr());
        }
        is_ours && addresses.len() < most
    };
    // SAFETY: the lock that this goes without is for Windows, where unwinding needs a library that is not
    // thread-safe. On Unix the unwinder may run on any number of threads. With the lock, a worker would
    // wait for whoever resolves the symbols of another backtrace, which takes long.
    unsafe { backtrace::trace_unsynchronized(add) };
    addresses
}
