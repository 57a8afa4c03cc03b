//! Masks and keys (RFC 6455 §5.3: not to be guessed), from the system's generator, a page at a time.

use std::cell::RefCell;
use std::io;

/// Random bytes not yet used, per OS thread.
struct Pool {
    bytes: [u8; 1024],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; 1024], used: 1024 }) };
}

/// `N` random bytes, `N` at most 1024.
///
/// # Errors
/// When the system has no randomness to give.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    POOL.with_borrow_mut(|pool| {
        if pool.bytes.len() - pool.used < N {
            getrandom::fill(&mut pool.bytes).map_err(io::Error::other)?;
            pool.used = 0;
        }
        let mut taken = [0; N];
        taken.copy_from_slice(&pool.bytes[pool.used..pool.used + N]);
        pool.used += N;
        Ok(taken)
    })
}
