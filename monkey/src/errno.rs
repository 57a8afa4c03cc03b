//! Between Rust's errors and libc's: -1 and `errno`.

use std::io::{self, ErrorKind};

/// A type that functions of libc return.
pub(crate) trait Answer {
    const FAILED: Self;
}

macro_rules! answers {
    ($($ty:ty = $failed:expr),*) => {$(
        impl Answer for $ty {
            const FAILED: $ty = $failed;
        }
    )*};
}

// What is unsigned never fails: `sleep`.
answers!(i32 = -1, i64 = -1, isize = -1, u32 = 0);

/// What a function of libc returns for `result`. To be the last thing that it does: other green threads
/// of the OS thread have an `errno`, too, and it is the same one.
pub(crate) fn answer<T: Answer>(result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| {
        set(number_of(&error));
        T::FAILED
    })
}

/// What a function of libc has returned.
pub(crate) fn check<T: Answer + PartialEq>(returned: T) -> io::Result<T> {
    if returned == T::FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(returned)
}

pub(crate) fn error<T>(number: i32) -> io::Result<T> {
    Err(io::Error::from_raw_os_error(number))
}

/// What an attempt says that would have to wait.
pub(crate) fn would_block<T>() -> io::Result<T> {
    error(libc::EAGAIN)
}

pub(crate) fn blocks<T>(result: &io::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

pub(crate) fn number_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(match error.kind() {
        ErrorKind::WouldBlock => libc::EAGAIN,
        _ => libc::EIO,
    })
}

pub(crate) fn set(number: i32) {
    // SAFETY: the address of the calling OS thread's own `errno`, which lives as long as the thread.
    unsafe { *libc::__errno_location() = number };
}
