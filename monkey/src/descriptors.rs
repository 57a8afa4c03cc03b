//! Waiting for descriptors that belong to somebody else, in whatever mode they are.
//!
//! Nothing is remembered of a descriptor beyond the wait, and its mode is never changed: an OS thread, or
//! another process, that shares it sees no difference. A call is tried without waiting. Only if the kernel
//! says that it would wait, the kernel is asked what the user wants: to wait at all, and how long.
//!
//! All who wait for a descriptor at a time share one registration, which also tells them when it is closed.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_short};
use std::io::{self, ErrorKind};
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use greenwire_runtime::io::{Direction, Source};
use greenwire_runtime::{patch, thread};

use crate::errno::{blocks, check, error, would_block};
use crate::green::{Plain, waiting};
use crate::hooks::next;

const SHARDS: usize = 32;

/// The descriptors that somebody waits for, by their numbers.
static WATCHED: [Plain<BTreeMap<RawFd, Arc<Watch>>>; SHARDS] =
    [const { Plain::new(BTreeMap::new()) }; SHARDS];

/// How many waits there are.
static WAITS: AtomicUsize = AtomicUsize::new(0);

/// A descriptor that somebody waits for.
struct Watch {
    source: Source<BorrowedFd<'static>>,
    closed: AtomicBool,
}

/// One wait for a descriptor.
struct Wait {
    fd: RawFd,
    watch: Option<Arc<Watch>>,
}

/// Makes the call `attempt`, which does not wait, until it is through, or until the time is up that the
/// socket has for it.
pub(crate) fn perform<R>(
    fd: RawFd,
    direction: Direction,
    mut attempt: impl FnMut() -> io::Result<R>,
) -> io::Result<R> {
    let_others_run_at(fd)?;
    let first = attempt();
    if !blocks(&first) || is_nonblocking(fd) {
        return first;
    }
    wait_for(fd, direction, timeout_of(fd, direction), attempt)
}

/// Lets others run now and then: a call that does not wait would never do so.
pub(crate) fn let_others_run() -> io::Result<()> {
    share_worker(|| true)
}

/// The same for a call on a descriptor, but in non-blocking mode. Nobody expects a wait of that: handlers of
/// signals write so, in the middle of whatever they interrupt, and so does the runtime to wake a worker.
pub(crate) fn let_others_run_at(fd: RawFd) -> io::Result<()> {
    share_worker(|| !is_nonblocking(fd))
}

fn share_worker(may_yield: impl FnOnce() -> bool) -> io::Result<()> {
    if patch::spend() || !may_yield() {
        return Ok(());
    }
    waiting(|| {
        thread::yield_now();
        Ok(())
    })
}

/// Repeats `attempt`, which would block now, whenever something has happened.
pub(crate) fn wait_for<R>(
    fd: RawFd,
    direction: Direction,
    timeout: Option<Duration>,
    mut attempt: impl FnMut() -> io::Result<R>,
) -> io::Result<R> {
    let wait = Wait::begin(fd);
    let watch = wait.watch();
    let mut attempt = |_: &_| match watch.closed.load(Ordering::Acquire) {
        true => error(libc::EBADF),
        false => attempt(),
    };
    let result = waiting(|| watch.source.perform(direction, timeout, &mut attempt));
    match result {
        // One of greenwire's own sockets has it in the same reactor.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let duplicate = Source::new(watch.source.get_ref().try_clone_to_owned()?);
            waiting(|| duplicate.perform(direction, timeout, |_| attempt(watch.source.get_ref())))
        }
        result => result,
    }
}

/// A descriptor is about to be closed: who waits for it hears of it.
pub(crate) fn closes(fd: RawFd) {
    // Whoever begins to wait at this very moment may find the descriptor open or closed.
    if WAITS.load(Ordering::Acquire) == 0 {
        return;
    }
    if let Some(watch) = shard(fd).with(|watched| watched.remove(&fd)) {
        watch.closed.store(true, Ordering::Release);
        watch.source.give_up();
    }
}

impl Wait {
    fn begin(fd: RawFd) -> Wait {
        WAITS.fetch_add(1, Ordering::SeqCst);
        let watch = shard(fd).with(|watched| {
            let watch = watched
                .entry(fd)
                .or_insert_with(|| Arc::new(Watch::new(fd)));
            watch.clone()
        });
        Wait {
            fd,
            watch: Some(watch),
        }
    }

    fn watch(&self) -> &Watch {
        self.watch
            .as_ref()
            .expect("it is there until the wait ends")
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Some(watch) = self.watch.take() else {
            return;
        };
        let last = shard(self.fd).with(|watched| {
            let others = |watch: &Arc<Watch>| Arc::strong_count(watch) > 2;
            let same = watched
                .get(&self.fd)
                .is_some_and(|known| Arc::ptr_eq(known, &watch));
            // Under the lock, since the count grows under it.
            if same && !others(&watch) {
                watched.remove(&self.fd);
            }
            watch
        });
        // The last one takes the descriptor out of the reactor, outside of our lock.
        drop(last);
        WAITS.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Watch {
    fn new(fd: RawFd) -> Watch {
        // SAFETY: the number is not -1, since the kernel has just accepted it. It is open while its owner
        // waits here for it. If another thread closes it all the same, `closes` or the kernel takes it out
        // of the reactor, and only the number is used, in system calls that fail then.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        Watch {
            source: Source::new(fd),
            closed: AtomicBool::new(false),
        }
    }
}

fn shard(fd: RawFd) -> &'static Plain<BTreeMap<RawFd, Arc<Watch>>> {
    &WATCHED[fd as usize % SHARDS]
}

/// Whether the user has put the descriptor into non-blocking mode.
pub(crate) fn is_nonblocking(fd: RawFd) -> bool {
    // SAFETY: takes a number and gives a number.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    flags >= 0 && flags & libc::O_NONBLOCK != 0
}

/// How long the user lets calls on the socket wait.
pub(crate) fn timeout_of(fd: RawFd, direction: Direction) -> Option<Duration> {
    let option = match direction {
        Direction::Read => libc::SO_RCVTIMEO,
        Direction::Write => libc::SO_SNDTIMEO,
    };
    let mut timeout = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    let mut len = size_of_val(&timeout) as libc::socklen_t;
    // SAFETY: `timeout` has room for `len` bytes.
    let asked = unsafe {
        let timeout = (&raw mut timeout).cast();
        libc::getsockopt(fd, libc::SOL_SOCKET, option, timeout, &raw mut len)
    };
    let limit =
        Duration::from_secs(timeout.tv_sec as u64) + Duration::from_micros(timeout.tv_usec as u64);
    (asked == 0 && !limit.is_zero()).then_some(limit)
}

/// Makes the call `plain`, which may wait, once it will not: for those that have no way of saying so.
///
/// Between the question and the call somebody else may take what was there.
pub(crate) fn once_ready<R>(
    fd: RawFd,
    direction: Direction,
    mut plain: impl FnMut() -> io::Result<R>,
) -> io::Result<R> {
    let mut attempt = || match is_ready(fd, direction)? {
        true => plain(),
        false => would_block(),
    };
    if is_nonblocking(fd) {
        return plain();
    }
    let_others_run_at(fd)?;
    match attempt() {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
        result => return result,
    }
    wait_for(fd, direction, timeout_of(fd, direction), attempt)
}

pub(crate) fn is_ready(fd: RawFd, direction: Direction) -> io::Result<bool> {
    let events = match direction {
        Direction::Read => libc::POLLIN,
        Direction::Write => libc::POLLOUT,
    };
    Ok(state_of(fd, events)? != 0)
}

/// Makes a call that receives without waiting. Where nothing will come any more, Linux tells a Unix datagram
/// socket only by the call that may wait, `plain`.
pub(crate) fn receive<R>(
    fd: RawFd,
    quick: impl FnOnce() -> io::Result<R>,
    plain: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    let received = quick();
    let is_shut = || state_of(fd, libc::POLLRDHUP).is_ok_and(|state| state & libc::POLLRDHUP != 0);
    if blocks(&received) && is_shut() {
        return plain();
    }
    received
}

/// What `poll` says at once of those `events`, and of errors.
fn state_of(fd: RawFd, events: c_short) -> io::Result<c_short> {
    let mut poll = libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    // SAFETY: the array is one `pollfd` long.
    check(unsafe { next::poll(&raw mut poll, 1, 0) })?;
    Ok(poll.revents)
}

/// # Safety
///
/// That of libc's `close`.
pub(crate) unsafe fn close(fd: c_int) -> io::Result<c_int> {
    closes(fd);
    // SAFETY: as the caller promises.
    check(unsafe { next::close(fd) })
}

/// # Safety
///
/// That of libc's `dup2`, which closes `new`.
pub(crate) unsafe fn dup2(old: c_int, new: c_int) -> io::Result<c_int> {
    if old != new {
        closes(new);
    }
    // SAFETY: as the caller promises.
    check(unsafe { next::dup2(old, new) })
}

/// # Safety
///
/// That of libc's `dup3`, which closes `new`.
pub(crate) unsafe fn dup3(old: c_int, new: c_int, flags: c_int) -> io::Result<c_int> {
    closes(new);
    // SAFETY: as the caller promises.
    check(unsafe { next::dup3(old, new, flags) })
}
