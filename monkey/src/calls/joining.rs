//! Waiting for OS threads to end. A static program's `pthread_join` cannot be stood in for: nobody would be
//! behind it.

use std::ffi::{c_int, c_void};
use std::io;

use greenwire_runtime::thread;
use libc::pthread_t;

use crate::calls::sleeping::retry;

/// # Safety
///
/// That of libc's `pthread_join`, which returns the number of an error.
pub(crate) unsafe fn pthread_join(
    handle: pthread_t,
    result: *mut *mut c_void,
) -> io::Result<c_int> {
    // The kernel tells only who waits in libc. An OS thread for each would use up the pool.
    let joined = || {
        // SAFETY: as the caller promises.
        match unsafe { libc::pthread_tryjoin_np(handle, result) } {
            libc::EBUSY => Ok(None),
            number => Ok(Some(number)),
        }
    };
    thread::no_cancel(|| retry(None, joined))
}
