//! A worker's stacks: which ones it keeps warm, and when their deep pages go back to the kernel.
//!
//! A call chain that once went deep leaves its pages behind for as long as the green thread lives,
//! which for a connection may be days. A worker that ran anything therefore sweeps, about a second
//! later, over the stacks that ran before and have been parked since, or kept for another green thread,
//! and gives back what lies below the last frame. A stack is swept once, until it runs again; a worker at
//! rest never wakes for it.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::Range;

use super::slot::{Slot, State};
use crate::context::{Pool, Stack, release};

/// Nanoseconds between sweeps.
const INTERVAL: u64 = 1_000_000_000;

/// Stacks swept at a time, so that nobody waits for it much longer than 100 µs.
const BATCH: usize = 256;

/// Slots that keep their stacks when their green threads have ended, ready for the next ones.
const WARM: usize = 256;

/// The stacks of one worker.
pub(super) struct Stacks {
    pool: &'static Pool,
    /// What a green thread gets that does not ask for more or less.
    default_size: usize,
    /// Slots of ended green threads with stacks of that size, last one on top.
    warm: RefCell<Vec<&'static Slot>>,
    /// Stacks of further ones: their pages will be given back, then they go to the pool.
    ended: RefCell<Vec<Stack>>,
    /// Green threads that ran since their last sweep.
    dirty: List,
    /// Those that the sweep in progress has yet to look at.
    sweeping: List,
    /// When the next sweep begins.
    next: Cell<Option<u64>>,
}

impl Stacks {
    pub(super) fn new(pool: &'static Pool, default_size: usize) -> Stacks {
        Stacks {
            pool,
            default_size,
            warm: RefCell::default(),
            ended: RefCell::default(),
            dirty: List::default(),
            sweeping: List::default(),
            next: Cell::new(None),
        }
    }

    /// A slot whose green thread has ended, with a stack of `size` bytes.
    pub(super) fn take_warm(&self, size: usize) -> Option<&'static Slot> {
        let is_usual = size == self.default_size;
        is_usual.then(|| self.warm.borrow_mut().pop()).flatten()
    }

    /// Keeps a slot whose green thread has ended for the next one, unless there are enough of them.
    pub(super) fn keep_warm(&self, slot: &'static Slot) -> bool {
        let mut warm = self.warm.borrow_mut();
        let keep = warm.len() < WARM && slot.extent.get().fits(self.default_size);
        if keep {
            warm.push(slot);
        }
        keep
    }

    /// A stack of at least `size` bytes.
    pub(super) fn take(&self, size: usize) -> io::Result<Stack> {
        let mut ended = self.ended.borrow_mut();
        match ended.iter().rposition(|stack| stack.extent().fits(size)) {
            Some(index) => Ok(ended.swap_remove(index)),
            None => self.pool.take(size),
        }
    }

    /// Takes back a stack.
    pub(super) fn put(&self, stack: Stack) {
        self.ended.borrow_mut().push(stack);
        if self.ended.borrow().len() >= 4 * BATCH {
            self.release_ended();
        }
    }

    /// Notes that `slot` runs.
    pub(super) fn ran(&self, slot: &'static Slot) {
        slot.ran.set(true);
        if !slot.to_be_swept.replace(true) {
            self.dirty.push(slot);
        }
    }

    /// When the worker must call [`sweep`](Stacks::sweep).
    pub(super) fn next_sweep(&self) -> Option<u64> {
        self.next.get()
    }

    /// Does some of the sweep, if it is time.
    pub(super) fn sweep(&self, now: u64) {
        match self.next.get() {
            None if self.is_clean() => {}
            None => self.next.set(Some(now + INTERVAL)),
            Some(next) if now < next => {}
            Some(_) => {
                if self.sweeping.is_empty() {
                    self.sweeping.take_all(&self.dirty);
                    self.release_ended();
                }
                self.sweep_batch();
                if self.sweeping.is_empty() {
                    self.next.set((!self.is_clean()).then_some(now + INTERVAL));
                }
            }
        }
    }

    fn is_clean(&self) -> bool {
        self.dirty.is_empty() && self.ended.borrow().is_empty()
    }

    fn sweep_batch(&self) {
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(BATCH);
        for _ in 0..BATCH {
            let Some(slot) = self.sweeping.pop() else {
                break;
            };
            let ran = slot.ran.replace(false);
            match slot.state.get() {
                State::Free => slot.to_be_swept.set(false),
                // It is active: look again next time.
                _ if ran => self.dirty.push(slot),
                State::Parked | State::Ended => {
                    slot.to_be_swept.set(false);
                    let extent = slot.extent.get();
                    ranges.push(extent.below(extent.base() - slot.depth.get() as usize));
                }
                _ => self.dirty.push(slot),
            }
        }
        release(&ranges);
    }

    fn release_ended(&self) {
        let stacks = self.ended.take();
        let ranges: Vec<_> = stacks.iter().map(|stack| stack.extent().usable()).collect();
        release(&ranges);
        stacks.into_iter().for_each(|stack| self.pool.put(stack));
    }
}

/// Slots linked by their `next_swept`.
#[derive(Default)]
struct List {
    first: Cell<Option<&'static Slot>>,
}

impl List {
    fn push(&self, slot: &'static Slot) {
        slot.next_swept.set(self.first.replace(Some(slot)));
    }

    fn pop(&self) -> Option<&'static Slot> {
        let slot = self.first.get()?;
        self.first.set(slot.next_swept.take());
        Some(slot)
    }

    fn take_all(&self, other: &List) {
        self.first.set(other.first.take());
    }

    fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }
}
