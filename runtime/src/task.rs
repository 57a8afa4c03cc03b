//! Tasks: what a spawned closure, its green thread and its handles share.
//!
//! One allocation holds the closure (but for one that must stay on its worker), later its result, and
//! the header through which others reach the thread. The closure runs, and everything of it is dropped, on its own green thread.

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
    state: Mutex<State<F, T>>,
}

struct State<F, T> {
    stage: Stage<F, T>,
    /// Nobody will ask for the result.
    detached: bool,
    joiner: Option<Waiter>,
    on_finish: Vec<Callback>,
}

enum Stage<F, T> {
    Unstarted(F),
    Running,
    Finished(thread::Result<T>),
    /// Finished, and the result was taken or dropped.
    Taken,
}

impl<F, T> Stage<F, T> {
    fn is_last(&self) -> bool {
        matches!(self, Stage::Finished(_) | Stage::Taken)
    }
}

impl<F, T> Spawned<F, T> {
    #[inline(always)]
    pub(crate) fn new(header: Header, closure: F) -> Arc<Spawned<F, T>> {
        Spawned::at_stage(header, Stage::Unstarted(closure))
    }

    #[inline(always)]
    fn at_stage(header: Header, stage: Stage<F, T>) -> Arc<Spawned<F, T>> {
        let state = State {
            stage,
            detached: false,
            joiner: None,
            on_finish: Vec::new(),
        };
        Arc::new(Spawned {
            header,
            state: Mutex::new(state),
        })
    }

    /// Runs `closure` as this task's. A thread cancelled before its start only drops it.
    fn run_closure(&self, closure: impl FnOnce() -> T) {
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
        self.finish(result);
        // A destructor of the result may have put something off, or made locals.
        forget_locals();
        scheduler::run_hooks();
    }

    fn finish(&self, result: thread::Result<T>) {
        let mut state = self.lock();
        let unwanted = if state.detached {
            state.stage = Stage::Taken;
            Some(result)
        } else {
            state.stage = Stage::Finished(result);
            None
        };
        let joiner = state.joiner.take();
        let on_finish = mem::take(&mut state.on_finish);
        drop(state);
        if let Some(joiner) = joiner {
            joiner.wake();
        }
        on_finish.into_iter().for_each(undisturbed);
        if unwanted.is_some() {
            drop_quietly(unwanted);
        }
    }

    fn start(&self) -> Option<F> {
        let mut state = self.lock();
        if !matches!(state.stage, Stage::Unstarted(_)) {
            return None;
        }
        match mem::replace(&mut state.stage, Stage::Running) {
            Stage::Unstarted(closure) => Some(closure),
            _ => None,
        }
    }

    fn take_finished(&self, state: &mut State<F, T>) -> Option<thread::Result<T>> {
        if !matches!(state.stage, Stage::Finished(_)) {
            return None;
        }
        match mem::replace(&mut state.stage, Stage::Taken) {
            Stage::Finished(result) => Some(result),
            _ => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<F, T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Spawned<fn() -> T, T> {
    /// A task whose closure cannot leave the worker: the closure runs the task when it is called.
    pub(crate) fn local(
        header: Header,
        closure: impl FnOnce() -> T + 'static,
    ) -> (Arc<Self>, impl FnOnce() + 'static) {
        let task = Spawned::at_stage(header, Stage::Running);
        let run = {
            let task = task.clone();
            move || task.run_closure(closure)
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
        if let Some(closure) = self.start() {
            self.run_closure(closure);
        }
    }

    fn fail(&self, error: io::Error) {
        drop_quietly(self.start());
        self.finish(Err(Box::new(error)));
    }
}

impl<F, T> Join<T> for Spawned<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn try_join(&self) -> Option<thread::Result<T>> {
        let mut state = self.lock();
        let result = self.take_finished(&mut state);
        if result.is_none() {
            state.joiner = Some(Waiter::current());
        }
        result
    }

    fn forget_joiner(&self) {
        self.lock().joiner = None;
    }

    fn is_finished(&self) -> bool {
        self.lock().stage.is_last()
    }

    fn on_finish(&self, f: Callback) {
        let mut state = self.lock();
        if state.stage.is_last() {
            drop(state);
            return undisturbed(f);
        }
        state.on_finish.push(f);
    }

    fn detach(&self) {
        let mut state = self.lock();
        state.detached = true;
        let unwanted = self.take_finished(&mut state);
        drop(state);
        drop_quietly(unwanted);
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
