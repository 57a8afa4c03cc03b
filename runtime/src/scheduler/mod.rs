//! The scheduler: workers, where a new green thread goes, and how one worker reaches another.
//!
//! There is one [`Runtime`] in a process. It begins with its first use and ends with the process:
//! workers, their slots and their stacks are never freed while anything could stand on them.
//!
//! ```text
//!   spawn ──▶ deque of the own worker            ◀─┐
//!        └──▶ arrivals of another one, from there ◀┴─ idle workers steal from both
//!   wake  ──▶ run queue of the own worker, or a message to the inbox of the owner
//! ```

mod counters;
mod idle;
mod in_place;
mod inbox;
mod load;
mod run;
mod sample;
mod show;
mod slot;
mod stacks;
mod worker;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crossbeam_deque::{Injector, Stealer};
use crossbeam_utils::CachePadded;

use crate::builder::Builder;
use crate::clock::Clock;
use crate::context;
use crate::fork;
use crate::insight::{Watchdog, dump_on_sigusr1};
use crate::interrupt;
use crate::reactor::Remote;
use crate::task::Task;
use crate::thread::ThreadId;

use counters::Counters;
pub(crate) use counters::{Count, metrics};
use idle::Idle;
pub use idle::run_until_idle;
pub(crate) use idle::{Excused, LiveOsThread};
pub use in_place::no_switch;
use inbox::Inbox;
use load::Load;
pub(crate) use sample::Sample;
use sample::Sampler;
pub(crate) use show::{Answer, Seen};
pub(crate) use slot::{Slot, Ticket};
pub(crate) use worker::Worker;

static RUNTIME: OnceLock<&'static Runtime> = OnceLock::new();

/// The runtime of the process.
pub(crate) struct Runtime {
    /// None if threads are to be OS threads.
    workers: Box<[Shared]>,
    stack_size: usize,
    unblock_threads: usize,
    stacks: context::Pool,
    clock: Clock,
    /// A worker has been woken to look for work, and has not found any yet.
    searching: AtomicBool,
    watchdog: Option<Watchdog>,
    dumps_on_sigusr1: bool,
    idle: Idle,
}

/// The part of a worker that other OS threads reach.
pub(crate) struct Shared {
    index: usize,
    inbox: CachePadded<Inbox<Message>>,
    /// Green threads that are on the worker, or on their way.
    load: CachePadded<Load>,
    /// Its green threads that have not started: from itself, and from others.
    unstarted: Stealer<Arc<dyn Task>>,
    arrivals: Injector<Arc<dyn Task>>,
    /// It was woken to look for work.
    asked_to_search: AtomicBool,
    /// Turns of its loop.
    turns: AtomicU32,
    /// Sleeps without a deadline that have begun or ended: odd while it is in one.
    rests: AtomicU32,
    sampler: Sampler,
    /// Written by the worker alone.
    counters: CachePadded<Counters>,
    pub(crate) reactor: Remote,
}

/// What one OS thread tells a worker.
enum Message {
    Wake(Ticket),
    /// The green thread was cancelled. Unlike a wake, this must not reach another one.
    Cancelled(Ticket, ThreadId),
    /// Somebody wants to know its green threads, from this slot on.
    Show(Arc<show::Request>, usize),
    /// A green thread that is to start on this worker, and on no other.
    Spawned(Arc<dyn Task>),
}

/// The runtime, begun with its default settings if it was not yet.
///
/// # Panics
/// If it cannot begin.
#[inline]
pub(crate) fn runtime() -> &'static Runtime {
    match RUNTIME.get() {
        Some(runtime) => runtime,
        None => begin_with_defaults(),
    }
}

#[cold]
fn begin_with_defaults() -> &'static Runtime {
    match begin(&Builder::new()) {
        Ok(runtime) => runtime,
        Err(_) if RUNTIME.get().is_some() => runtime(),
        Err(error) => panic!("cannot start the greenwire runtime: {error}"),
    }
}

/// The runtime of the process, if it has begun.
pub(crate) fn started() -> Option<&'static Runtime> {
    RUNTIME.get().copied()
}

/// Begins the runtime with the given settings.
///
/// # Errors
/// `AlreadyExists` if it has begun before.
pub(crate) fn begin(settings: &Builder) -> io::Result<&'static Runtime> {
    static BEGINNING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = BEGINNING.lock().unwrap_or_else(PoisonError::into_inner);
    if RUNTIME.get().is_some() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the runtime has begun before: call Builder::start before any other use of greenwire",
        ));
    }
    let runtime = Runtime::begin(settings)?;
    Ok(RUNTIME.get_or_init(|| runtime))
}

/// Makes the green thread that `ticket` names run again, from any OS thread.
#[inline]
pub(crate) fn wake(ticket: Ticket) {
    match Worker::current() {
        Some(worker) if worker.index() == ticket.worker() => worker.wake(ticket),
        _ => runtime().workers[ticket.worker()].send(Message::Wake(ticket)),
    }
}

/// The same, whatever the calling worker is in the middle of.
pub(crate) fn send_wake(ticket: Ticket) {
    runtime().workers[ticket.worker()].send(Message::Wake(ticket));
}

/// Tells a green thread's worker that it was cancelled.
pub(crate) fn notify_cancelled(ticket: Ticket, id: ThreadId) {
    match Worker::current() {
        Some(worker) if worker.index() == ticket.worker() => worker.cancel(ticket, id),
        _ => runtime().workers[ticket.worker()].send(Message::Cancelled(ticket, id)),
    }
}

/// Does what the calling green thread has put off.
#[inline]
pub(crate) fn run_hooks() {
    if let Some((worker, slot)) = Worker::running()
        && !worker.hooks().is_empty()
    {
        worker.hooks().run(&slot.interrupts);
    }
}

/// Makes a green thread of `task`: on the worker with this index, or where placement chooses.
///
/// # Errors
/// `InvalidInput` if there is no such worker, `Unsupported` in a forked process.
pub(crate) fn spawn(task: Arc<dyn Task>, index: Option<usize>) -> io::Result<()> {
    fork::check()?;
    let runtime = runtime();
    let chosen = index.map(|index| runtime.worker(index)).transpose()?;
    let own = Worker::current();
    runtime.count_spawned(own);
    match (chosen, own) {
        (Some(chosen), _) => chosen.send_pinned(task),
        (None, None) => runtime.send_to(runtime.least_loaded(), task),
        (None, Some(own)) => match runtime.better_than(own.shared()) {
            None => own.spawn(task),
            Some(other) => runtime.send_to(other, task),
        },
    }
    Ok(())
}

impl Runtime {
    fn begin(settings: &Builder) -> io::Result<&'static Runtime> {
        let count = settings.worker_count()?;
        let mut own_parts = Vec::with_capacity(count);
        let mut workers = Vec::with_capacity(count);
        for index in 0..count {
            let (own, shared) = worker::parts(index)?;
            own_parts.push(own);
            workers.push(shared);
        }
        let runtime: &'static Runtime = Box::leak(Box::new(Runtime {
            workers: workers.into_boxed_slice(),
            stack_size: settings.default_stack_size()?,
            unblock_threads: settings.unblock_thread_count()?,
            stacks: context::Pool::new(settings.stack_guard()?),
            clock: Clock::new(),
            searching: AtomicBool::new(false),
            watchdog: settings.watchdog_limit()?.map(Watchdog::new),
            dumps_on_sigusr1: settings.dumps_on_sigusr1(),
            idle: Idle::default(),
        }));
        if count > 0 {
            fork::watch()?;
            interrupt::note_panics();
        }
        for (own, shared) in own_parts.into_iter().zip(&runtime.workers) {
            worker::start(own, shared, runtime)?;
        }
        if let Some(watchdog) = &runtime.watchdog {
            watchdog.start(runtime)?;
        }
        if runtime.dumps_on_sigusr1 {
            dump_on_sigusr1()?;
        }
        Ok(runtime)
    }

    /// Whether `thread::spawn` makes OS threads.
    pub(crate) fn uses_os_threads(&self) -> bool {
        self.workers.is_empty()
    }

    pub(crate) fn workers(&self) -> &[Shared] {
        &self.workers
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn watchdog(&self) -> Option<&Watchdog> {
        self.watchdog.as_ref()
    }

    /// How many OS threads it has that are no workers.
    pub(crate) fn helpers(&self) -> usize {
        usize::from(self.watchdog.is_some()) + usize::from(self.dumps_on_sigusr1)
    }

    pub(crate) fn stack_size(&self) -> usize {
        self.stack_size
    }

    pub(crate) fn unblock_threads(&self) -> usize {
        self.unblock_threads
    }

    fn count_spawned(&self, own: Option<&Worker>) {
        match own {
            Some(worker) => worker.shared().counters.spawned.add(1),
            None => {
                self.idle.spawned_outside.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A worker that a green thread spawned on `own` should rather go to: one with so many fewer that
    /// the difference is more than a quarter. Otherwise near its parent is best.
    fn better_than(&self, own: &Shared) -> Option<&Shared> {
        const SLACK: usize = 2;
        let live = own.load.get();
        // With many workers, looking at all of them would cost more than it gives.
        let step = 1 + live.checked_rem(self.workers.len() - 1)?;
        let other = &self.workers[(own.index + step) % self.workers.len()];
        let theirs = other.load.get();
        (live > theirs + theirs / 4 + SLACK).then_some(other)
    }

    fn least_loaded(&self) -> &Shared {
        self.workers
            .iter()
            .min_by_key(|worker| worker.load.get())
            .expect("there are workers unless in OS-thread mode")
    }

    fn worker(&self, index: usize) -> io::Result<&Shared> {
        self.workers.get(index).ok_or_else(|| {
            let count = self.workers.len();
            let message = format!("there is no worker {index}: there are {count}, counted from 0");
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })
    }

    fn send_to(&self, worker: &Shared, task: Arc<dyn Task>) {
        worker.load.add();
        worker.arrivals.push(task);
        if worker.inbox.rouse() {
            worker.reactor.ring();
        } else {
            self.wake_a_searcher();
        }
    }

    /// Wakes a worker that sleeps, if there is one and none is searching already: there is work to
    /// steal.
    fn wake_a_searcher(&self) {
        if self.workers.len() == 1 {
            return;
        }
        fence(Ordering::SeqCst);
        if self.searching.load(Ordering::Relaxed) {
            return;
        }
        let asleep = |worker: &&Shared| worker.inbox.is_asleep();
        for sleeper in self.workers.iter().filter(asleep) {
            if self.searching.swap(true, Ordering::SeqCst) {
                return;
            }
            sleeper.asked_to_search.store(true, Ordering::SeqCst);
            if sleeper.inbox.rouse() {
                return sleeper.reactor.ring();
            }
            if !sleeper.asked_to_search.swap(false, Ordering::SeqCst) {
                return;
            }
            // It woke up for another reason, and looks for work before it sleeps again. But what it
            // woke up for may take long.
            self.searching.store(false, Ordering::SeqCst);
        }
    }

    /// The search has ended, with or without success.
    fn search_ended(&self) {
        self.searching.store(false, Ordering::SeqCst);
        if self.has_stealable() {
            self.wake_a_searcher();
        }
    }

    fn has_stealable(&self) -> bool {
        self.workers.iter().any(Shared::has_stealable)
    }
}

impl Shared {
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// How many turns its loop has taken. In none of them it runs for long, unless a green thread does.
    pub(crate) fn turns(&self) -> u32 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Whether a descriptor is registered with its reactor.
    pub(crate) fn watches_descriptors(&self) -> bool {
        self.reactor.has_sources()
    }

    /// Whether it sleeps. A hint, unless a fence precedes it.
    pub(crate) fn is_asleep(&self) -> bool {
        self.inbox.is_asleep()
    }

    /// If it sleeps, without a deadline, and nobody has woken it: how often it has begun to.
    ///
    /// Who wakes it takes the flag of its inbox down before. So whoever gets the same number twice knows that
    /// it slept all the time in between.
    pub(crate) fn resting(&self) -> Option<u32> {
        let rests = self.rests.load(Ordering::SeqCst);
        let at_rest = rests % 2 == 1 && self.inbox.is_asleep();
        at_rest.then_some(rests)
    }

    fn has_stealable(&self) -> bool {
        !self.unstarted.is_empty() || !self.arrivals.is_empty()
    }

    /// Adds a green thread that nobody can steal.
    fn send_pinned(&self, task: Arc<dyn Task>) {
        self.load.add();
        self.send(Message::Spawned(task));
    }

    fn send(&self, message: Message) {
        if self.inbox.push(message) {
            self.reactor.ring();
        }
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("workers", &self.workers.len())
            .finish_non_exhaustive()
    }
}
