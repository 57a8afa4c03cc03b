//! The futex, under std's `Mutex`, `Condvar`, `RwLock`, `Once` and `Barrier`: green threads wait here, OS
//! threads in the kernel, and who wakes reaches both.
//!
//! ```text
//!   waiter                          waker
//!   count itself                    change the word
//!   fence                           fence
//!   word as expected? queue, park   anybody counted? take some out of the queue, wake them
//! ```
//!
//! OS threads are woken first. One of them may be the worker of a green thread that waits for the same lock:
//! if that one was chosen, it could not run to pass the lock on.

use std::collections::VecDeque;
use std::ffi::{c_int, c_long};
use std::io::{self, ErrorKind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering, fence};
use std::time::Instant;

use greenwire_runtime::insight::Reason;
use greenwire_runtime::patch::{self, Waiter};

use crate::calls::{parking, sleeping};
use crate::errno::{check, error};
use crate::green::Plain;
use crate::hooks::next;
use crate::{green, identity, raw};

const BUCKETS: usize = 256;

/// Who waits, by the address of the word.
static WAITING: [Bucket; BUCKETS] = [const { Bucket::new() }; BUCKETS];

struct Bucket {
    /// Those in the queue, and those that are about to join it.
    count: AtomicUsize,
    queue: Plain<VecDeque<Arc<Sleeper>>>,
}

struct Sleeper {
    address: usize,
    waiter: Waiter,
    woken: AtomicBool,
}

/// libc's `syscall`, by which std calls the futex. Any other call goes on.
///
/// # Safety
///
/// That of the system call.
pub(crate) unsafe fn syscall(
    number: c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> io::Result<c_long> {
    // SAFETY: as the caller promises.
    let plain = || check(unsafe { next::syscall(number, a, b, c, d, e, f) });
    // The word of a futex that processes share may be changed by another one, which does not know us.
    if number != libc::SYS_futex || b as c_int & libc::FUTEX_PRIVATE_FLAG == 0 {
        return plain();
    }
    match b as c_int & !libc::FUTEX_PRIVATE_FLAG & !libc::FUTEX_CLOCK_REALTIME {
        libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET if green::may_wait() => {
            // SAFETY: the caller passes a timeout, or null, as the operation demands.
            let limit = unsafe { limit_of(b as c_int, d as *const libc::timespec) };
            // SAFETY: the caller passes the address of a word, which stays where it is while anybody waits.
            unsafe { wait_anywhere(a as *const AtomicU32, c as u32, limit?) }
        }
        libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => {
            let limit = c as u32 as usize;
            wake_all_kinds(a, limit, plain)
        }
        _ => plain(),
    }
}

/// When a wait ends at the latest.
///
/// # Safety
///
/// `timeout` is null or valid for reading.
unsafe fn limit_of(
    operation: c_int,
    timeout: *const libc::timespec,
) -> io::Result<Option<Instant>> {
    // SAFETY: as the caller promises.
    let Some(timeout) = (unsafe { timeout.as_ref() }) else {
        return Ok(None);
    };
    let duration = if operation & !libc::FUTEX_PRIVATE_FLAG == libc::FUTEX_WAIT {
        sleeping::duration_of(timeout)?
    } else if operation & libc::FUTEX_CLOCK_REALTIME != 0 {
        sleeping::until(libc::CLOCK_REALTIME, timeout)?
    } else {
        sleeping::until(libc::CLOCK_MONOTONIC, timeout)?
    };
    Ok(Instant::now().checked_add(duration))
}

/// # Safety
///
/// `word` is valid for reading while anybody waits.
unsafe fn wait_anywhere(
    word: *const AtomicU32,
    expected: u32,
    deadline: Option<Instant>,
) -> io::Result<c_long> {
    if parking::is_park(word.addr(), expected) {
        // SAFETY: it is part of what std keeps of the calling OS thread, which lasts as long as that.
        parking::park(unsafe { &*word }, deadline);
        return Ok(0);
    }
    if identity::is_thread_local(word.addr()) {
        // SAFETY: as the caller promises.
        return unsafe { wait_in_place(word, expected, deadline) };
    }
    // SAFETY: as the caller promises.
    unsafe { wait(word, expected, deadline) }
}

/// Blocks the OS thread, for a lock of parking_lot's: while it waits, no other green thread of the worker may
/// touch what parking_lot keeps of the OS thread.
///
/// # Safety
///
/// `word` is valid for reading while anybody waits.
unsafe fn wait_in_place(
    word: *const AtomicU32,
    expected: u32,
    deadline: Option<Instant>,
) -> io::Result<c_long> {
    let begin = Instant::now();
    let suspicious = begin + identity::SUSPICIOUS;
    identity::THREAD_LOCAL.count();
    // SAFETY: as the caller promises.
    let wait = |deadline: Option<Instant>| unsafe { wait_in_kernel(word, expected, deadline) };
    match wait(Some(
        deadline.map_or(suspicious, |deadline| deadline.min(suspicious)),
    )) {
        Err(error)
            if error.kind() == ErrorKind::TimedOut && begin.elapsed() >= identity::SUSPICIOUS =>
        {
            identity::THREAD_LOCAL.report();
            wait(deadline)
        }
        result => result,
    }
}

/// # Safety
///
/// `word` is valid for reading while anybody waits.
unsafe fn wait_in_kernel(
    word: *const AtomicU32,
    expected: u32,
    deadline: Option<Instant>,
) -> io::Result<c_long> {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let left = left.map(|left| libc::timespec {
        tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    });
    let left = left.as_ref().map_or(ptr::null(), ptr::from_ref);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let args = [
        word.addr(),
        operation as usize,
        expected as usize,
        left.expose_provenance(),
        0,
        0,
    ];
    // SAFETY: as the caller promises; and `left` is null or valid for reading.
    unsafe { raw::call(libc::SYS_futex, args) }.map(|_| 0)
}

/// # Safety
///
/// `word` is valid for reading while anybody waits.
unsafe fn wait(
    word: *const AtomicU32,
    expected: u32,
    deadline: Option<Instant>,
) -> io::Result<c_long> {
    let address = word.addr();
    let bucket = bucket(address);
    let Some(sleeper) = Sleeper::at(address) else {
        return error(libc::EAGAIN);
    };
    let _counted = Counted::in_bucket(bucket);
    fence(Ordering::SeqCst);
    let queued = bucket.queue.with(|queue| {
        // SAFETY: as the caller promises.
        let as_expected = unsafe { &*word }.load(Ordering::SeqCst) == expected;
        if as_expected {
            queue.push_back(sleeper.clone());
        }
        as_expected
    });
    if !queued {
        return error(libc::EAGAIN);
    }
    let woken = || sleeper.woken.load(Ordering::Acquire);
    let reason = Reason::Lock(number_of(address));
    if patch::wait_until(reason, deadline, woken) {
        return Ok(0);
    }
    match bucket.forget(&sleeper) {
        true => error(libc::ETIMEDOUT),
        // It was woken after all.
        false => Ok(0),
    }
}

/// Wakes up to `limit` waiters: OS threads by the call `kernel`, then green threads.
fn wake_all_kinds(
    address: usize,
    limit: usize,
    kernel: impl FnOnce() -> io::Result<c_long>,
) -> io::Result<c_long> {
    fence(Ordering::SeqCst);
    let woken = kernel()?;
    let bucket = bucket(address);
    let left = limit.saturating_sub(woken as usize);
    if left == 0 || bucket.count.load(Ordering::SeqCst) == 0 {
        return Ok(woken);
    }
    let sleepers = bucket.take(address, left);
    for sleeper in &sleepers {
        sleeper.woken.store(true, Ordering::Release);
        sleeper.waiter.wake();
    }
    Ok(woken + sleepers.len() as c_long)
}

impl Sleeper {
    fn at(address: usize) -> Option<Arc<Sleeper>> {
        Some(Arc::new(Sleeper {
            address,
            waiter: Waiter::current()?,
            woken: AtomicBool::new(false),
        }))
    }
}

/// Names the word in dumps.
fn number_of(address: usize) -> u32 {
    (address >> 2) as u32
}

fn bucket(address: usize) -> &'static Bucket {
    // Words are four bytes long.
    &WAITING[(address >> 2) % BUCKETS]
}

impl Bucket {
    const fn new() -> Bucket {
        Bucket {
            count: AtomicUsize::new(0),
            queue: Plain::new(VecDeque::new()),
        }
    }

    /// Takes out the first ones that wait at the address.
    fn take(&self, address: usize, limit: usize) -> Vec<Arc<Sleeper>> {
        self.queue.with(|queue| {
            let mut taken = Vec::new();
            queue.retain(|sleeper| {
                let take = sleeper.address == address && taken.len() < limit;
                if take {
                    taken.push(sleeper.clone());
                }
                !take
            });
            taken
        })
    }

    /// Takes one out that does not wait any more. Returns false if it was taken out before.
    fn forget(&self, sleeper: &Arc<Sleeper>) -> bool {
        self.queue.with(|queue| {
            let place = queue.iter().position(|other| Arc::ptr_eq(other, sleeper));
            place.and_then(|place| queue.remove(place)).is_some()
        })
    }
}

/// Somebody who is in a queue, or about to be.
struct Counted(&'static Bucket);

impl Counted {
    fn in_bucket(bucket: &'static Bucket) -> Counted {
        bucket.count.fetch_add(1, Ordering::SeqCst);
        Counted(bucket)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
    }
}
