//! The worker's loop: run what is ready, take in what happened, sleep when there is nothing.

use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_deque::Steal;

use super::show::Request;
use super::slot::{Slot, State};
use super::worker::{BUDGET, Local, Worker};
use super::{Message, Shared};
use crate::context::{self, Context, Progress};
use crate::fork;
use crate::insight::deadlock;
use crate::task::Task;

/// Nanoseconds that green threads may run before the worker looks at its timers and messages again, and at its
/// events if all whom the last ones woke have run.
const RUN_FOR: u64 = 100_000;

/// The same, for events whose predecessors take long.
const RUN_WITHOUT_EVENTS: u64 = 10 * RUN_FOR;

/// The most green threads that run between two looks at the clock.
const MAX_STRIDE: u32 = 32;

/// Green threads started before one that runs already gets its turn.
const START: u32 = 16;

/// Messages read in each turn.
const READ: usize = 1024;

/// Nanoseconds that a worker which was woken to look for work waits before it steals: the spawner
/// usually starts its green thread itself, which is better.
const LINGER: u64 = 50_000;

impl Worker {
    /// One turn after the other, for ever: timers and events first, then whom they woke.
    pub(super) fn run(&'static self) -> ! {
        let mut turns = 0u32;
        loop {
            turns = turns.wrapping_add(1);
            self.shared.turns.store(turns, Ordering::Relaxed);
            let now = self.look_at_clock();
            self.fire_timers(now);
            self.stacks.sweep(now);
            if !self.in_doubt.borrow().is_empty() && !std::thread::panicking() {
                self.wake_those_in_doubt();
            }
            self.ready.prefetch();
            self.run_for_a_while(now);
            if let Some((request, first)) = self.read_inbox() {
                // It may leave itself a message, for the next turn.
                self.show(request, first);
            }
            if self.has_work() {
                self.take_in_events();
            } else {
                self.sleep();
            }
        }
    }

    /// Without waiting. Those whom the last events woke run first, unless that takes long: the next ones would be
    /// served after them anyway, fewer looks at more events cost less, and what was touched to wake them is still in
    /// the CPU's cache.
    fn take_in_events(&self) {
        let now = self.now.get();
        if self.ready.has_woken_by_events() && now - self.events_taken_in.get() < RUN_WITHOUT_EVENTS
        {
            return;
        }
        self.events_taken_in.set(now);
        self.ready
            .watch_events(|| self.reactor.poll(&self.shared.reactor, super::wake));
    }

    fn look_at_clock(&self) -> u64 {
        let now = self.runtime.clock.now();
        self.now.set(now);
        now
    }

    #[cold]
    fn wake_those_in_doubt(&self) {
        for slot in self.in_doubt.take() {
            slot.in_doubt.set(false);
            self.make_ready(slot);
        }
    }

    fn has_work(&self) -> bool {
        !self.ready.is_empty() || self.has_new()
    }

    /// Whether a green thread waits to be started.
    #[inline]
    fn has_new(&self) -> bool {
        !self.unstarted.is_empty()
            || !self.shared.arrivals.is_empty()
            || !self.unstarted_local.borrow().is_empty()
    }

    /// Runs green threads: the new ones first, but never many of them in a row, and none at the
    /// beginning of a turn if one of them used the last turn up.
    fn run_for_a_while(&'static self, begin: u64) {
        let mut last_look = begin;
        let mut started = if self.new_ones_wait.take() { START } else { 0 };
        loop {
            if started < START && self.has_new() && self.start_next() {
                started += 1;
            } else if let Some(slot) = self.ready.pop() {
                started = 0;
                self.resume(slot);
            } else if started > 0 {
                started = 0;
                continue;
            } else {
                return;
            }
            let left = self.until_look.get() - 1;
            self.until_look.set(left);
            if left > 0 {
                continue;
            }
            let now = self.look_at_clock();
            self.choose_stride(now - last_look);
            if now - begin >= RUN_FOR {
                return self.new_ones_wait.set(started > 0);
            }
            last_look = now;
        }
    }

    /// Decides how many may run until the next look at the clock: more while they are quick. Slow ones
    /// are timed one by one, in the next turn, too.
    fn choose_stride(&self, elapsed: u64) {
        let slow = elapsed > RUN_FOR / 10;
        let stride = if slow {
            1
        } else {
            MAX_STRIDE.min(self.stride.get() * 2)
        };
        self.stride.set(stride);
        self.until_look.set(stride);
    }

    /// Starts a new one. The queues take turns, since a chain of spawns fills one of them for ever.
    /// Returns false if there is none.
    fn start_next(&'static self) -> bool {
        const QUEUES: u8 = 3;
        let first = self.next_queue.get();
        self.next_queue.set((first + 1) % QUEUES);
        (first..first + QUEUES).any(|queue| self.start_from(queue % QUEUES))
    }

    fn start_from(&'static self, queue: u8) -> bool {
        let arrivals = &self.shared.arrivals;
        let task = match queue {
            0 => self.unstarted.pop(),
            1 if arrivals.is_empty() => None,
            1 => succeed(|| arrivals.steal()),
            _ => return self.start_local(),
        };
        let Some(task) = task else { return false };
        self.start(task, None);
        true
    }

    fn start_local(&'static self) -> bool {
        let local = self.unstarted_local.borrow_mut().pop_front();
        let Some(Local { task, run }) = local else {
            return false;
        };
        self.start(task, Some(run));
        true
    }

    /// Gives `task` a slot with a stack, and has it run there until it first parks.
    fn start(&'static self, task: Arc<dyn Task>, local_run: Option<Box<dyn FnOnce()>>) {
        let slot = match self.slot_for(task.header().stack_size()) {
            Ok(slot) => slot,
            Err(error) => {
                log::error!("a green thread cannot start: {error}");
                task.fail(error);
                return self.count_ended();
            }
        };
        let size = slot.extent.get().size();
        self.shared.counters.stack_bytes.add(size as u64);
        slot.interrupts.reset();
        task.header().runs_at(self.ticket_of(slot));
        slot.set_task(Some(task));
        self.local_run.set(local_run);
        self.resume(slot);
    }

    /// A slot that nobody uses, with a stack of at least `size` bytes.
    fn slot_for(&'static self, size: usize) -> io::Result<&'static Slot> {
        if let Some(slot) = self.stacks.take_warm(size) {
            return Ok(slot);
        }
        let stack = self.stacks.take(size)?;
        let Some(slot) = self.slots.take() else {
            self.stacks.put(stack);
            return Err(io::Error::other(
                "a worker holds at most 4,194,304 green threads",
            ));
        };
        slot.extent.set(stack.extent());
        let host = move || self.host(slot);
        *slot.context.borrow_mut() = Some(Context::new(stack, host));
        Ok(slot)
    }

    /// The first frame of each stack: runs one green thread after the other, until the worker resumes it
    /// without one. Inlined, since each parked green thread has it on its one page.
    #[inline(always)]
    fn host(&'static self, slot: &'static Slot) {
        if context::ARE_OS_THREADS {
            self.runs_on_this_thread();
        }
        while slot.has_task() {
            match self.local_run.take() {
                Some(run) => run(),
                None => slot.task().run(),
            }
            slot.state.set(State::Ended);
            self.exit.suspend(|depth| slot.depth.set(depth as u32));
        }
    }

    #[inline(always)]
    fn resume(&'static self, slot: &'static Slot) {
        slot.state.set(State::Running);
        self.shared.counters.switches.add(1);
        self.stacks.ran(slot);
        self.budget.set(BUDGET);
        self.running.set(Some(slot));
        self.switch_to(slot);
        if slot.state.get() == State::Ended {
            self.finish(slot);
        }
    }

    #[inline(always)]
    fn switch_to(&'static self, slot: &'static Slot) -> Progress {
        let mut context = slot.context.borrow_mut();
        let context = context.as_mut().expect("a slot in use has a context");
        context.resume(&self.exit)
    }

    /// Makes the slot of a green thread that has ended ready for the next one.
    fn finish(&'static self, slot: &'static Slot) {
        self.running.set(None);
        if self.held.get() {
            fork::end_child();
        }
        slot.retire();
        let size = slot.extent.get().size();
        self.shared.counters.stack_bytes.subtract(size as u64);
        if !self.stacks.keep_warm(slot) {
            self.free(slot);
        }
        self.count_ended();
    }

    /// Takes the stack from a slot whose green thread has ended.
    #[cold]
    fn free(&'static self, slot: &'static Slot) {
        self.switch_to(slot);
        if let Some(context) = slot.context.take() {
            self.stacks.put(context.into_stack());
        }
        self.slots.put(slot);
    }

    fn count_ended(&self) {
        self.shared.counters.ended.add(1);
        self.shared.load.remove_own();
    }

    /// Reads what others have sent. Stops at the first who wants to be shown the green threads.
    pub(super) fn read_inbox(&self) -> Option<(Arc<Request>, usize)> {
        for _ in 0..READ {
            match self.shared.inbox.pop()? {
                Message::Wake(ticket) => self.wake(ticket),
                Message::Cancelled(ticket, id) => self.cancel(ticket, id),
                Message::Show(request, first) => return Some((request, first)),
                Message::Spawned(task) => {
                    let run = task.clone();
                    self.adopt(task, Box::new(move || run.run()));
                }
            }
        }
        None
    }

    pub(super) fn fire_timers(&self, now: u64) {
        while let Some(timer) = self.timers.borrow_mut().pop(now) {
            let slot = self.slots.at(timer as usize);
            slot.timer_fired.set(true);
            self.make_ready(slot);
        }
    }

    /// Blocks until an event, a message or a timer, or until there is something to steal.
    fn sleep(&self) {
        let timer = self.timers.borrow().next();
        let deadline = timer.into_iter().chain(self.stacks.next_sweep()).min();
        self.block_unless(deadline, || {
            // It may be a green thread of this worker that waits for this.
            self.runtime.tell_if_idle();
            !self.ready.is_empty() || self.runtime.has_stealable()
        });
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
    pub(super) fn block_unless(&self, deadline: Option<u64>, busy: impl FnOnce() -> bool) {
        let inbox = &self.shared.inbox;
        if inbox.doze(|| !busy()) {
            match deadline {
                Some(end) => self.block(Some(end.saturating_sub(self.runtime.clock.now()))),
                None => self.rest(),
            }
        }
        inbox.wake_up();
        if let Some(watchdog) = self.runtime.watchdog() {
            watchdog.rouse();
        }
    }

    fn block(&self, nanoseconds: Option<u64>) {
        self.ready.watch_events(|| {
            self.reactor
                .block(&self.shared.reactor, nanoseconds, super::wake);
        });
        self.events_taken_in.set(self.runtime.clock.now());
    }

    /// Blocks without a deadline: only others can end it.
    fn rest(&self) {
        self.shared.rests.fetch_add(1, Ordering::SeqCst);
        deadlock::check();
        self.block(None);
        self.shared.rests.fetch_add(1, Ordering::SeqCst);
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
        let stolen = iter::from_fn(|| succeed(one)).take(share);
        // Counted before the others can take it on: a count must not fall below zero.
        let take_on = |task| {
            self.shared.load.add_own();
            self.unstarted.push(task);
        };
        let count = stolen.map(take_on).count();
        victim.load.remove(count);
        self.shared.counters.stolen.add(count as u64);
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
