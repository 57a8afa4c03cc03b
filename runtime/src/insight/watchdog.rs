//! The watchdog: an OS thread that looks for a green thread which keeps its worker from all others.
//!
//! A worker's loop counts its turns, and a turn is short unless a green thread does not give way. When the
//! count of a busy worker stands still, the watchdog interrupts it to see who is running. The same green
//! thread, which has not waited or yielded, seen twice with the limit in between, is what it reports. While
//! all workers sleep, so does the watchdog.

use std::fmt::Write;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::frames::Resolver;
use crate::scheduler::{Runtime, Sample, Shared};
use crate::thread::ThreadId;

/// What workers know of the watchdog.
#[derive(Debug)]
pub(crate) struct Watchdog {
    limit: Duration,
    thread: OnceLock<Thread>,
    /// It sleeps until a worker wakes up.
    dozes: AtomicBool,
}

impl Watchdog {
    pub(crate) fn new(limit: Duration) -> Watchdog {
        Watchdog {
            limit,
            thread: OnceLock::new(),
            dozes: AtomicBool::new(false),
        }
    }

    /// Starts its OS thread.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn start(&'static self, runtime: &'static Runtime) -> io::Result<()> {
        let builder = thread::Builder::new().name("greenwire-watchdog".into());
        let thread = builder.spawn(move || self.watch(runtime))?;
        let _ = self.thread.set(thread.thread().clone());
        Ok(())
    }

    /// A worker has woken up: it has taken down its flag before.
    pub(crate) fn rouse(&self) {
        fence(Ordering::SeqCst);
        if self.dozes.load(Ordering::Relaxed)
            && self.dozes.swap(false, Ordering::Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    fn watch(&self, runtime: &'static Runtime) -> ! {
        let mut watches: Vec<Watch> = runtime.workers().iter().map(Watch::new).collect();
        loop {
            self.doze_while_all_sleep(runtime);
            thread::park_timeout(self.limit / 2);
            for watch in &mut watches {
                if let Some((sample, held)) = watch.look(self.limit) {
                    report(&sample, watch.worker, held);
                }
            }
        }
    }

    /// As [`Inbox::doze`](crate::scheduler), with the workers as senders.
    fn doze_while_all_sleep(&self, runtime: &Runtime) {
        loop {
            self.dozes.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if !runtime.workers().iter().all(Shared::is_asleep) {
                return self.dozes.store(false, Ordering::Relaxed);
            }
            thread::park();
        }
    }
}

/// What the watchdog has seen of one worker.
struct Watch {
    worker: &'static Shared,
    turns: u32,
    hold: Option<Hold>,
}

/// A green thread that has been seen running, and has not given way since.
struct Hold {
    id: ThreadId,
    waits: u32,
    since: Instant,
    reported: bool,
}

impl Watch {
    fn new(worker: &'static Shared) -> Watch {
        Watch {
            worker,
            turns: worker.turns(),
            hold: None,
        }
    }

    /// Looks at the worker. Returns who has held it for the limit, once.
    fn look(&mut self, limit: Duration) -> Option<(Sample, Duration)> {
        let turns = self.worker.turns();
        if turns != self.turns || self.worker.is_asleep() {
            self.turns = turns;
            self.hold = None;
            return None;
        }
        let sample = self.worker.sample()?;
        let seen = |hold: &Hold| hold.id == sample.id && hold.waits == sample.waits;
        if !self.hold.as_ref().is_some_and(seen) {
            self.hold = Some(Hold {
                id: sample.id,
                waits: sample.waits,
                since: Instant::now(),
                reported: false,
            });
        }
        let hold = self.hold.as_mut()?;
        let held = hold.since.elapsed();
        if held < limit || hold.reported {
            return None;
        }
        hold.reported = true;
        Some((sample, held))
    }
}

fn report(sample: &Sample, worker: &Shared, held: Duration) {
    let mut text = String::new();
    let name = sample.name.as_deref().unwrap_or("<unnamed>");
    let number = sample.id.number();
    let mut resolver = Resolver::default();
    for frame in sample.backtrace(&mut resolver) {
        let _ = write!(text, "\n        {frame}");
    }
    if !sample.has_callers(&mut resolver) {
        text += "\n        (to see its callers, build with -C force-frame-pointers=yes)";
    }
    log::warn!(
        "green thread {number} '{name}' has held worker {} for {} ms, and others wait:{text}",
        worker.index(),
        held.as_millis(),
    );
}
