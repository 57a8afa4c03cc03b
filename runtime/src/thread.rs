//! Threads, by std's names: green ones, and the OS threads that call into the runtime.

use std::any::Any;
use std::fmt;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::insight::Reason;
use crate::interrupt::{self, Interrupt, Interrupts};
use crate::os_thread;
use crate::scheduler::{self, Worker, runtime};
use crate::task::{Header, Join, Spawned, Task};
use crate::wait::{Outcome, wait};

pub use std::thread::{Result, available_parallelism};

/// Starts a green thread. See [`Builder::spawn`], which this calls with the default settings.
///
/// The new thread runs when the calling one parks, or on another worker that has nothing to do. Once
/// it has started, it stays on its OS thread, so thread-locals and `!Send` values mean in it what they
/// mean on a thread.
///
/// # Differences from std
///
/// A green thread is ended by [`JoinHandle::cancel`], too. It gives way only where it waits: one that
/// computes for long keeps its worker from all others.
///
/// # Panics
///
/// If the runtime cannot start or, in OS-thread mode, if the system refuses the thread.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
///
/// let threads: Vec<_> = (0..1000).map(|n| thread::spawn(move || n * n)).collect();
/// let sum: i32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
/// assert_eq!(sum, 332_833_500);
/// ```
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new()
        .spawn(f)
        .expect("the thread could not be spawned")
}

/// Starts a green thread beside the calling one, on the same worker: `f` need not be `Send`.
///
/// # Panics
///
/// If the caller is not a green thread. [`Builder::spawn_local`] gives an error instead.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
/// use std::{cell::Cell, rc::Rc};
///
/// let outer = thread::spawn(|| {
///     let counter = Rc::new(Cell::new(0));
///     let inner = counter.clone();
///     thread::spawn_local(move || inner.set(1)).join().unwrap();
///     counter.get()
/// });
/// assert_eq!(outer.join().unwrap(), 1);
/// ```
pub fn spawn_local<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: Send + 'static,
{
    Builder::new()
        .spawn_local(f)
        .expect("the thread could not be spawned")
}

/// A thread to be started, with its settings. As [`std::thread::Builder`].
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
///
/// # fn main() -> std::io::Result<()> {
/// let builder = thread::Builder::new().name("reader".into()).stack_size(64 * 1024);
/// let name = builder.spawn(|| thread::current().name().map(str::to_owned))?;
/// assert_eq!(name.join().unwrap().as_deref(), Some("reader"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "must be used to spawn"]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A thread without a name, with the runtime's stack size.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Names the thread. The name appears when its stack overflows, and in a [`dump`](crate::dump).
    ///
    /// # Differences from std
    ///
    /// A name with a zero byte is allowed. The panic message names the worker.
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Sets the size of the stack in bytes, rounded up to a power of two from 32 KiB to 1 GiB.
    ///
    /// # Differences from std
    ///
    /// The guard is part of it: an eighth, but 16 to 64 KiB.
    pub fn stack_size(mut self, size: usize) -> Builder {
        self.stack_size = Some(size);
        self
    }

    /// Starts a green thread that runs `f`. See [`spawn`].
    ///
    /// # Errors
    ///
    /// In OS-thread mode what the system says. A green thread never fails here: if it gets no stack,
    /// [`JoinHandle::join`] gives an [`io::Error`] as the payload.
    ///
    /// # Panics
    ///
    /// If the runtime cannot start.
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if runtime().uses_os_threads() {
            let stack_size = self.stack_size;
            let task = Spawned::new(self.header(), f);
            os_thread::spawn(task.clone(), stack_size)?;
            return Ok(JoinHandle::new(task));
        }
        let task = Spawned::new(self.header(), f);
        scheduler::spawn(task.clone());
        Ok(JoinHandle::new(task))
    }

    /// Starts a green thread beside the calling one. See [`spawn_local`].
    ///
    /// # Errors
    ///
    /// `Unsupported` if the caller is not a green thread.
    pub fn spawn_local<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + 'static,
        T: Send + 'static,
    {
        let Some((worker, _)) = Worker::running() else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "spawn_local starts a green thread beside a green thread: call it on one",
            ));
        };
        let (task, run) = Spawned::local(self.header(), f);
        worker.spawn_local(task.clone(), Box::new(run));
        Ok(JoinHandle::new(task))
    }

    fn header(self) -> Header {
        Header::new(
            self.name,
            self.stack_size.unwrap_or_else(|| runtime().stack_size()),
        )
    }
}

/// Waits for a thread's end and gets its result. Dropping it lets the thread go on alone.
pub struct JoinHandle<T> {
    /// `None` once joined.
    task: Option<Arc<dyn Join<T>>>,
    thread: Thread,
}

impl<T: Send + 'static> JoinHandle<T> {
    fn new<F>(task: Arc<Spawned<F, T>>) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        JoinHandle {
            thread: Thread(task.clone()),
            task: Some(task),
        }
    }
}

impl<T> JoinHandle<T> {
    /// Parks until the thread has ended, and gives its result.
    ///
    /// # Errors
    ///
    /// The payload of its panic. It is [`Cancelled`] if the thread was cancelled, and an
    /// [`io::Error`] if it got no stack.
    pub fn join(mut self) -> Result<T> {
        let task = self
            .task
            .take()
            .expect("the result has been taken by a select");
        loop {
            if let Some(result) = task.try_join() {
                return result;
            }
            let reason = Reason::Join(task.header().id().number());
            if let Outcome::Interrupted(interrupt) = wait(reason, None) {
                task.forget_joiner();
                task.detach();
                interrupt.unwind()
            }
        }
    }

    /// For `select!`: takes the result if the thread has ended. Else the caller will be woken when it has.
    pub(crate) fn try_join(&mut self) -> Option<Result<T>> {
        let result = self.task.as_ref()?.try_join()?;
        self.task = None;
        Some(result)
    }

    /// The caller of `try_join` does not wait any longer.
    pub(crate) fn forget_joiner(&self) {
        if let Some(task) = &self.task {
            task.forget_joiner();
        }
    }

    /// Whether the thread has ended. Never parks.
    pub fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(|task| task.is_finished())
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Cancels the thread. See [`Thread::cancel`].
    ///
    /// # Errors
    ///
    /// Those of [`Thread::cancel`].
    pub fn cancel(&self) -> io::Result<()> {
        self.thread.cancel()
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.detach();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

/// A handle to a thread, green or not.
#[derive(Clone)]
pub struct Thread(Arc<dyn Task>);

impl Thread {
    /// Its identity, different from that of every other thread in the process.
    pub fn id(&self) -> ThreadId {
        self.0.header().id()
    }

    /// Its name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.0.header().name()
    }

    /// Makes its present or its next [`park`] return. Never parks.
    pub fn unpark(&self) {
        self.0.header().unpark();
    }

    /// Ends the thread at its next wait: it unwinds from there, runs its destructors, and its `join`
    /// gives [`Cancelled`]. A thread that has not started never runs. Returns at once, and does
    /// nothing to a thread that has ended.
    ///
    /// This is gevent's `kill`. It is delivered once; a thread that catches the unwind and goes on is
    /// let alone until it is cancelled again. It waits while the thread unwinds already, or is in
    /// [`no_cancel`]. The panic hook is not called.
    ///
    /// # Errors
    ///
    /// `Unsupported` for an OS thread, and in a program built with `panic = "abort"`.
    pub fn cancel(&self) -> io::Result<()> {
        let reason = if !interrupt::can_unwind() {
            "a program built with panic = \"abort\" cannot cancel threads"
        } else if self.0.header().is_os_thread() || runtime().uses_os_threads() {
            "an OS thread cannot be cancelled"
        } else {
            self.0.header().cancel();
            return Ok(());
        };
        Err(io::Error::new(io::ErrorKind::Unsupported, reason))
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// The identity of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(NonZero<u64>);

impl ThreadId {
    pub(crate) fn next() -> ThreadId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        ThreadId(NonZero::new(id).expect("a process does not start 2^64 threads"))
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0.get()
    }

    pub(crate) fn from_bits(bits: u64) -> Option<ThreadId> {
        NonZero::new(bits).map(ThreadId)
    }

    /// The number that [`dump`](crate::dump) shows. It is unique among the last four billion threads.
    pub(crate) fn number(self) -> u32 {
        self.0.get() as u32
    }
}

/// The payload of a join on a thread that was cancelled.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread::{self, Cancelled};
///
/// let thread = thread::spawn(|| thread::park());
/// thread.cancel().unwrap();
/// assert!(thread.join().unwrap_err().is::<Cancelled>());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Cancelled(pub(crate) ());

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the thread was cancelled")
    }
}

impl std::error::Error for Cancelled {}

/// Whether a panic payload is not a panic but the unwind of a cancelled thread or of a
/// [`timeout`](crate::time::timeout). Who catches panics must pass it on with
/// [`resume_unwind`](std::panic::resume_unwind).
#[must_use]
pub fn is_cancellation(payload: &(dyn Any + Send)) -> bool {
    Interrupt::of_payload(payload).is_some()
}

/// Runs `f` with cancellations and timeouts put off until it returns.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
/// use std::time::Duration;
///
/// let thread = thread::spawn(|| {
///     thread::no_cancel(|| {
///         thread::sleep(Duration::from_millis(1));
///         println!("the transaction is complete");
///     });
///     thread::park();
/// });
/// thread.cancel().unwrap();
/// assert!(thread.join().is_err());
/// ```
pub fn no_cancel<T>(f: impl FnOnce() -> T) -> T {
    struct Unmask;
    impl Drop for Unmask {
        fn drop(&mut self) {
            Interrupts::with(Interrupts::unmask);
        }
    }
    Interrupts::with(Interrupts::mask);
    let _unmask = Unmask;
    f()
}

/// A handle to the calling thread.
#[must_use]
pub fn current() -> Thread {
    Thread(match Worker::running() {
        Some((_, slot)) => slot.task().clone(),
        None => os_thread::current(),
    })
}

/// Whether the calling thread is a green one.
#[must_use]
pub fn is_green() -> bool {
    Worker::running().is_some()
}

/// Whether the calling thread unwinds.
///
/// # Differences from std
///
/// [`std::thread::panicking`] speaks of the OS thread: it is also true on a green thread while another
/// one of its worker is parked in the middle of unwinding.
#[must_use]
pub fn panicking() -> bool {
    Interrupts::with(Interrupts::is_unwinding)
}

/// Lets the other green threads of the worker that are ready run first. On an OS thread as std's.
///
/// A cancellation is delivered here.
#[inline]
pub fn yield_now() {
    match Worker::running() {
        Some((worker, slot)) => worker.yield_now(slot),
        None => std::thread::yield_now(),
    }
}

/// Parks the calling thread for at least `duration`, usually not 0.1 ms longer.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
/// use std::time::{Duration, Instant};
///
/// let begin = Instant::now();
/// thread::sleep(Duration::from_micros(1500));
/// assert!(begin.elapsed() >= Duration::from_micros(1500));
/// ```
pub fn sleep(duration: Duration) {
    if crate::io::blocks_in_kernel() {
        return std::thread::sleep(duration);
    }
    let deadline = Instant::now().checked_add(duration);
    while park_until(Reason::Sleep, deadline) {}
}

/// Parks the calling thread until [`Thread::unpark`] is called for it, or was since its last `park`.
///
/// # Differences from std
///
/// It never returns without a reason.
pub fn park() {
    let this = current();
    while !this.0.header().take_token() {
        park_until(Reason::Park, None);
    }
}

/// As [`park`], for at most `duration`.
pub fn park_timeout(duration: Duration) {
    let this = current();
    let deadline = Instant::now().checked_add(duration);
    while !this.0.header().take_token() && park_until(Reason::Park, deadline) {}
}

/// Returns false once the deadline has passed.
fn park_until(reason: Reason, deadline: Option<Instant>) -> bool {
    match wait(reason, deadline) {
        Outcome::Woken => true,
        Outcome::TimedOut => false,
        Outcome::Interrupted(interrupt) => interrupt.unwind(),
    }
}
