//! Tasks: what a spawned closure, its green thread and its handles share.
//!
//! One allocation holds the closure (but for one that must stay on its worker), later its result, and
//! the header through which others reach the thread. The closure runs, and everything of it is dropped, on its own green thread.

#[expect(
    unsafe_code,
    reason = "a value that passes from one thread to another with one locked instruction"
)]
mod handover;

use std::io;
use std::mem;
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use crate::interrupt::{Interrupt, Interrupts, settling};
use crate::os_thread::Parker;
use crate::scheduler::{self, Ticket};
use crate::thread::{ThreadId, end_locals, forget_locals, no_cancel};
use crate::wait::Waiter;

use handover::{Handover, Runner};

/// What others know of a thread.
pub(crate) struct Header {
    id: ThreadId,
    name: Option<Box<str>>,
    stack_size: usize,
    /// `None` for an OS thread that the runtime did not make.
    origin: Option<Origin>,
    /// The ticket plus one, or 0 while not started (and for an OS thread).
    place: AtomicU64,
    /// Of the OS thread that runs it, in place of a ticket.
    os_thread: OnceLock<Arc<Parker>>,
    /// The token of `park` and `unpark`.
    token: AtomicBool,
    cancelled: AtomicBool,
}

/// Who spawned a thread, and where.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) parent: ThreadId,
    pub(crate) place: &'static Location<'static>,
}

impl Header {
    #[inline(always)]
    pub(crate) fn new(name: Option<String>, stack_size: usize, origin: Option<Origin>) -> Header {
        Header {
            id: ThreadId::next(),
            name: name.map(String::into_boxed_str),
            stack_size,
            origin,
            place: AtomicU64::new(0),
            os_thread: OnceLock::new(),
            token: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
        }
    }

    /// The header of the calling OS thread.
    pub(crate) fn of_this_thread() -> Header {
        let header = Header::new(thread::current().name().map(str::to_owned), 0, None);
        header.runs_on_this_thread();
        header
    }

    pub(crate) fn id(&self) -> ThreadId {
        self.id
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Who spawned it. `None` for an OS thread that the runtime did not make.
    pub(crate) fn parent(&self) -> Option<ThreadId> {
        self.origin.map(|origin| origin.parent)
    }

    pub(crate) fn stack_size(&self) -> usize {
        self.stack_size
    }

    pub(crate) fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// The thread has begun to run as the green thread of `ticket`.
    ///
    /// Sequentially consistent, as are `unpark` and `cancel`: either they see the place, or the
    /// thread sees what they left for it.
    pub(crate) fn runs_at(&self, ticket: Ticket) {
        self.place.store(ticket.to_bits() + 1, Ordering::SeqCst);
    }

    /// The thread has begun to run as the calling OS thread.
    pub(crate) fn runs_on_this_thread(&self) {
        let _ = self.os_thread.set(Parker::current());
    }

    pub(crate) fn is_os_thread(&self) -> bool {
        self.os_thread.get().is_some()
    }

    pub(crate) fn unpark(&self) {
        self.token.store(true, Ordering::SeqCst);
        match self.ticket() {
            Some(ticket) => scheduler::wake(ticket),
            None => {
                if let Some(parker) = self.os_thread.get() {
                    parker.unpark();
                }
            }
        }
    }

    pub(crate) fn take_token(&self) -> bool {
        self.token.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        if let Some(ticket) = self.ticket() {
            scheduler::notify_cancelled(ticket, self.id);
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    fn ticket(&self) -> Option<Ticket> {
        self.place
            .load(Ordering::SeqCst)
            .checked_sub(1)
            .map(Ticket::from_bits)
    }
}

/// A task whose closure and result types are forgotten.
pub(crate) trait Task: Send + Sync {
    fn header(&self) -> &Header;

    /// Runs the closure to its end on the calling thread. Never unwinds.
    fn run(&self);

    /// Ends the task without running it: its thread could not be made. Never unwinds.
    fn fail(&self, error: io::Error);
}

/// A task whose closure type is forgotten.
pub(crate) trait Join<T>: Task {
    /// Takes the result. If it is not there yet, the caller will be woken when it is.
    fn try_join(&self) -> Option<thread::Result<T>>;

    /// The caller of `try_join` does not wait any longer.
    fn forget_joiner(&self);

    fn is_finished(&self) -> bool;

    /// Whether the result was taken, or is not wanted.
    fn is_joined(&self) -> bool;

    /// Calls `f` once the thread has ended, after those given before.
    fn on_finish(&self, f: Callback);

    /// Nobody will ask for the result: it is dropped where the closure ran.
    fn detach(&self);
}

/// What is called when a thread has ended.
pub(crate) type Callback = Box<dyn FnOnce() + Send>;

/// The closure `F` of a thread and its result `T`.
pub(crate) struct Spawned<F, T> {
    header: Header,
    handover: Handover<F, thread::Result<T>>,
    /// Boxed, since most threads have none.
    listeners: Mutex<Option<Box<Listeners>>>,
}

/// Those beside a green joiner who want to know of the end.
#[derive(Default)]
struct Listeners {
    joiner: Option<Waiter>,
    callbacks: Vec<Callback>,
}

impl<F, T> Spawned<F, T> {
    #[inline(always)]
    pub(crate) fn new(header: Header, closure: F) -> Arc<Spawned<F, T>> {
        Spawned::with(header, Handover::new(closure))
    }

    #[inline(always)]
    fn with(header: Header, handover: Handover<F, thread::Result<T>>) -> Arc<Spawned<F, T>> {
        Arc::new(Spawned {
            header,
            handover,
            listeners: Mutex::new(None),
        })
    }

    /// Runs `closure` as this task's. A thread cancelled before its start only drops it.
    fn run_closure(&self, runner: Runner<F, thread::Result<T>>, closure: impl FnOnce() -> T) {
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            if self.header.is_cancelled() {
                // The same cancellation may come as a message, too, and find a destructor that waits.
                no_cancel(|| drop(closure));
                Interrupt::Cancelled.unwind()
            }
            settling(closure)
        }));
        end_locals();
        scheduler::run_hooks();
        self.finish(runner, result);
        // A destructor of the result may have put something off, or made locals.
        forget_locals();
        scheduler::run_hooks();
    }

    #[inline]
    fn finish(&self, runner: Runner<F, thread::Result<T>>, result: thread::Result<T>) {
        let end = runner.finish(result);
        if let Some(joiner) = end.joiner {
            scheduler::wake(joiner);
        }
        if end.is_heard {
            self.tell_listeners();
        }
        if end.unwanted.is_some() {
            drop_quietly(end.unwanted);
        }
    }

    fn tell_listeners(&self) {
        let Some(listeners) = self.listeners().take() else {
            return;
        };
        if let Some(joiner) = listeners.joiner {
            joiner.wake();
        }
        listeners.callbacks.into_iter().for_each(undisturbed);
    }

    /// Has a listener told of the end. Gives it back if the thread has ended.
    fn listen<L>(&self, listener: L, add: impl FnOnce(&mut Listeners, L)) -> Option<L> {
        let mut listeners = self.listeners();
        if !self.handover.listen() {
            return Some(listener);
        }
        add(listeners.get_or_insert_default(), listener);
        None
    }

    /// Has the caller woken at the end. Returns false if the thread has ended.
    #[inline]
    fn announce(&self, joiner: Waiter) -> bool {
        match joiner {
            Waiter::Green(ticket) => self.handover.announce(Some(ticket)),
            Waiter::Os(_) => {
                let add = |listeners: &mut Listeners, joiner| listeners.joiner = Some(joiner);
                self.listen(joiner, add).is_none()
            }
        }
    }

    fn listeners(&self) -> MutexGuard<'_, Option<Box<Listeners>>> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Spawned<fn() -> T, T> {
    /// A task whose closure cannot leave the worker: the closure runs the task when it is called.
    pub(crate) fn local(
        header: Header,
        closure: impl FnOnce() -> T + 'static,
    ) -> (Arc<Self>, impl FnOnce() + 'static) {
        let task = Spawned::with(header, Handover::without_closure());
        let run = {
            let task = task.clone();
            move || {
                if let Some(runner) = task.handover.start() {
                    task.run_closure(runner, closure);
                }
            }
        };
        (task, run)
    }
}

impl<F, T> Task for Spawned<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn header(&self) -> &Header {
        &self.header
    }

    fn run(&self) {
        if let Some(mut runner) = self.handover.start()
            && let Some(closure) = runner.closure()
        {
            self.run_closure(runner, closure);
        }
    }

    fn fail(&self, error: io::Error) {
        if let Some(mut runner) = self.handover.start() {
            drop_quietly(runner.closure());
            self.finish(runner, Err(Box::new(error)));
        }
    }
}

impl<F, T> Join<T> for Spawned<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn try_join(&self) -> Option<thread::Result<T>> {
        if !self.handover.has_ended() && self.announce(Waiter::current()) {
            return None;
        }
        self.handover.take()
    }

    fn forget_joiner(&self) {
        self.handover.announce(None);
        if self.handover.is_heard()
            && let Some(listeners) = &mut *self.listeners()
        {
            listeners.joiner = None;
        }
    }

    fn is_finished(&self) -> bool {
        self.handover.has_ended()
    }

    fn is_joined(&self) -> bool {
        self.handover.is_taken()
    }

    fn on_finish(&self, f: Callback) {
        let add = |listeners: &mut Listeners, f| listeners.callbacks.push(f);
        if let Some(f) = self.listen(f, add) {
            undisturbed(f);
        }
    }

    fn detach(&self) {
        let unwanted = self.handover.detach();
        if unwanted.is_some() {
            drop_quietly(unwanted);
        }
    }
}

/// Drops what nobody asked for.
fn drop_quietly<T>(value: T) {
    undisturbed(|| drop(value));
}

/// Runs `f` quietly. An interrupt is not delivered in there, where it would be lost.
pub(crate) fn undisturbed(f: impl FnOnce()) {
    Interrupts::with(Interrupts::mask);
    quietly(f);
    Interrupts::with(Interrupts::unmask);
}

/// Runs `f`. A panic ends there, after the panic hook's report.
pub(crate) fn quietly(f: impl FnOnce()) {
    let Err(payload) = Interrupts::catch(f) else {
        return;
    };
    // A payload may panic, too, when it is dropped. What that panics with is not dropped.
    if let Err(worse) = Interrupts::catch(|| drop(payload)) {
        mem::forget(worse);
    }
}
