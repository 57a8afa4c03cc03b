//! A worker: an OS thread that runs green threads, waits for events and fires timers, in turn.
//!
//! Its own part ([`Worker`]) is plain cells, touched by nobody else. None of them is borrowed while
//! a green thread runs, since that green thread calls back into the worker.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::time::Instant;

use crossbeam_deque::{Injector, Worker as Deque};
use crossbeam_utils::CachePadded;

use super::inbox::Inbox;
use super::sample::Sampler;
use super::show::Told;
use super::slot::{RunQueue, Slot, Slots, State, Ticket};
use super::stacks::Stacks;
use super::{Runtime, Shared};
use crate::before_park::Hooks;
use crate::context::{self, Exit};
use crate::insight::Reason;
use crate::reactor::{Reactor, Remote};
use crate::task::Task;
use crate::thread::{LocalsOfSlots, ThreadId};
use crate::timer::Wheel;
use crate::wait::{Outcome, earlier};

/// Facade calls that a green thread may make without parking before it must let others run.
pub(super) const BUDGET: u32 = 32;

/// A worker, from its own point of view.
pub(crate) struct Worker {
    pub(super) shared: &'static Shared,
    pub(super) runtime: &'static Runtime,
    pub(super) reactor: Reactor,
    pub(super) running: Cell<Option<&'static Slot>>,
    pub(super) ready: RunQueue,
    pub(super) unstarted: Deque<Arc<dyn Task>>,
    pub(super) unstarted_local: RefCell<VecDeque<Local>>,
    pub(super) slots: Slots,
    pub(super) timers: RefCell<Wheel>,
    pub(super) stacks: Stacks,
    pub(super) exit: Exit,
    /// What the green thread that is about to start runs, if that is not in its task.
    pub(super) local_run: Cell<Option<Box<dyn FnOnce()>>>,
    /// Facade calls left to the running green thread.
    pub(super) budget: Cell<u32>,
    /// Green threads to be run between two looks at the clock.
    pub(super) stride: Cell<u32>,
    /// How many of them are left.
    pub(super) until_look: Cell<u32>,
    /// Whether the last turn was over when new ones had run, so that the ready ones are next.
    pub(super) new_ones_wait: Cell<bool>,
    /// The queue of new ones that is asked first.
    pub(super) next_queue: Cell<u8>,
    pub(super) hooks: Hooks,
    locals: LocalsOfSlots,
    /// Whether the running green thread waits in place, without switching.
    pub(super) held: Cell<bool>,
    /// Green threads that are suspended in the middle of an unwinding.
    pub(super) unwinding: Cell<usize>,
    /// Green threads to be woken once nobody unwinds: see [`Interrupts::is_in_doubt`].
    ///
    /// [`Interrupts::is_in_doubt`]: crate::interrupt::Interrupts::is_in_doubt
    pub(super) in_doubt: RefCell<Vec<&'static Slot>>,
    /// The last look at the clock.
    pub(super) now: Cell<u64>,
    /// The clock when events were last taken in.
    pub(super) events_taken_in: Cell<u64>,
    /// The green thread that is resumed only to tell about itself: see [`tell`](Worker::tell).
    pub(super) asked: Cell<Option<&'static Slot>>,
    pub(super) told: Cell<Told>,
}

/// A green thread that may not leave the worker.
pub(super) struct Local {
    pub(super) task: Arc<dyn Task>,
    pub(super) run: Box<dyn FnOnce()>,
}

/// What a worker's OS thread takes with it.
pub(super) struct Own {
    reactor: Reactor,
    unstarted: Deque<Arc<dyn Task>>,
}

thread_local! {
    static CURRENT: Cell<Option<&'static Worker>> = const { Cell::new(None) };
}

/// Makes the two parts of a worker.
pub(super) fn parts(index: usize) -> io::Result<(Own, Shared)> {
    let (reactor, remote) = Reactor::new()?;
    let unstarted = Deque::new_fifo();
    let shared = Shared::new(index, unstarted.stealer(), remote);
    Ok((Own { reactor, unstarted }, shared))
}

/// Starts a worker's OS thread.
pub(super) fn start(
    own: Own,
    shared: &'static Shared,
    runtime: &'static Runtime,
) -> io::Result<()> {
    let builder = std::thread::Builder::new().name(format!("greenwire-{}", shared.index));
    builder.spawn(move || {
        let worker: &'static Worker = Box::leak(Box::new(Worker::new(own, shared, runtime)));
        worker.runs_on_this_thread();
        shared.sampler.runs_here();
        if let Err(error) = context::guard_against_overflow(describe_running) {
            log::warn!("a stack overflow will not be reported: {error}");
        }
        worker.run()
    })?;
    Ok(())
}

/// Tells the signal handler about the green thread of the calling OS thread.
fn describe_running(report: &mut dyn FnMut(Range<usize>, Option<&str>)) {
    let Some((_, slot)) = Worker::running() else {
        return;
    };
    report(slot.extent.get().guard(), slot.task().header().name());
}

impl Shared {
    fn new(
        index: usize,
        unstarted: crossbeam_deque::Stealer<Arc<dyn Task>>,
        reactor: Remote,
    ) -> Shared {
        Shared {
            index,
            inbox: CachePadded::new(Inbox::new()),
            load: CachePadded::default(),
            unstarted,
            arrivals: Injector::new(),
            asked_to_search: AtomicBool::new(false),
            turns: AtomicU32::new(0),
            rests: AtomicU32::new(0),
            sampler: Sampler::new(),
            counters: CachePadded::default(),
            reactor,
        }
    }
}

/// For the green thread that runs.
impl Worker {
    /// The worker that the calling OS thread is, if it is one.
    #[inline]
    pub(crate) fn current() -> Option<&'static Worker> {
        CURRENT.get()
    }

    pub(super) fn runs_on_this_thread(&'static self) {
        CURRENT.set(Some(self));
    }

    /// The green thread that is calling, and its worker.
    #[inline]
    pub(crate) fn running() -> Option<(&'static Worker, &'static Slot)> {
        let worker = CURRENT.get()?;
        Some((worker, worker.running.get()?))
    }

    pub(crate) fn index(&self) -> usize {
        self.shared.index
    }

    pub(crate) fn shared(&self) -> &'static Shared {
        self.shared
    }

    pub(crate) fn ticket_of(&self, slot: &Slot) -> Ticket {
        slot.ticket(self.shared.index)
    }

    pub(crate) fn reactor(&self) -> &'static Remote {
        &self.shared.reactor
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    pub(crate) fn locals(&self) -> &LocalsOfSlots {
        &self.locals
    }

    /// Parks the running green thread. See [`wait`](crate::wait::wait).
    #[inline(always)]
    pub(crate) fn park(
        &self,
        slot: &'static Slot,
        reason: Reason,
        deadline: Option<Instant>,
    ) -> Outcome {
        slot.waits.set(slot.waits.get().wrapping_add(1));
        if !self.hooks.is_empty() {
            let waits = slot.waits.get();
            self.hooks.run(&slot.interrupts);
            // A wait in there may have taken the wake that this one is for.
            if slot.waits.get() != waits {
                return Outcome::Woken;
            }
        }
        if slot.notified.take() {
            return Outcome::Woken;
        }
        if let Some(interrupt) = slot.interrupts.take(Instant::now) {
            return Outcome::Interrupted(interrupt);
        }
        if std::thread::panicking() && slot.interrupts.is_in_doubt() && !slot.in_doubt.replace(true)
        {
            self.in_doubt.borrow_mut().push(slot);
        }
        match earlier(deadline, slot.interrupts.deadline()) {
            None => {
                self.switch_out(slot, State::Parked, Some(reason));
                Outcome::Woken
            }
            Some(until) => self.park_until(slot, reason, until, deadline),
        }
    }

    /// Parks until `until`, which is `deadline` or the limit of a block around the wait.
    fn park_until(
        &self,
        slot: &'static Slot,
        reason: Reason,
        until: Instant,
        deadline: Option<Instant>,
    ) -> Outcome {
        self.timers
            .borrow_mut()
            .arm(slot.index(), self.runtime.clock.at(until));
        self.switch_out(slot, State::Parked, Some(reason));
        if !slot.timer_fired.take() {
            self.timers.borrow_mut().cancel(slot.index());
            return Outcome::Woken;
        }
        // The limit of a block around the wait is found by the next wait.
        if deadline == Some(until) {
            Outcome::TimedOut
        } else {
            Outcome::Woken
        }
    }

    /// Parks, and leaves alone what was put off and what interrupts there are. Returns false at the deadline.
    pub(crate) fn park_bare(
        &self,
        slot: &'static Slot,
        reason: Reason,
        deadline: Option<Instant>,
    ) -> bool {
        slot.waits.set(slot.waits.get().wrapping_add(1));
        if slot.notified.take() {
            return true;
        }
        let Some(until) = deadline else {
            self.switch_out(slot, State::Parked, Some(reason));
            return true;
        };
        self.park_until(slot, reason, until, deadline) != Outcome::TimedOut
    }

    /// Lets every other green thread that is ready run first.
    #[inline(always)]
    pub(crate) fn yield_now(&self, slot: &'static Slot) {
        slot.waits.set(slot.waits.get().wrapping_add(1));
        if !self.hooks.is_empty() {
            self.hooks.run(&slot.interrupts);
        }
        if let Some(interrupt) = slot.interrupts.take(Instant::now) {
            interrupt.unwind()
        }
        self.switch_out(slot, State::Ready, None);
    }

    /// Counts a call that may complete without parking. After a number of them others get their turn.
    #[inline]
    pub(crate) fn charge(&self, slot: &'static Slot) {
        if !self.spend() {
            self.give_way(slot);
        }
    }

    #[cold]
    fn give_way(&self, slot: &'static Slot) {
        self.yield_now(slot);
    }

    /// Counts such a call. Returns false if the running green thread has none left.
    #[inline]
    pub(crate) fn spend(&self) -> bool {
        let left = self.budget.get().checked_sub(1);
        left.inspect(|left| self.budget.set(*left)).is_some()
    }

    /// Without a reason it could go on.
    #[inline(always)]
    fn switch_out(&self, slot: &'static Slot, state: State, reason: Option<Reason>) {
        if std::thread::panicking() || self.held.get() {
            return self.switch_out_carefully(slot, state, reason);
        }
        slot.interrupts.forget_unwinding();
        self.leave(slot, state, reason);
    }

    /// The same, where this green thread must not switch, or where it or another one of the worker
    /// unwinds.
    #[cold]
    fn switch_out_carefully(&self, slot: &'static Slot, state: State, reason: Option<Reason>) {
        if self.held.get() {
            return self.wait_in_place(slot, state);
        }
        let unwinding = usize::from(slot.interrupts.is_unwinding());
        self.unwinding.set(self.unwinding.get() + unwinding);
        self.leave(slot, state, reason);
        self.unwinding.set(self.unwinding.get() - unwinding);
    }

    /// Leaves the running green thread, parked or ready. Returns when it goes on.
    #[inline(always)]
    fn leave(&self, slot: &'static Slot, state: State, reason: Option<Reason>) {
        slot.state.set(state);
        self.running.set(None);
        if state == State::Ready {
            self.ready.push(slot);
        } else {
            self.shared.counters.parked.add(1);
        }
        let since = self.now.get();
        // It is suspended nowhere else: what lies below this frame may be gone when it is resumed.
        loop {
            self.exit.suspend(|depth| slot.depth.set(depth as u32));
            match self.asked.get() {
                Some(asked) => self.tell(asked, reason.map(|reason| (reason, since))),
                None => return,
            }
        }
    }

    /// Whether no other green thread of this worker is suspended while it unwinds.
    pub(crate) fn nobody_unwinds(&self) -> bool {
        self.unwinding.get() == 0
    }
}

/// For whoever wakes and spawns on this worker.
impl Worker {
    /// Makes a parked green thread ready. A ticket of one that has ended is ignored.
    #[inline]
    pub(crate) fn wake(&self, ticket: Ticket) {
        if let Some(slot) = self.slots.get(ticket) {
            self.make_ready(slot);
        }
    }

    /// Delivers a cancellation.
    pub(crate) fn cancel(&self, ticket: Ticket, id: ThreadId) {
        let Some(slot) = self.slots.get(ticket) else {
            return;
        };
        let is_it = slot.task().header().id() == id;
        if is_it {
            slot.interrupts.cancel();
            self.make_ready(slot);
        }
    }

    /// Adds a green thread that has not started.
    pub(crate) fn spawn(&self, task: Arc<dyn Task>) {
        self.shared.load.add_own();
        self.unstarted.push(task);
        self.runtime.wake_a_searcher();
    }

    /// Adds one that must not leave this worker.
    pub(crate) fn spawn_local(&self, task: Arc<dyn Task>, run: Box<dyn FnOnce()>) {
        self.shared.counters.spawned.add(1);
        self.shared.load.add_own();
        self.adopt(task, run);
    }

    /// Takes in one that must not leave this worker, and that was counted already.
    pub(super) fn adopt(&self, task: Arc<dyn Task>, run: Box<dyn FnOnce()>) {
        self.unstarted_local
            .borrow_mut()
            .push_back(Local { task, run });
    }

    #[inline]
    pub(super) fn make_ready(&self, slot: &'static Slot) {
        match slot.state.get() {
            State::Parked => {
                slot.state.set(State::Ready);
                self.ready.push(slot);
                self.shared.counters.parked.subtract(1);
            }
            State::Running => slot.notified.set(true),
            State::Ready | State::Free | State::Ended => {}
        }
    }
}

impl Worker {
    fn new(own: Own, shared: &'static Shared, runtime: &'static Runtime) -> Worker {
        Worker {
            shared,
            runtime,
            reactor: own.reactor,
            running: Cell::new(None),
            ready: RunQueue::default(),
            unstarted: own.unstarted,
            unstarted_local: RefCell::default(),
            slots: Slots::new(),
            timers: RefCell::new(Wheel::new()),
            stacks: Stacks::new(&runtime.stacks, runtime.stack_size),
            exit: Exit::new(),
            local_run: Cell::new(None),
            budget: Cell::new(BUDGET),
            stride: Cell::new(1),
            until_look: Cell::new(1),
            new_ones_wait: Cell::new(false),
            next_queue: Cell::new(0),
            hooks: Hooks::default(),
            locals: LocalsOfSlots::default(),
            held: Cell::new(false),
            unwinding: Cell::new(0),
            in_doubt: RefCell::default(),
            now: Cell::new(0),
            events_taken_in: Cell::new(0),
            asked: Cell::new(None),
            told: Cell::default(),
        }
    }
}
