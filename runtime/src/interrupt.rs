//! What can cut a wait short: the cancellation of the green thread, and the limits of the
//! [`timeout`](crate::time::timeout) blocks around the wait.
//!
//! Both end the wait by unwinding with a private payload. They are delivered once, only at waits,
//! and not while the thread unwinds already: a destructor that waits must not be torn apart.

use std::any::Any;
use std::cell::Cell;
use std::iter;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::scheduler::Worker;
use crate::thread::Cancelled;

/// Why a wait was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    Cancelled,
    /// The limit with this identity has passed.
    Elapsed(LimitId),
}

/// Tells one `timeout` block from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitId(u64);

/// The interrupts of one thread, green or not.
#[derive(Default)]
pub(crate) struct Interrupts {
    cancelled: Cell<bool>,
    masks: Cell<u16>,
    /// Whether a wait that could not unwind was cut short, and the interrupt is still to be taken.
    owed: Cell<bool>,
    /// Whether the thread was unwinding at its last wait.
    unwinding: Cell<bool>,
    /// Whether it is an interrupt that it unwinds for, and not a panic.
    interrupted: Cell<bool>,
    /// Of the `timeout` blocks that the thread is in, innermost first.
    limits: Cell<Option<Box<Limit>>>,
    /// Whether there are any.
    limited: Cell<bool>,
}

struct Limit {
    id: LimitId,
    /// `None` once it was delivered.
    deadline: Option<Instant>,
    outer: Option<Box<Limit>>,
}

thread_local! {
    /// Those of the OS thread itself.
    static OF_THIS_THREAD: Interrupts = const { Interrupts::new() };
}

impl Interrupts {
    pub(crate) const fn new() -> Interrupts {
        Interrupts {
            cancelled: Cell::new(false),
            masks: Cell::new(0),
            owed: Cell::new(false),
            unwinding: Cell::new(false),
            interrupted: Cell::new(false),
            limits: Cell::new(None),
            limited: Cell::new(false),
        }
    }

    /// Calls `f` with the interrupts of the calling thread, green or not.
    #[inline]
    pub(crate) fn with<R>(f: impl FnOnce(&Interrupts) -> R) -> R {
        match Worker::running() {
            Some((_, slot)) => f(&slot.interrupts),
            None => {
                let mut f = Some(f);
                let known = OF_THIS_THREAD.try_with(|own| f.take().map(|f| f(own)));
                // While the thread's locals are being destroyed, it has none of its own.
                let known = known.ok().flatten();
                known.unwrap_or_else(|| {
                    f.take().expect("the thread-local did not call it")(&Interrupts::new())
                })
            }
        }
    }

    /// Asks for a cancellation at the next wait.
    pub(crate) fn cancel(&self) {
        self.cancelled.set(true);
    }

    /// Makes the interrupts those of a new green thread.
    pub(crate) fn reset(&self) {
        self.cancelled.set(false);
        self.masks.set(0);
        self.owed.set(false);
        self.unwinding.set(false);
        self.interrupted.set(false);
    }

    /// The interrupt that a wait must end with now, if any. Taking it delivers it.
    #[inline(always)]
    pub(crate) fn take(&self, now: impl FnOnce() -> Instant) -> Option<Interrupt> {
        if self.cancelled.get() || self.has_limit() {
            self.take_unless_masked(now)
                .inspect(|_| self.owed.set(false))
        } else {
            None
        }
    }

    fn take_unless_masked(&self, now: impl FnOnce() -> Instant) -> Option<Interrupt> {
        if self.is_masked() {
            return None;
        }
        if self.cancelled.take() {
            return Some(Interrupt::Cancelled);
        }
        if !self.has_limit() {
            return None;
        }
        let now = now();
        self.with_limits(|mut limit| {
            let mut passed = None;
            while let Some(this) = limit {
                if this.deadline.is_some_and(|deadline| deadline <= now) {
                    // An outer block ends the inner ones with it.
                    passed = Some((this.id, &mut this.deadline));
                }
                limit = &mut this.outer;
            }
            let (id, deadline) = passed?;
            *deadline = None;
            Some(Interrupt::Elapsed(id))
        })
    }

    /// When the next limit passes.
    #[inline(always)]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.has_limit().then(|| self.next_limit()).flatten()
    }

    fn next_limit(&self) -> Option<Instant> {
        if self.is_masked() {
            return None;
        }
        self.with_limits(|limits| {
            let all = iter::successors(limits.as_ref(), |limit| limit.outer.as_ref());
            all.filter_map(|limit| limit.deadline).min()
        })
    }

    pub(crate) fn owes(&self) -> bool {
        self.owed.get()
    }

    /// Whether the thread is inside of a `timeout` block.
    pub(crate) fn has_limit(&self) -> bool {
        self.limited.get()
    }

    pub(crate) fn push_limit(&self, deadline: Option<Instant>) -> LimitId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = LimitId(NEXT.fetch_add(1, Ordering::Relaxed));
        let outer = self.limits.take();
        let limit = Limit {
            id,
            deadline,
            outer,
        };
        self.limits.set(Some(Box::new(limit)));
        self.limited.set(true);
        id
    }

    pub(crate) fn pop_limit(&self) {
        let outer = self.limits.take().and_then(|innermost| innermost.outer);
        self.limited.set(outer.is_some());
        self.limits.set(outer);
    }

    /// Makes a limit that was delivered pass again, at once.
    fn renew(&self, id: LimitId) {
        self.with_limits(|mut limits| {
            while let Some(limit) = limits {
                if limit.id == id {
                    limit.deadline = Some(Instant::now());
                }
                limits = &mut limit.outer;
            }
        });
    }

    fn with_limits<R>(&self, f: impl FnOnce(&mut Option<Box<Limit>>) -> R) -> R {
        let mut limits = self.limits.take();
        let result = f(&mut limits);
        self.limits.set(limits);
        result
    }

    pub(crate) fn mask(&self) {
        self.masks.set(self.masks.get() + 1);
    }

    pub(crate) fn unmask(&self) {
        // Those of an OS thread whose locals are being destroyed are new at each call.
        self.masks.set(self.masks.get().saturating_sub(1));
    }

    /// The calling green thread does not unwind, nor does any other one of its worker.
    #[inline(always)]
    pub(crate) fn forget_unwinding(&self) {
        self.unwinding.set(false);
    }

    /// Whether the calling thread, whose interrupts these are, unwinds right now.
    ///
    /// `std::thread::panicking` speaks of the OS thread, where another green thread may be suspended
    /// in the middle of its unwinding. Only then is our own flag needed, which [`note_panics`] sets.
    #[inline]
    pub(crate) fn is_unwinding(&self) -> bool {
        let unwinding = std::thread::panicking()
            && (self.unwinding.get() || Worker::current().is_none_or(Worker::nobody_unwinds));
        self.unwinding.set(unwinding);
        if !unwinding {
            self.interrupted.set(false);
        }
        unwinding
    }

    /// Whether the calling thread unwinds because of a panic, not of an interrupt.
    #[inline]
    pub(crate) fn is_panicking(&self) -> bool {
        self.is_unwinding() && !self.interrupted.get()
    }

    /// Runs `f`, and catches a panic or an interrupt.
    ///
    /// As std's, but the thread knows that its unwinding has ended even while another green thread
    /// of the worker is suspended in the middle of its own.
    pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> thread::Result<R> {
        let before = Interrupts::with(|i| (i.is_unwinding(), i.interrupted.get()));
        let result = panic::catch_unwind(AssertUnwindSafe(f));
        if result.is_err() {
            Interrupts::with(|interrupts| {
                interrupts.unwinding.set(before.0);
                interrupts.interrupted.set(before.1);
            });
        }
        result
    }

    /// Whether there is an interrupt, or will be, that only a supposed unwinding puts off.
    ///
    /// That can be an error: a panic that was caught by std's means, while another green thread of
    /// the worker is suspended in the middle of its unwinding.
    pub(crate) fn is_in_doubt(&self) -> bool {
        (self.cancelled.get() || self.has_limit()) && self.masks.get() == 0 && self.is_unwinding()
    }

    fn is_masked(&self) -> bool {
        self.masks.get() > 0 || self.is_unwinding() || !can_unwind()
    }
}

/// Goes on with the panic or the interrupt that [`Interrupts::catch`] has caught.
pub(crate) fn resume(payload: Box<dyn Any + Send>) -> ! {
    Interrupts::with(|interrupts| {
        interrupts.unwinding.set(true);
        let interrupted = Interrupt::of_payload(&*payload).is_some();
        interrupts.interrupted.set(interrupted);
    });
    panic::resume_unwind(payload)
}

/// Has every panic noted for the green thread that begins to unwind for it, by the panic hook. If the
/// program sets another one in place of ours, a panic is noted only if no other green thread of the worker
/// is suspended in the middle of its own unwinding.
pub(crate) fn note_panics() {
    // std lets nobody set a hook then.
    if thread::panicking() {
        return;
    }
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if let Some((_, slot)) = Worker::running() {
            slot.interrupts.unwinding.set(true);
        }
        report(info);
    }));
}

/// Runs `f`, and unwinds for an interrupt that it leaves owed.
pub(crate) fn settling<R>(f: impl FnOnce() -> R) -> R {
    let result = f();
    let owed = |interrupts: &Interrupts| {
        let owes = interrupts.owes();
        owes.then(|| interrupts.take(Instant::now)).flatten()
    };
    if let Some(interrupt) = Interrupts::with(owed) {
        interrupt.unwind()
    }
    result
}

/// Whether unwinding is possible at all: not with `panic = "abort"`.
pub(crate) const fn can_unwind() -> bool {
    cfg!(panic = "unwind")
}

impl Interrupt {
    /// Unwinds the calling thread up to whoever handles the interrupt.
    pub(crate) fn unwind(self) -> ! {
        resume(match self {
            Interrupt::Cancelled => Box::new(Cancelled(())),
            Interrupt::Elapsed(id) => Box::new(id),
        })
    }

    /// Has the calling thread, which took the interrupt and could not unwind for it, take it again.
    pub(crate) fn give_back(self) {
        Interrupts::with(|interrupts| match self {
            Interrupt::Cancelled => interrupts.cancel(),
            Interrupt::Elapsed(id) => interrupts.renew(id),
        });
    }

    /// The same, and at the latest when the block or the thread ends that it cuts short.
    pub(crate) fn owe(self) {
        self.give_back();
        Interrupts::with(|interrupts| interrupts.owed.set(true));
    }

    /// The interrupt that a caught payload stands for.
    pub(crate) fn of_payload(payload: &(dyn Any + Send)) -> Option<Interrupt> {
        let elapsed = payload
            .downcast_ref::<LimitId>()
            .map(|id| Interrupt::Elapsed(*id));
        elapsed.or_else(|| payload.is::<Cancelled>().then_some(Interrupt::Cancelled))
    }
}

impl std::fmt::Debug for Interrupts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interrupts")
            .field("cancelled", &self.cancelled)
            .finish_non_exhaustive()
    }
}
