//! Waiting for one of many descriptors: `poll` and `select`.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use greenwire_runtime::io::{Direction, Source};
use libc::{
    POLLIN, POLLOUT, POLLPRI, epoll_event, fd_set, nfds_t, pollfd, sigset_t, timespec, timeval,
};

use crate::calls::sleeping::{duration_of, rest};
use crate::descriptors::{let_others_run, wait_for};
use crate::errno::{blocks, check, would_block};
use crate::green::waiting;
use crate::hooks::next;

/// A negative number of milliseconds is for ever.
pub(crate) fn limit_of(milliseconds: c_int) -> Option<Duration> {
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

/// Looks, and waits by `wait` only if there is nothing and the limit allows it. Nothing in time is 0.
pub(crate) fn look_or_wait(
    limit: Option<Duration>,
    mut look: impl FnMut() -> io::Result<c_int>,
    wait: impl FnOnce(&mut dyn FnMut() -> io::Result<c_int>) -> io::Result<c_int>,
) -> io::Result<c_int> {
    let_others_run()?;
    let mut found = look();
    if blocks(&found) && limit != Some(Duration::ZERO) {
        found = wait(&mut look);
    }
    if blocks(&found) { Ok(0) } else { found }
}

/// What a call that does not wait has found: nothing means that it would.
pub(crate) fn found(returned: c_int) -> io::Result<c_int> {
    match check(returned)? {
        0 => would_block(),
        count => Ok(count),
    }
}

/// # Safety
///
/// That of libc's `poll`.
pub(crate) unsafe fn poll(
    polled: *mut pollfd,
    count: nfds_t,
    milliseconds: c_int,
) -> io::Result<c_int> {
    // SAFETY: as the caller promises.
    unsafe { poll_for(polled, count, limit_of(milliseconds)) }
}

/// # Safety
///
/// That of libc's `ppoll`. With a mask of signals it blocks the OS thread, whose mask that is.
pub(crate) unsafe fn ppoll(
    polled: *mut pollfd,
    count: nfds_t,
    timeout: *const timespec,
    mask: *const sigset_t,
) -> io::Result<c_int> {
    if !mask.is_null() {
        // SAFETY: as the caller promises.
        return check(unsafe { next::ppoll(polled, count, timeout, mask) });
    }
    // SAFETY: as the caller promises.
    let limit = unsafe { timeout.as_ref() }.map(duration_of).transpose()?;
    // SAFETY: as the caller promises.
    unsafe { poll_for(polled, count, limit) }
}

/// # Safety
///
/// `polled` points to `count` elements.
unsafe fn poll_for(
    polled: *mut pollfd,
    count: nfds_t,
    limit: Option<Duration>,
) -> io::Result<c_int> {
    // SAFETY: as the caller promises.
    let look = || found(unsafe { next::poll(polled, count, 0) });
    let element = |index: usize| {
        // SAFETY: the kernel could read as many, so they are there.
        unsafe { polled.wrapping_add(index).read() }
    };
    look_or_wait(limit, look, |look| {
        let all = (0..count as usize).map(element);
        match all.clone().next() {
            Some(one) if count == 1 && direction_of(&one).is_some() => {
                let direction = direction_of(&one).unwrap_or(Direction::Read);
                wait_for(one.fd, direction, limit, look)
            }
            _ => wait_for_any(all, limit, look),
        }
    })
}

/// The only direction that is asked for.
fn direction_of(polled: &pollfd) -> Option<Direction> {
    match polled.events {
        POLLIN if polled.fd >= 0 => Some(Direction::Read),
        POLLOUT if polled.fd >= 0 => Some(Direction::Write),
        _ => None,
    }
}

/// Repeats `look` whenever something has happened on one of many descriptors: an epoll of their own
/// stands for them all.
fn wait_for_any(
    polled: impl Iterator<Item = pollfd>,
    limit: Option<Duration>,
    look: &mut dyn FnMut() -> io::Result<c_int>,
) -> io::Result<c_int> {
    let mut wanted = BTreeMap::<RawFd, u32>::new();
    for one in polled.filter(|one| one.fd >= 0) {
        *wanted.entry(one.fd).or_default() |= one.events as u16 as u32;
    }
    if wanted.is_empty() {
        rest(limit)?;
        return would_block();
    }
    let any = Source::new(new_epoll()?);
    for (fd, events) in wanted {
        add(any.get_ref(), fd, events)?;
    }
    waiting(|| any.perform(Direction::Read, limit, |_| look()))
}

fn new_epoll() -> io::Result<OwnedFd> {
    // SAFETY: takes a number.
    let epoll = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    // SAFETY: it is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(epoll) })
}

/// The bits of `poll` are those of epoll.
fn add(epoll: &OwnedFd, fd: RawFd, events: u32) -> io::Result<()> {
    let mut event = epoll_event { events, u64: 0 };
    let epoll = epoll.as_raw_fd();
    // SAFETY: `event` is valid for reading.
    check(unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event) })?;
    Ok(())
}

/// # Safety
///
/// That of libc's `select`. The time that is left is not told.
pub(crate) unsafe fn select(
    count: c_int,
    read: *mut fd_set,
    write: *mut fd_set,
    except: *mut fd_set,
    timeout: *mut timeval,
) -> io::Result<c_int> {
    // SAFETY: as the caller promises.
    let limit = unsafe { timeout.as_ref() }.map(span_of).transpose()?;
    let sets = [(read, POLLIN), (write, POLLOUT), (except, POLLPRI)];
    // SAFETY: as the caller promises.
    let wanted = sets.map(|(set, events)| (unsafe { set.as_ref() }.copied(), events));
    let look = || {
        // The last look has left only what it found.
        for ((set, _), (wanted, _)) in sets.into_iter().zip(wanted) {
            if let Some(wanted) = wanted {
                // SAFETY: as the caller promises.
                unsafe { set.write(wanted) };
            }
        }
        let mut now = timeval {
            tv_sec: 0,
            tv_usec: 0,
        };
        // SAFETY: as the caller promises.
        found(unsafe { next::select(count, read, write, except, &raw mut now) })
    };
    let polled = (0..count).flat_map(|fd| wanted.into_iter().filter_map(polled_if_in(fd)));
    look_or_wait(limit, look, |look| wait_for_any(polled, limit, look))
}

fn span_of(time: &timeval) -> io::Result<Duration> {
    duration_of(&timespec {
        tv_sec: time.tv_sec,
        tv_nsec: time.tv_usec * 1000,
    })
}

/// What `poll` would be asked for a descriptor, if it is in the set.
fn polled_if_in(fd: RawFd) -> impl Fn((Option<fd_set>, i16)) -> Option<pollfd> {
    move |(set, events)| {
        let set = set?;
        // SAFETY: `select` takes no numbers that a set has no room for.
        let is_in = unsafe { libc::FD_ISSET(fd, &raw const set) };
        is_in.then_some(pollfd {
            fd,
            events,
            revents: 0,
        })
    }
}
