//! A worker: an OS thread that runs green threads, waits for events and fires timers, in turn.
//!
//! Its own part ([`Worker`]) is plain cells, touched by nobody else. None of them is borrowed while
//! a green thread runs, since that green thread calls back into the worker.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crossbeam_deque::{Injector, Steal, Worker as Deque};
use crossbeam_utils::CachePadded;

use super::inbox::Inbox;
use super::slot::{RunQueue, Slot, Slots, State, Ticket};
use super::stacks::Stacks;
use super::{Message, Runtime, Shared};
use crate::before_park::Hooks;
use crate::context::{self, Context, Progress};
use crate::reactor::{Reactor, Remote};
use crate::task::Task;
use crate::thread::ThreadId;
use crate::timer::Wheel;
use crate::wait::{Outcome, earlier};

/// Nanoseconds that green threads may run before the worker looks at its events again.
const RUN_FOR: u64 = 100_000;

/// Green threads resumed between two looks at the clock, while they are quick.
const STRIDE: u32 = 8;

/// Green threads started, and messages read, before the ones that run already get their turn.
const START: usize = 64;
const READ: usize = 1024;

/// Facade calls that a green thread may make without parking before it must let others run.
const BUDGET: u32 = 128;

/// Nanoseconds that a worker which was woken to look for work waits before it steals: the spawner
/// usually starts its green thread itself, which is better.
const LINGER: u64 = 50_000;

/// A worker, from its own point of view.
pub(crate) struct Worker {
    shared: &'static Shared,
    runtime: &'static Runtime,
    reactor: Reactor,
    running: Cell<Option<&'static Slot>>,
    ready: RunQueue,
    unstarted: Deque<Arc<dyn Task>>,
    unstarted_local: RefCell<VecDeque<Local>>,
    slots: Slots,
    timers: RefCell<Wheel>,
    stacks: Stacks,
    /// Facade calls left to the running green thread.
    budget: Cell<u32>,
    hooks: Hooks,
    /// Green threads that are suspended in the middle of an unwinding.
    unwinding: Cell<usize>,
}

/// A green thread that may not leave the worker.
struct Local {
    task: Arc<dyn Task>,
    run: Box<dyn FnOnce()>,
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
        CURRENT.set(Some(worker));
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
    slot.with_task(|task| {
        let name = task.and_then(|task| task.header().name());
        report(slot.extent.get().guard(), name);
    });
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
            live: CachePadded::new(AtomicUsize::new(0)),
            unstarted,
            arrivals: Injector::new(),
            asked_to_search: AtomicBool::new(false),
            reactor,
        }
    }
}

/// For the green thread that runs.
impl Worker {
    /// The worker that the calling OS thread is, if it is one.
    pub(crate) fn current() -> Option<&'static Worker> {
        CURRENT.get()
    }

    /// The green thread that is calling, and its worker.
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

    /// Parks the running green thread. See [`wait`](crate::wait::wait).
    pub(crate) fn park(&self, slot: &'static Slot, deadline: Option<Instant>) -> Outcome {
        self.hooks.run();
        if slot.notified.take() {
            return Outcome::Woken;
        }
        if let Some(interrupt) = slot.interrupts.take(Instant::now) {
            return Outcome::Interrupted(interrupt);
        }
        let Some(until) = earlier(deadline, slot.interrupts.deadline()) else {
            self.switch_out(slot, State::Parked);
            return Outcome::Woken;
        };
        self.timers
            .borrow_mut()
            .arm(slot.index(), self.runtime.clock.at(until));
        self.switch_out(slot, State::Parked);
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

    /// Lets every other green thread that is ready run first.
    pub(crate) fn yield_now(&self, slot: &'static Slot) {
        self.hooks.run();
        if let Some(interrupt) = slot.interrupts.take(Instant::now) {
            interrupt.unwind()
        }
        self.ready.push(slot);
        self.switch_out(slot, State::Ready);
    }

    /// Counts a call that may complete without parking. After a number of them others get their turn.
    pub(crate) fn charge(&self, slot: &'static Slot) {
        match self.budget.get().checked_sub(1) {
            Some(left) => self.budget.set(left),
            None => self.yield_now(slot),
        }
    }

    fn switch_out(&self, slot: &'static Slot, state: State) {
        let unwinding = usize::from(std::thread::panicking() && slot.interrupts.is_unwinding());
        self.unwinding.set(self.unwinding.get() + unwinding);
        slot.state.set(state);
        slot.depth
            .set((slot.extent.get().base() - context::stack_mark()) as u32);
        self.running.set(None);
        context::suspend();
        self.unwinding.set(self.unwinding.get() - unwinding);
    }

    /// Whether no other green thread of this worker is suspended while it unwinds.
    pub(crate) fn nobody_unwinds(&self) -> bool {
        self.unwinding.get() == 0
    }
}

/// For whoever wakes and spawns on this worker.
impl Worker {
    /// Makes a parked green thread ready. A ticket of one that has ended is ignored.
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
        let is_it = slot.with_task(|task| task.is_some_and(|task| task.header().id() == id));
        if is_it {
            slot.interrupts.cancel();
            self.make_ready(slot);
        }
    }

    /// Adds a green thread that has not started.
    pub(crate) fn spawn(&self, task: Arc<dyn Task>) {
        self.shared.live.fetch_add(1, Ordering::Relaxed);
        self.unstarted.push(task);
        self.runtime.wake_a_searcher();
    }

    /// Adds one that must not leave this worker.
    pub(crate) fn spawn_local(&self, task: Arc<dyn Task>, run: Box<dyn FnOnce()>) {
        self.shared.live.fetch_add(1, Ordering::Relaxed);
        self.unstarted_local
            .borrow_mut()
            .push_back(Local { task, run });
    }

    fn make_ready(&self, slot: &'static Slot) {
        match slot.state.get() {
            State::Parked => {
                slot.state.set(State::Ready);
                self.ready.push(slot);
            }
            State::Running => slot.notified.set(true),
            State::Ready | State::Free => {}
        }
    }
}

/// The loop.
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
            stacks: Stacks::new(&runtime.stacks),
            budget: Cell::new(BUDGET),
            hooks: Hooks::default(),
            unwinding: Cell::new(0),
        }
    }

    fn run(&'static self) -> ! {
        loop {
            self.run_ready();
            self.start_some();
            self.read_inbox();
            let now = self.runtime.clock.now();
            self.fire_timers(now);
            self.stacks.sweep(now);
            if self.has_work() {
                self.poll();
            } else {
                self.sleep();
            }
        }
    }

    fn has_work(&self) -> bool {
        !self.ready.is_empty()
            || self.shared.has_stealable()
            || !self.unstarted_local.borrow().is_empty()
    }

    /// Runs what is ready, and what becomes ready meanwhile, for a while.
    fn run_ready(&'static self) {
        let Some(mut slot) = self.next_ready() else {
            return;
        };
        let begin = self.runtime.clock.now();
        let mut last_look = begin;
        let mut stride = STRIDE;
        loop {
            self.resume(slot);
            stride -= 1;
            if stride == 0 {
                let now = self.runtime.clock.now();
                if now - begin >= RUN_FOR {
                    return;
                }
                // Slow ones are timed one by one.
                stride = if now - last_look > RUN_FOR / 10 {
                    1
                } else {
                    STRIDE
                };
                last_look = now;
            }
            let Some(next) = self.next_ready() else {
                return;
            };
            slot = next;
        }
    }

    fn next_ready(&self) -> Option<&'static Slot> {
        self.ready.pop()
    }

    fn start_some(&'static self) {
        let locals = self.unstarted_local.borrow().len().min(START);
        for _ in 0..locals {
            let Some(Local { task, run }) = self.unstarted_local.borrow_mut().pop_front() else {
                break;
            };
            self.start(task, run);
        }
        for _ in 0..START {
            let Some(task) = self.next_unstarted() else {
                break;
            };
            let run = task.clone();
            self.start(task, move || run.run());
        }
    }

    fn next_unstarted(&self) -> Option<Arc<dyn Task>> {
        self.unstarted
            .pop()
            .or_else(|| succeed(|| self.shared.arrivals.steal()))
    }

    /// Gives `task` a slot and a stack, and runs it until it first parks.
    fn start(&'static self, task: Arc<dyn Task>, run: impl FnOnce() + 'static) {
        let slot = match self.room_for(&task) {
            Ok((slot, stack)) => {
                slot.extent.set(stack.extent());
                slot.context.set(Some(Context::new(stack, run)));
                slot
            }
            Err(error) => {
                log::error!("a green thread cannot start: {error}");
                self.shared.live.fetch_sub(1, Ordering::Relaxed);
                return task.fail(error);
            }
        };
        slot.interrupts.reset();
        task.header().runs_at(self.ticket_of(slot));
        slot.task.set(Some(task));
        self.resume(slot);
    }

    fn room_for(&self, task: &Arc<dyn Task>) -> io::Result<(&'static Slot, context::Stack)> {
        let stack = self.stacks.take(task.header().stack_size())?;
        match self.slots.take() {
            Some(slot) => Ok((slot, stack)),
            None => {
                self.stacks.put(stack);
                Err(io::Error::other(
                    "a worker holds at most 4,194,304 green threads",
                ))
            }
        }
    }

    fn resume(&self, slot: &'static Slot) {
        slot.state.set(State::Running);
        self.stacks.ran(slot);
        self.budget.set(BUDGET);
        self.running.set(Some(slot));
        let mut context = slot.context.take().expect("a slot in use has a context");
        match context.resume() {
            Progress::Suspended => slot.context.set(Some(context)),
            Progress::Finished => self.finish(slot, context),
        }
    }

    fn finish(&self, slot: &'static Slot, context: Context) {
        self.running.set(None);
        self.stacks.put(context.into_stack());
        drop(slot.task.take());
        self.slots.put(slot);
        self.shared.live.fetch_sub(1, Ordering::Relaxed);
    }

    fn read_inbox(&self) {
        for _ in 0..READ {
            match self.shared.inbox.pop() {
                None => return,
                Some(Message::Wake(ticket)) => self.wake(ticket),
                Some(Message::Cancelled(ticket, id)) => self.cancel(ticket, id),
            }
        }
    }

    fn fire_timers(&self, now: u64) {
        while let Some(timer) = self.timers.borrow_mut().pop(now) {
            let slot = self.slots.at(timer as usize);
            slot.timer_fired.set(true);
            self.make_ready(slot);
        }
    }

    /// Takes in the events that are there.
    fn poll(&self) {
        self.reactor.poll(&self.shared.reactor, super::wake);
    }

    /// Blocks until an event, a message or a timer, or until there is something to steal.
    fn sleep(&self) {
        let timer = self.timers.borrow().next();
        let deadline = timer.into_iter().chain(self.stacks.next_sweep()).min();
        self.block_unless(deadline, || self.runtime.has_stealable());
        if self.shared.asked_to_search.swap(false, Ordering::SeqCst) {
            self.search();
            self.runtime.search_ended();
        } else if self.runtime.has_stealable() {
            self.search();
        }
    }

    /// Steals, if after a moment there still is something to steal and nothing else to do.
    fn search(&self) {
        if !self.has_work() {
            let moment = self.runtime.clock.now() + LINGER;
            self.block_unless(Some(moment), || false);
        }
        if !self.has_work() {
            self.steal();
        }
    }

    /// Blocks, unless there are messages or `busy` says that there is work.
    fn block_unless(&self, deadline: Option<u64>, busy: impl FnOnce() -> bool) {
        let inbox = &self.shared.inbox;
        if inbox.doze(|| !busy()) {
            let timeout = deadline.map(|end| end.saturating_sub(self.runtime.clock.now()));
            self.reactor
                .block(&self.shared.reactor, timeout, super::wake);
        }
        inbox.wake_up();
    }

    /// Takes half of the green threads that have not started from another worker.
    fn steal(&self) {
        let workers = &self.runtime.workers;
        let mut others =
            (1..workers.len()).map(|step| &workers[(self.index() + step) % workers.len()]);
        others.any(|victim| self.steal_from(victim));
    }

    fn steal_from(&self, victim: &Shared) -> bool {
        let share = (victim.unstarted.len() + victim.arrivals.len()).div_ceil(2);
        let one = || victim.unstarted.steal().or_else(|| victim.arrivals.steal());
        let stolen = std::iter::from_fn(|| succeed(one)).take(share);
        let count = stolen.map(|task| self.unstarted.push(task)).count();
        victim.live.fetch_sub(count, Ordering::Relaxed);
        self.shared.live.fetch_add(count, Ordering::Relaxed);
        count > 0
    }
}

/// Repeats a steal that came into another's way.
fn succeed<T>(steal: impl Fn() -> Steal<T>) -> Option<T> {
    loop {
        match steal() {
            Steal::Success(task) => return Some(task),
            Steal::Empty => return None,
            Steal::Retry => {}
        }
    }
}
