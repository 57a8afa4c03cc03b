//! OS threads in the runtime's eyes: those that `spawn` makes in OS-thread mode, and every other one
//! that calls in.

use std::cell::OnceCell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Instant;

use slab::Slab;

use crate::insight::{Reason, deadlock};
use crate::scheduler::LiveOsThread;
use crate::task::{Header, Task};

thread_local! {
    static CURRENT: OnceCell<Arc<dyn Task>> = const { OnceCell::new() };
    static PARKER: OnceCell<Listed> = const { OnceCell::new() };
}

/// The parkers of the OS threads that have ever waited here, until they end.
static PARKERS: Mutex<Slab<Arc<Parker>>> = Mutex::new(Slab::new());

/// How an OS thread waits and is woken.
///
/// It is std's own `park`, and a word beside it that says whether the thread rests: whether it waits without
/// a deadline, and nobody has woken it. Who wakes changes the word *before* the thread gets to run. So
/// whoever finds the same word twice knows that the thread rested all the time in between.
#[derive(Debug)]
pub(crate) struct Parker {
    thread: Thread,
    /// How often it has rested, and in the low bits one of the tags below.
    word: AtomicU64,
    /// What it waits for, while it rests, and since when.
    wait: Mutex<Option<(Reason, Instant)>>,
}

const AWAKE: u64 = 0;
const RESTS: u64 = 1;
const WOKEN: u64 = 2;
const TAG: u64 = 3;
const UNIT: u64 = 4;

/// An OS thread that rests.
pub(crate) struct Resting {
    pub(crate) name: Option<String>,
    pub(crate) reason: Reason,
    pub(crate) since: Instant,
}

impl Parker {
    fn new() -> Parker {
        Parker {
            thread: thread::current(),
            word: AtomicU64::new(AWAKE),
            wait: Mutex::new(None),
        }
    }

    /// That of the calling OS thread.
    pub(crate) fn current() -> Arc<Parker> {
        let known = PARKER.try_with(|own| own.get_or_init(Listed::new).parker.clone());
        // While the thread's locals are being destroyed, a new one at each call must do. It is the same
        // thread that is woken, which is all that counts.
        known.unwrap_or_else(|_| Arc::new(Parker::new()))
    }

    /// Makes the present or the next `park` return.
    pub(crate) fn unpark(&self) {
        self.word.fetch_or(WOKEN, Ordering::SeqCst);
        self.thread.unpark();
    }

    /// Blocks the calling thread, whose parker this is, until `unpark` or the deadline, or for no reason.
    pub(crate) fn park(&self, reason: Reason, deadline: Option<Instant>) {
        match deadline {
            None => self.rest(reason),
            Some(deadline) => {
                thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
            }
        }
        self.word.fetch_and(!TAG, Ordering::SeqCst);
    }

    fn rest(&self, reason: Reason) {
        let awake = self.word.load(Ordering::Relaxed) & !TAG;
        *lock(&self.wait) = Some((reason, Instant::now()));
        let rests = awake.wrapping_add(UNIT) | RESTS;
        let begun = self
            .word
            .compare_exchange(awake, rests, Ordering::SeqCst, Ordering::Relaxed);
        if begun.is_ok() {
            deadlock::check();
        }
        thread::park();
    }

    /// The word, if the thread rests.
    fn resting(&self) -> Option<u64> {
        let word = self.word.load(Ordering::SeqCst);
        (word & TAG == RESTS).then_some(word)
    }
}

/// A parker in the list, for as long as its thread lives.
struct Listed {
    parker: Arc<Parker>,
    key: usize,
}

impl Listed {
    fn new() -> Listed {
        let parker = Arc::new(Parker::new());
        let key = lock(&PARKERS).insert(parker.clone());
        Listed { parker, key }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        lock(&PARKERS).remove(self.key);
    }
}

/// The rests that all OS threads are in that have ever waited here. `None` if one of them is awake.
pub(crate) fn all_resting() -> Option<Vec<(usize, u64)>> {
    let parkers = lock(&PARKERS);
    let resting = parkers
        .iter()
        .map(|(key, parker)| Some((key, parker.resting()?)));
    resting.collect()
}

/// Up to `limit` of the OS threads that rest.
pub(crate) fn resting(limit: usize) -> Vec<Resting> {
    let parkers = lock(&PARKERS);
    let resting = parkers
        .iter()
        .filter(|(_, parker)| parker.resting().is_some());
    let described = resting.filter_map(|(_, parker)| {
        let (reason, since) = (*lock(&parker.wait))?;
        let name = parker.thread.name().map(str::to_owned);
        Some(Resting {
            name,
            reason,
            since,
        })
    });
    described.take(limit).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An OS thread that the runtime did not make.
struct Foreign(Header);

impl Task for Foreign {
    fn header(&self) -> &Header {
        &self.0
    }

    fn run(&self) {}

    fn fail(&self, _: io::Error) {}
}

/// The task of the calling OS thread.
pub(crate) fn current() -> Arc<dyn Task> {
    let foreign = || -> Arc<dyn Task> { Arc::new(Foreign(Header::of_this_thread())) };
    let known = CURRENT.try_with(|current| current.get_or_init(foreign).clone());
    // While the thread's locals are being destroyed, a new one at each call must do.
    known.unwrap_or_else(|_| foreign())
}

/// Runs `task` on an OS thread of its own.
///
/// # Errors
/// What the system says.
pub(crate) fn spawn(task: Arc<dyn Task>, stack_size: Option<usize>) -> io::Result<()> {
    let mut builder = thread::Builder::new();
    if let Some(name) = task.header().name() {
        builder = builder.name(name.to_owned());
    }
    if let Some(size) = stack_size {
        builder = builder.stack_size(size);
    }
    let live = LiveOsThread::new();
    builder.spawn(move || {
        let _live = live;
        task.header().runs_on_this_thread();
        CURRENT.with(|current| {
            let _ = current.set(task.clone());
        });
        task.run();
    })?;
    Ok(())
}
