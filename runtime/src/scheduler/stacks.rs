//! A worker's stacks: which ones it keeps warm, and when their deep pages go back to the kernel.
//!
//! A call chain that once went deep leaves its pages behind for as long as the green thread lives,
//! which for a connection may be days. A worker that ran anything therefore sweeps, about a second
//! later, over the stacks that ran before and have been parked since, and gives back what lies below
//! the last frame. A stack is swept once, until it runs again; a worker at rest never wakes for it.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::Range;

use super::slot::{Slot, State};
use crate::context::{Pool, Stack, release};

/// Nanoseconds between sweeps.
const INTERVAL: u64 = 1_000_000_000;

/// Stacks swept at a time, so that nobody waits for it much longer than 100 µs.
const BATCH: usize = 256;

/// Ended stacks kept with their pages, ready for the next green threads.
const WARM: usize = 256;

/// The stacks of one worker.
pub(super) struct Stacks {
    pool: &'static Pool,
    /// Stacks of ended green threads, last one on top.
    warm: RefCell<Vec<Stack>>,
    /// Further ones: their pages will be given back, then they go to the pool.
    ended: RefCell<Vec<Stack>>,
    /// Green threads that ran since their last sweep.
    dirty: List,
    /// Those that the sweep in progress has yet to look at.
    sweeping: List,
    /// When the next sweep begins.
    next: Cell<Option<u64>>,
}

impl Stacks {
    pub(super) fn new(pool: &'static Pool) -> Stacks {
        Stacks {
            pool,
            warm: RefCell::default(),
            ended: RefCell::default(),
            dirty: List::default(),
            sweeping: List::default(),
            next: Cell::new(None),
        }
    }

    /// A stack of at least `size` bytes.
    pub(super) fn take(&self, size: usize) -> io::Result<Stack> {
        for list in [&self.warm, &self.ended] {
            let mut list = list.borrow_mut();
            if let Some(index) = list.iter().rposition(|stack| stack.fits(size)) {
                return Ok(list.swap_remove(index));
            }
        }
        self.pool.take(size)
    }

    /// Takes back the stack of a green thread that has ended.
    pub(super) fn put(&self, stack: Stack) {
        let mut warm = self.warm.borrow_mut();
        if warm.len() < WARM {
            return warm.push(stack);
        }
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
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for _ in 0..BATCH {
            let Some(slot) = self.sweeping.pop() else {
                break;
            };
            let ran = slot.ran.replace(false);
            match slot.state.get() {
                State::Free => slot.to_be_swept.set(false),
                // It is active: look again next time.
                _ if ran => self.dirty.push(slot),
                State::Parked => {
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
