//! The table of a worker's green threads: a slot for each, reused when it ends.
//!
//! Slots are never freed and belong to one worker, so they are plain cells: what happens to a green
//! thread happens on its own worker. Other OS threads only know its [`Ticket`].

use std::cell::{Cell, Ref, RefCell};
use std::ptr;
use std::sync::Arc;

use crate::context::{Context, Extent, Table, prefetch};
use crate::interrupt::Interrupts;
use crate::task::Task;

/// The stacks that are fetched ahead: about as many as run in a turn, if each makes two system calls.
const AHEAD: usize = 16;

/// Names a started green thread, to wake it. Only a hint: it may have ended long ago, which waking
/// it survives, and a wake may come without a reason, which every waiter checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Ticket {
    /// worker (8) | slot (22) | sequence (16)
    pub(crate) const BITS: u32 = 46;
    const SLOT_BITS: u32 = 22;
    const SEQUENCE_BITS: u32 = 16;

    pub(crate) const MAX_WORKERS: usize =
        1 << (Ticket::BITS - Ticket::SLOT_BITS - Ticket::SEQUENCE_BITS);
    const MAX_SLOTS: usize = 1 << Ticket::SLOT_BITS;

    fn new(worker: usize, slot: u32, sequence: u16) -> Ticket {
        let worker = (worker as u64) << (Ticket::SLOT_BITS + Ticket::SEQUENCE_BITS);
        Ticket(worker | u64::from(slot) << Ticket::SEQUENCE_BITS | u64::from(sequence))
    }

    pub(crate) fn from_bits(bits: u64) -> Ticket {
        Ticket(bits)
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn worker(self) -> usize {
        (self.0 >> (Ticket::SLOT_BITS + Ticket::SEQUENCE_BITS)) as usize
    }

    fn slot(self) -> usize {
        (self.0 >> Ticket::SEQUENCE_BITS) as usize % Ticket::MAX_SLOTS
    }

    fn sequence(self) -> u16 {
        self.0 as u16
    }
}

/// What a green thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody's: the slot is free.
    Free,
    /// The green thread has ended. The slot is nobody's, but keeps a stack for the next one.
    Ended,
    /// In the run queue.
    Ready,
    Running,
    Parked,
}

/// A green thread that has started, from its worker's point of view.
pub(crate) struct Slot {
    index: u32,
    sequence: Cell<u16>,
    pub(super) state: Cell<State>,
    /// A wake came while it was running: its next wait returns at once.
    pub(super) notified: Cell<bool>,
    /// How many waits and yields it has begun.
    pub(super) waits: Cell<u32>,
    /// Whether it stands in the worker's list of those in doubt.
    pub(super) in_doubt: Cell<bool>,
    /// Whether its last wait was ended by its timer.
    pub(super) timer_fired: Cell<bool>,
    /// Whether it ran since the last sweep of stacks.
    pub(super) ran: Cell<bool>,
    /// The next one in the run queue.
    next_ready: Cell<Option<&'static Slot>>,
    /// Whether its stack is among those to be swept, and the next one of them.
    pub(super) to_be_swept: Cell<bool>,
    pub(super) next_swept: Cell<Option<&'static Slot>>,
    /// How many bytes of its stack were in use when it last switched out.
    pub(super) depth: Cell<u32>,
    pub(super) extent: Cell<Extent>,
    /// Borrowed by the worker while the green thread runs, and by nobody else.
    pub(super) context: RefCell<Option<Context>>,
    /// Borrowed by the green thread's first frame.
    task: RefCell<Option<Arc<dyn Task>>>,
    pub(crate) interrupts: Interrupts,
}

impl Slot {
    fn new(index: u32) -> Slot {
        Slot {
            index,
            sequence: Cell::new(0),
            state: Cell::new(State::Free),
            notified: Cell::new(false),
            waits: Cell::new(0),
            in_doubt: Cell::new(false),
            timer_fired: Cell::new(false),
            ran: Cell::new(false),
            next_ready: Cell::new(None),
            to_be_swept: Cell::new(false),
            next_swept: Cell::new(None),
            depth: Cell::new(0),
            extent: Cell::default(),
            context: RefCell::new(None),
            task: RefCell::new(None),
            interrupts: Interrupts::new(),
        }
    }

    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    pub(crate) fn waits(&self) -> u32 {
        self.waits.get()
    }

    pub(super) fn ticket(&self, worker: usize) -> Ticket {
        Ticket::new(worker, self.index, self.sequence.get())
    }

    /// The green thread's task. Only for a slot in use.
    pub(crate) fn task(&self) -> Ref<'_, Arc<dyn Task>> {
        Ref::map(self.task.borrow(), |task| {
            task.as_ref().expect("a slot in use has a task")
        })
    }

    /// The same, for a signal handler: `None` rather than a panic.
    pub(super) fn try_task(&self) -> Option<Ref<'_, Arc<dyn Task>>> {
        let task = self.task.try_borrow().ok()?;
        Ref::filter_map(task, Option::as_ref).ok()
    }

    pub(super) fn set_task(&self, task: Option<Arc<dyn Task>>) {
        self.task.replace(task);
    }

    pub(super) fn has_task(&self) -> bool {
        self.task.borrow().is_some()
    }

    /// The green thread has ended: from now on nobody has a ticket for the slot.
    pub(super) fn retire(&self) {
        self.set_task(None);
        self.sequence.set(self.sequence.get().wrapping_add(1));
        self.notified.set(false);
    }
}

/// The run queue: green threads that can go on, first come, first served. The links are in the slots,
/// so it never allocates.
#[derive(Default)]
pub(super) struct RunQueue {
    first: Cell<Option<&'static Slot>>,
    last: Cell<Option<&'static Slot>>,
    /// The last one of those whom the newest events woke, until it is taken out.
    last_of_events: Cell<Option<&'static Slot>>,
}

impl RunQueue {
    /// Adds a slot, which must not be in the queue.
    pub(super) fn push(&self, slot: &'static Slot) {
        match self.last.replace(Some(slot)) {
            Some(last) => last.next_ready.set(Some(slot)),
            None => self.first.set(Some(slot)),
        }
    }

    /// Takes the first one out. What the next two need first is fetched into the CPU's cache meanwhile:
    /// the stack of one, the slot of the other.
    pub(super) fn pop(&self) -> Option<&'static Slot> {
        let slot = self.first.get()?;
        let next = slot.next_ready.take();
        self.first.set(next);
        match next {
            Some(next) => {
                let (extent, depth) = (next.extent.get(), next.depth.get() as usize);
                extent.prefetch(depth);
                if self.has_woken_by_events() {
                    extent.prefetch_frames(depth);
                }
                if let Some(after) = next.next_ready.get() {
                    prefetch(ptr::from_ref(after).addr());
                }
            }
            None => self.last.set(None),
        }
        if is(slot, self.last_of_events.get()) {
            self.last_of_events.set(None);
        }
        Some(slot)
    }

    /// Calls `take_in`, which takes events in, and remembers whom it pushes.
    pub(super) fn watch_events(&self, take_in: impl FnOnce()) {
        let last = self.last.get();
        take_in();
        let woken = self.last.get().filter(|&now| !is(now, last));
        self.last_of_events.set(woken);
    }

    /// Whether some of those whom the newest events woke are still in the queue.
    pub(super) fn has_woken_by_events(&self) -> bool {
        self.last_of_events.get().is_some()
    }

    /// Fetches the stacks of the first few into the CPU's cache. A stack has pages of its own, whose
    /// addresses the CPU looks up in tables that lie in memory, too; it does so for several at a time.
    pub(super) fn prefetch(&self) {
        let mut next = self.first.get();
        for _ in 0..AHEAD {
            let Some(slot) = next else { return };
            slot.extent.get().prefetch(slot.depth.get() as usize);
            next = slot.next_ready.get();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }
}

fn is(slot: &Slot, other: Option<&Slot>) -> bool {
    other.is_some_and(|other| ptr::eq(slot, other))
}

/// All slots of a worker, which lives as long as the process.
pub(super) struct Slots {
    table: &'static Table<Slot, { Ticket::MAX_SLOTS }>,
    free: RefCell<Vec<u32>>,
}

impl Slots {
    pub(super) fn new() -> Slots {
        Slots {
            table: Box::leak(Box::new(Table::new())),
            free: RefCell::new(Vec::new()),
        }
    }

    /// A free slot, or `None` if the table is full (four million).
    pub(super) fn take(&self) -> Option<&'static Slot> {
        let index = match self.free.borrow_mut().pop() {
            Some(index) => index as usize,
            None => self.table.push(Slot::new(self.len() as u32))?,
        };
        Some(self.at(index))
    }

    /// Takes back a slot without a stack.
    pub(super) fn put(&self, slot: &'static Slot) {
        slot.state.set(State::Free);
        self.free.borrow_mut().push(slot.index);
    }

    /// The green thread that `ticket` was made for, if it lives.
    pub(super) fn get(&self, ticket: Ticket) -> Option<&'static Slot> {
        let slot = self.at(ticket.slot());
        (slot.sequence.get() == ticket.sequence()).then_some(slot)
    }

    pub(super) fn at(&self, index: usize) -> &'static Slot {
        &self.table[index]
    }

    /// How many there are, free ones included.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}
