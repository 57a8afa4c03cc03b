//! What a worker tells of its green threads when somebody asks for a dump.
//!
//! The question is a message in its inbox, so nothing is shared and nothing is locked while nobody asks.
//! It answers a few green threads at a time, in one turn of its loop after the other, so that the
//! others hardly feel it.
//!
//! A suspended green thread itself knows best what it waits for, and where it stands. So the worker resumes
//! it for a moment, and it tells ([`Worker::tell`]) and suspends itself again. What it tells it has at hand in
//! the frame of its wait, so a wait stores nothing for it; and its stack is unwound in the ordinary way, which
//! needs no frame pointers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::slot::{Slot, State};
use super::{Message, Worker};
use crate::context;
use crate::insight::Reason;
use crate::thread::ThreadId;
use crate::wait::Waiter;

/// Green threads described in one turn. Unwinding takes about 10 µs each.
const DESCRIBE: usize = 8;

/// Slots looked at in one turn.
const LOOK: usize = 4096;

/// Frames of a backtrace.
const FRAMES: usize = 64;

/// Bytes that must be left on a stack for unwinding it.
const ROOM: usize = 12 * 1024;

/// A question to all workers, and their answers.
pub(crate) struct Request {
    /// Green threads that each worker describes at most.
    limit: usize,
    asker: Waiter,
    answers: Box<[Mutex<Answer>]>,
    unanswered: AtomicUsize,
}

/// What one worker has answered so far.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) is_complete: bool,
    pub(crate) threads: Vec<Seen>,
    pub(crate) ready: usize,
    pub(crate) parked: usize,
    pub(crate) not_started: usize,
}

/// A suspended green thread.
pub(crate) struct Seen {
    pub(crate) id: ThreadId,
    pub(crate) name: Option<String>,
    pub(crate) parent: Option<ThreadId>,
    /// `None` if it could go on.
    pub(crate) wait: Option<Wait>,
    /// How many bytes of its stack are in use, and how many it has.
    pub(crate) stack: (usize, usize),
    /// The return addresses on its stack, innermost first; none if there was no room to unwind.
    pub(crate) frames: Vec<usize>,
}

/// A wait, in nanoseconds of the runtime's clock.
pub(crate) struct Wait {
    pub(crate) reason: Reason,
    pub(crate) since: u64,
    pub(crate) until: Option<u64>,
}

/// What a green thread tells of itself.
#[derive(Default)]
pub(super) struct Told {
    /// What it waits for, and since when.
    wait: Option<(Reason, u64)>,
    frames: Vec<usize>,
}

impl Request {
    pub(crate) fn new(workers: usize, limit: usize) -> Request {
        Request {
            limit,
            asker: Waiter::current(),
            answers: (0..workers).map(|_| Mutex::default()).collect(),
            unanswered: AtomicUsize::new(workers),
        }
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.unanswered.load(Ordering::Acquire) == 0
    }

    /// What the worker has answered until now.
    pub(crate) fn take_answer(&self, worker: usize) -> Answer {
        std::mem::take(&mut *self.answer(worker))
    }

    fn answer(&self, worker: usize) -> MutexGuard<'_, Answer> {
        let answer = self.answers[worker].lock();
        answer.unwrap_or_else(PoisonError::into_inner)
    }

    fn complete(&self, worker: usize) {
        self.answer(worker).is_complete = true;
        if self.unanswered.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.asker.wake();
        }
    }
}

impl Worker {
    /// Describes some of the green threads from the slot `first` on, and leaves the rest for the next turn.
    pub(super) fn show(&'static self, request: Arc<Request>, first: usize) {
        let mut answer = request.answer(self.index());
        if first == 0 {
            answer.not_started = self.not_started();
        }
        let mut described = 0;
        let mut next = first;
        while next < self.slots.len().min(first + LOOK) && described < DESCRIBE {
            let slot = self.slots.at(next);
            next += 1;
            match slot.state.get() {
                State::Parked => answer.parked += 1,
                State::Ready => answer.ready += 1,
                State::Free | State::Ended | State::Running => continue,
            }
            if answer.threads.len() < request.limit {
                answer.threads.push(self.describe(slot));
                described += 1;
            }
        }
        drop(answer);
        if next == self.slots.len() {
            return request.complete(self.index());
        }
        // The worker is awake, and reads its inbox before it sleeps.
        let _ = self.shared.inbox.push(Message::Show(request, next));
    }

    fn not_started(&self) -> usize {
        self.shared.unstarted.len()
            + self.shared.arrivals.len()
            + self.unstarted_local.borrow().len()
    }

    fn describe(&'static self, slot: &'static Slot) -> Seen {
        let told = self.ask(slot);
        // One that was woken has a reason still.
        let wait = told.wait.filter(|_| slot.state.get() == State::Parked);
        let task = slot.task();
        let header = task.header();
        Seen {
            id: header.id(),
            name: header.name().map(str::to_owned),
            parent: header.parent(),
            wait: wait.map(|(reason, since)| Wait {
                reason,
                since,
                until: self.timers.borrow().deadline(slot.index()),
            }),
            stack: (slot.depth.get() as usize, slot.extent.get().usable().len()),
            frames: told.frames,
        }
    }

    /// Resumes a suspended green thread to hear about it.
    fn ask(&'static self, slot: &'static Slot) -> Told {
        // It uses more of its stack than it did.
        self.stacks.ran(slot);
        self.asked.set(Some(slot));
        if let Some(context) = &mut *slot.context.borrow_mut() {
            context.resume(&self.exit);
        }
        self.asked.set(None);
        self.told.take()
    }

    /// Tells the worker about the calling green thread, which it has asked.
    #[cold]
    #[inline(never)]
    pub(super) fn tell(&self, slot: &Slot, wait: Option<(Reason, u64)>) {
        let stack = slot.extent.get().usable();
        let has_room = stack.len() >= slot.depth.get() as usize + ROOM;
        let frames = has_room.then(|| context::backtrace(&stack, FRAMES));
        self.told.set(Told {
            wait,
            frames: frames.unwrap_or_default(),
        });
    }
}

impl super::Runtime {
    /// Asks all workers to describe their green threads, up to `limit` each.
    pub(crate) fn ask(&self, limit: usize) -> Arc<Request> {
        let request = Arc::new(Request::new(self.workers.len(), limit));
        for worker in &self.workers {
            worker.send(Message::Show(request.clone(), 0));
        }
        request
    }
}
