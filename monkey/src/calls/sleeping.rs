//! Waiting for time to pass.
//!
//! A sleep that is cut short returns early, and does not fail: std takes any error of it for a bug. The
//! thread owes the interrupt then, and its next call that can fail does.

use std::ffi::{c_int, c_uint};
use std::io;
use std::time::{Duration, Instant};

use greenwire_runtime::{patch, thread};
use libc::{clockid_t, timespec};

use crate::errno::{error, would_block};
use crate::green::waiting;
use crate::hooks::next;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

const NANOSECONDS: i64 = 1_000_000_000;

/// Only the first sleep is cut short for what is owed: a loop that does nothing but sleep would spin.
fn sleep(duration: Duration) {
    if patch::owes() {
        thread::no_cancel(|| thread::sleep(duration));
    } else {
        // A limit or a cancellation is owed now.
        let _ = patch::without_unwinding(|| thread::sleep(duration));
    }
}

/// Parks for `limit`, or for ever, unless that is cut short.
pub(crate) fn rest(limit: Option<Duration>) -> io::Result<()> {
    waiting(|| {
        thread::sleep(limit.unwrap_or(Duration::MAX));
        Ok(())
    })
}

/// Repeats `attempt` while it would block, with growing pauses: for what the kernel tells nobody.
pub(crate) fn retry<R>(
    limit: Option<Duration>,
    mut attempt: impl FnMut() -> io::Result<Option<R>>,
) -> io::Result<R> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut pause = Duration::from_micros(100);
    loop {
        if let Some(done) = attempt()? {
            return Ok(done);
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return would_block();
        }
        rest(Some(left.map_or(pause, |left| left.min(pause))))?;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

pub(crate) fn duration_of(time: &timespec) -> io::Result<Duration> {
    match (u64::try_from(time.tv_sec), time.tv_nsec) {
        (Ok(seconds), 0..NANOSECONDS) => Ok(Duration::new(seconds, time.tv_nsec as u32)),
        _ => error(libc::EINVAL),
    }
}

/// How long it is until a clock shows `time`.
pub(crate) fn until(clock: clockid_t, time: &timespec) -> io::Result<Duration> {
    let mut now = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is valid for writing.
    if unsafe { libc::clock_gettime(clock, &raw mut now) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(duration_of(time)?.saturating_sub(duration_of(&now)?))
}

/// # Safety
///
/// That of libc's `clock_nanosleep`, which returns the number of an error.
pub(crate) unsafe fn clock_nanosleep(
    clock: clockid_t,
    flags: c_int,
    request: *const timespec,
    left: *mut timespec,
) -> io::Result<c_int> {
    // SAFETY: the caller passes a time.
    let request_of = |request: *const timespec| unsafe { request.as_ref() };
    let duration = match request_of(request) {
        _ if !is_wall_time(clock) => None,
        Some(time) if flags & libc::TIMER_ABSTIME != 0 => until(clock, time).ok(),
        Some(time) => duration_of(time).ok(),
        None => None,
    };
    let Some(duration) = duration else {
        // libc knows what is wrong.
        // SAFETY: as the caller promises.
        return Ok(unsafe { next::clock_nanosleep(clock, flags, request, left) });
    };
    sleep(duration);
    Ok(0)
}

/// As opposed to the time that a process or a thread has computed.
fn is_wall_time(clock: clockid_t) -> bool {
    let clocks = [libc::CLOCK_MONOTONIC, libc::CLOCK_REALTIME];
    clocks.contains(&clock) || clock == libc::CLOCK_BOOTTIME || clock == libc::CLOCK_TAI
}

/// # Safety
///
/// That of libc's `nanosleep`.
pub(crate) unsafe fn nanosleep(
    request: *const timespec,
    _left: *mut timespec,
) -> io::Result<c_int> {
    // SAFETY: the caller passes a time.
    let Some(request) = (unsafe { request.as_ref() }) else {
        return error(libc::EFAULT);
    };
    sleep(duration_of(request)?);
    Ok(0)
}

/// # Safety
///
/// None: it takes a number.
pub(crate) unsafe fn seconds(seconds: c_uint) -> io::Result<c_uint> {
    sleep(Duration::from_secs(seconds.into()));
    Ok(0)
}

/// # Safety
///
/// None: it takes a number.
pub(crate) unsafe fn microseconds(microseconds: c_uint) -> io::Result<c_int> {
    sleep(Duration::from_micros(microseconds.into()));
    Ok(0)
}

/// # Safety
///
/// None: it takes nothing.
pub(crate) unsafe fn sched_yield() -> io::Result<c_int> {
    // A cancellation is owed now.
    let _ = patch::without_unwinding(thread::yield_now);
    Ok(0)
}
