//! The dump: every green thread, what it is doing, and where it stands.

use std::time::{Duration, Instant};

use super::frames::{Frame, Resolver};
use super::reason::Reason;
use crate::os_thread;
use crate::scheduler::{Answer, Runtime, Sample, Seen, runtime};
use crate::thread::ThreadId;
use crate::unblock;
use crate::wait::{Outcome, wait};

/// Green threads of each worker in a [`dump`].
const LIMIT: usize = 1000;

/// How long a worker has to answer. One that does not is running the same green thread all the time.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the green threads of the process are doing, at about one moment.
///
/// To be printed: it shows them as a tree, each below the one that spawned it. Or to be looked at, through
/// its methods.
#[derive(Clone, Debug)]
pub struct Dump {
    threads: Vec<GreenThread>,
    workers: Vec<Worker>,
    os_threads: Vec<OsThread>,
}

/// A green thread in a [`Dump`].
#[derive(Clone, Debug)]
pub struct GreenThread {
    id: ThreadId,
    name: Option<String>,
    parent: Option<ThreadId>,
    worker: usize,
    state: State,
    stack: Option<Stack>,
    backtrace: Vec<Frame>,
}

/// The stack of a green thread in a [`Dump`] that does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stack {
    /// How many bytes are in use, from its beginning to the call that waits. It may have used more before.
    pub used: usize,
    /// How many bytes there are.
    pub size: usize,
}

/// What a green thread in a [`Dump`] is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It could go on, and waits for its turn.
    Ready,
    /// It runs, and did not give way while the dump was made.
    Running,
    /// It waits.
    Parked {
        /// What for.
        reason: Reason,
        /// For how long it has waited, and run without a pause before.
        since: Duration,
        /// How long it will still wait at most.
        left: Option<Duration>,
    },
}

/// A worker in a [`Dump`]: it runs green threads, one at a time.
#[derive(Clone, Copy, Debug)]
struct Worker {
    ready: usize,
    parked: usize,
    not_started: usize,
    has_answered: bool,
}

/// An OS thread in a [`Dump`]: one that waits in greenwire, without a deadline.
#[derive(Clone, Debug)]
pub struct OsThread {
    name: Option<String>,
    reason: Reason,
    since: Duration,
}

/// Asks all workers what their green threads are doing.
///
/// It can be called at any time, from any thread. It shows at most 1,000 green threads of each worker,
/// and counts the others; [`dump_up_to`] shows as many as you like. It waits until all workers have
/// answered, or half a second: a worker that has not answered by then is kept busy by one green thread,
/// which the dump names if it can. While it goes on, each worker stops for about 0.1 ms at a time.
///
/// What a green thread waits for and where it stands is found out now. It costs nothing before.
///
/// Starts the runtime if it has not begun.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{dump, thread};
///
/// let server = thread::Builder::new().name("server".into()).spawn(thread::park)?;
/// # while !dump().threads().any(|t| matches!(t.state(), greenwire_runtime::insight::State::Parked { .. })) {}
/// let dump = dump();
/// println!("{dump}");
/// assert!(dump.threads().any(|thread| thread.name() == Some("server")));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// prints, in a program with debug information:
///
/// ```text
/// 1 green thread: 0 ready, 1 parked, 0 not started
/// thread 2 'server' on worker 0: parked for 0.0 s, waits for unpark
///         greenwire_runtime::thread::park at runtime/src/thread.rs:452
/// ```
#[must_use]
pub fn dump() -> Dump {
    dump_up_to(LIMIT)
}

/// As [`dump`], with up to `limit` green threads of each worker.
#[must_use]
pub fn dump_up_to(limit: usize) -> Dump {
    let runtime = runtime();
    let request = runtime.ask(limit);
    let deadline = Instant::now() + PATIENCE;
    while !request.is_answered() {
        match wait(Reason::Other, Some(deadline)) {
            Outcome::Woken => {}
            Outcome::TimedOut => break,
            Outcome::Interrupted(interrupt) => interrupt.unwind(),
        }
    }
    // Resolving symbols takes more stack than a green thread may have.
    unblock(move || {
        let count = runtime.workers().len();
        let answers = (0..count).map(|worker| request.take_answer(worker));
        Dump::new(runtime, answers.collect(), limit)
    })
}

impl Dump {
    fn new(runtime: &Runtime, answers: Vec<Answer>, limit: usize) -> Dump {
        let mut resolver = Resolver::default();
        let mut dump = Dump {
            threads: Vec::new(),
            workers: Vec::new(),
            os_threads: OsThread::all(limit),
        };
        let now = runtime.clock().now();
        for (index, answer) in answers.into_iter().enumerate() {
            dump.workers.push(Worker {
                ready: answer.ready,
                parked: answer.parked,
                not_started: answer.not_started,
                has_answered: answer.is_complete,
            });
            let seen = answer.threads.into_iter();
            let threads = seen.map(|seen| GreenThread::new(seen, index, now, &mut resolver));
            dump.threads.extend(threads);
            let busy = (!answer.is_complete).then(|| runtime.workers()[index].sample());
            let running = busy
                .flatten()
                .map(|sample| GreenThread::running(sample, index, &mut resolver));
            dump.threads.extend(running);
        }
        dump
    }

    /// The green threads that were looked at, worker by worker.
    pub fn threads(&self) -> impl Iterator<Item = &GreenThread> {
        self.threads.iter()
    }

    /// OS threads that waited in greenwire, without a deadline.
    pub fn os_threads(&self) -> impl Iterator<Item = &OsThread> {
        self.os_threads.iter()
    }

    /// The numbers of the workers that did not answer in time.
    pub fn busy_workers(&self) -> impl Iterator<Item = usize> {
        let workers = self.workers.iter().enumerate();
        workers.filter_map(|(index, worker)| (!worker.has_answered).then_some(index))
    }

    /// How many green threads were ready to run, whether or not they are among [`threads`](Dump::threads).
    pub fn ready(&self) -> usize {
        self.workers.iter().map(|worker| worker.ready).sum()
    }

    /// How many were parked.
    pub fn parked(&self) -> usize {
        self.workers.iter().map(|worker| worker.parked).sum()
    }

    /// How many had not started. Nothing else is known of these.
    pub fn not_started(&self) -> usize {
        self.workers.iter().map(|worker| worker.not_started).sum()
    }

    /// How many were running: no more than one on each worker.
    pub fn running(&self) -> usize {
        let running = self.threads().filter(|t| t.state == State::Running);
        running.count()
    }

    /// How many have started, but are not among [`threads`](Dump::threads).
    pub fn left_out(&self) -> usize {
        (self.ready() + self.parked() + self.running()).saturating_sub(self.threads.len())
    }
}

impl GreenThread {
    fn new(seen: Seen, worker: usize, now: u64, resolver: &mut Resolver) -> GreenThread {
        let nanoseconds = |from: u64, to: u64| Duration::from_nanos(to.saturating_sub(from));
        GreenThread {
            id: seen.id,
            name: seen.name,
            parent: seen.parent,
            worker,
            state: seen.wait.map_or(State::Ready, |wait| State::Parked {
                reason: wait.reason,
                since: nanoseconds(wait.since, now),
                left: wait.until.map(|until| nanoseconds(now, until)),
            }),
            stack: Some(Stack {
                used: seen.stack.0,
                size: seen.stack.1,
            }),
            backtrace: resolver.backtrace(&seen.frames),
        }
    }

    fn running(sample: Sample, worker: usize, resolver: &mut Resolver) -> GreenThread {
        GreenThread {
            backtrace: sample.backtrace(resolver),
            id: sample.id,
            name: sample.name,
            parent: sample.parent,
            worker,
            state: State::Running,
            stack: None,
        }
    }

    /// Its identity.
    pub fn id(&self) -> ThreadId {
        self.id
    }

    /// Its name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The green thread that spawned it. It may have ended. `None` if an OS thread did.
    pub fn parent(&self) -> Option<ThreadId> {
        self.parent
    }

    /// The number of the worker that it runs on.
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        self.state
    }

    /// What it uses of its stack. `None` while it runs.
    pub fn stack(&self) -> Option<Stack> {
        self.stack
    }

    /// Where it stands, the innermost call first. The runtime's own frames are left out, but for the call
    /// that it makes of greenwire. Empty if its stack was almost full.
    pub fn backtrace(&self) -> &[Frame] {
        &self.backtrace
    }
}

impl OsThread {
    fn all(limit: usize) -> Vec<OsThread> {
        let resting = os_thread::resting(limit).into_iter();
        let describe = |thread: os_thread::Resting| OsThread {
            name: thread.name,
            reason: thread.reason,
            since: thread.since.elapsed(),
        };
        resting.map(describe).collect()
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it waits for.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// For how long it has waited.
    pub fn since(&self) -> Duration {
        self.since
    }
}
