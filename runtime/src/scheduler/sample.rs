//! What a busy worker is running, found out by interrupting it.
//!
//! A worker that runs one green thread all the time reads no messages. A signal makes it leave word of where
//! it is, in memory that was set aside for that: its handler may neither lock nor allocate.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Shared, Worker};
use crate::context::{EndlessThread, Interrupted};
use crate::task::Task;
use crate::thread::ThreadId;

/// How long a signal may take to arrive.
const PATIENCE: Duration = Duration::from_millis(100);

/// Bytes of a name that are kept.
const NAME: usize = 64;

/// Callers that are kept.
const CALLERS: usize = 48;

/// A green thread that runs.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) id: ThreadId,
    pub(crate) name: Option<String>,
    pub(crate) parent: Option<ThreadId>,
    /// How often it has given way. While this stays the same, it has not.
    pub(crate) waits: u32,
    pub(crate) instruction: usize,
    /// Return addresses, innermost first. `None` if they could not be found.
    pub(crate) callers: Option<Vec<usize>>,
}

/// Where the signal handler of a worker writes.
pub(super) struct Sampler {
    thread: OnceLock<EndlessThread>,
    one_at_a_time: Mutex<()>,
    stage: AtomicU8,
    id: AtomicU64,
    parent: AtomicU64,
    name: [AtomicU8; NAME],
    name_length: AtomicUsize,
    waits: AtomicU32,
    instruction: AtomicUsize,
    callers: [AtomicUsize; CALLERS],
    caller_count: AtomicUsize,
}

/// The stages of a [`Sampler`].
const IDLE: u8 = 0;
const ASKED: u8 = 1;
/// The handler has found nobody running.
const NOBODY: u8 = 2;
const TAKEN: u8 = 3;

/// In place of a count: none could be found, or there is no name.
const NONE: usize = usize::MAX;

impl Sampler {
    pub(super) fn new() -> Sampler {
        Sampler {
            thread: OnceLock::new(),
            one_at_a_time: Mutex::new(()),
            stage: AtomicU8::new(IDLE),
            id: AtomicU64::new(0),
            parent: AtomicU64::new(0),
            name: [const { AtomicU8::new(0) }; NAME],
            name_length: AtomicUsize::new(NONE),
            waits: AtomicU32::new(0),
            instruction: AtomicUsize::new(0),
            callers: [const { AtomicUsize::new(0) }; CALLERS],
            caller_count: AtomicUsize::new(NONE),
        }
    }

    /// The worker's OS thread has started: it is the calling one.
    pub(super) fn runs_here(&self) {
        let _ = self.thread.set(EndlessThread::current());
    }

    /// In the signal handler.
    fn write(&self, worker: &Worker, interrupted: Interrupted) -> Option<()> {
        let slot = worker.running.get()?;
        // In the middle of a switch the slot cannot be trusted. Code on the stack of the green thread
        // borrows the task at most.
        if !interrupted.is_on(slot.extent.get()) {
            return None;
        }
        self.write_task(&**slot.try_task()?);
        self.waits.store(slot.waits.get(), Ordering::Relaxed);
        self.instruction
            .store(interrupted.instruction, Ordering::Relaxed);
        let mut count = 0;
        let believed = interrupted.callers(slot.extent.get(), |address| {
            if let Some(caller) = self.callers.get(count) {
                caller.store(address, Ordering::Relaxed);
                count += 1;
            }
        });
        let count = if believed { count } else { NONE };
        self.caller_count.store(count, Ordering::Relaxed);
        Some(())
    }

    fn write_task(&self, task: &dyn Task) {
        let header = task.header();
        let bits = |id: Option<ThreadId>| id.map_or(0, ThreadId::to_bits);
        self.id.store(bits(Some(header.id())), Ordering::Relaxed);
        self.parent.store(bits(header.parent()), Ordering::Relaxed);
        let name = header.name().map(str::as_bytes);
        for (to, byte) in self.name.iter().zip(name.unwrap_or_default()) {
            to.store(*byte, Ordering::Relaxed);
        }
        let length = name.map_or(NONE, |name| name.len().min(NAME));
        self.name_length.store(length, Ordering::Relaxed);
    }

    fn read(&self) -> Option<Sample> {
        let id = |bits: &AtomicU64| ThreadId::from_bits(bits.load(Ordering::Relaxed));
        let count =
            |count: &AtomicUsize| Some(count.load(Ordering::Relaxed)).filter(|n| *n != NONE);
        let name = count(&self.name_length).map(|length| {
            let bytes = self.name[..length].iter();
            let bytes: Vec<u8> = bytes.map(|byte| byte.load(Ordering::Relaxed)).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let callers = count(&self.caller_count).map(|count| {
            let callers = self.callers[..count].iter();
            callers.map(|c| c.load(Ordering::Relaxed)).collect()
        });
        Some(Sample {
            id: id(&self.id)?,
            name,
            parent: id(&self.parent),
            waits: self.waits.load(Ordering::Relaxed),
            instruction: self.instruction.load(Ordering::Relaxed),
            callers,
        })
    }
}

/// Called on a worker's OS thread, in a signal handler.
fn look(interrupted: Interrupted) {
    let Some(worker) = Worker::current() else {
        return;
    };
    let sampler = &worker.shared.sampler;
    if sampler.stage.load(Ordering::Acquire) == ASKED {
        let written = sampler.write(worker, interrupted);
        let stage = written.map_or(NOBODY, |()| TAKEN);
        sampler.stage.store(stage, Ordering::Release);
    }
}

impl Shared {
    /// Interrupts the worker to see which green thread it is running, if any. Blocks the calling OS thread
    /// for a moment.
    pub(crate) fn sample(&self) -> Option<Sample> {
        let sampler = &self.sampler;
        let thread = sampler.thread.get()?;
        let one_at_a_time = sampler.one_at_a_time.lock();
        let _one_at_a_time = one_at_a_time.unwrap_or_else(PoisonError::into_inner);
        sampler.stage.store(ASKED, Ordering::Release);
        thread.interrupt(look);
        let end = Instant::now() + PATIENCE;
        while sampler.stage.load(Ordering::Acquire) == ASKED && Instant::now() < end {
            thread::sleep(Duration::from_micros(50));
        }
        // A handler that is late writes what nobody reads.
        match sampler.stage.swap(IDLE, Ordering::AcqRel) {
            TAKEN => sampler.read(),
            _ => None,
        }
    }
}
