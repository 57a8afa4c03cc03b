//! Scoped threads: threads that borrow from the one that waits for them.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::members::{Members, Membership};
use super::{Builder, JoinHandle, Result, Thread, is_cancellation, no_cancel};
use crate::interrupt::{Interrupt, Interrupts, resume};
use crate::task::undisturbed;
use crate::wait::Outcome;

/// Makes a scope for threads that borrow what lives outside of it. As [`std::thread::scope`].
///
/// It returns, or unwinds, only when all of its threads have ended: it parks until then. The threads may
/// run on any worker.
///
/// A scope that is cancelled, or cut short by a [`timeout`](crate::time::timeout), cancels its threads
/// and those that they still spawn, waits for them, and only then unwinds. In OS-thread mode threads
/// cannot be cancelled, so it waits until they end by themselves.
///
/// # Panics
///
/// With the panic of `f`, or if one of the threads has panicked that was not joined.
///
/// # Differences from std
///
/// A thread that was cancelled has not panicked.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
///
/// let mut words = vec!["green".to_owned(), "thread".to_owned()];
/// let count = 2;
/// thread::scope(|s| {
///     for word in &mut words {
///         s.spawn(|| *word = word.repeat(count));
///     }
/// });
/// assert_eq!(words, ["greengreen", "threadthread"]);
/// ```
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let scope = Scope {
        members: Members::new(usize::MAX),
        panicked: Arc::default(),
        scope: PhantomData,
        env: PhantomData,
    };
    let result = Interrupts::catch(|| f(&scope));
    let interrupted = result
        .as_ref()
        .is_err_and(|payload| is_cancellation(&**payload));
    let interrupt = if interrupted {
        scope.end_threads();
        None
    } else {
        scope.wait_for_threads()
    };
    match (result, interrupt) {
        (Err(payload), interrupt) => {
            if let Some(interrupt) = interrupt {
                interrupt.give_back();
            }
            resume(payload)
        }
        (Ok(_), Some(interrupt)) => interrupt.unwind(),
        (Ok(_), None) if scope.panicked.load(Ordering::Relaxed) => {
            panic!("a scoped thread panicked")
        }
        (Ok(value), None) => value,
    }
}

/// A scope in which threads are spawned. As [`std::thread::Scope`].
///
/// A thread can borrow only what lives longer than the scope, and its handle stays inside:
///
/// ```compile_fail,E0373
/// greenwire_runtime::thread::scope(|s| {
///     let inside = 1;
///     s.spawn(|| println!("{inside}"));
/// });
/// ```
///
/// ```compile_fail
/// let handle = greenwire_runtime::thread::scope(|s| s.spawn(|| 1));
/// ```
pub struct Scope<'scope, 'env: 'scope> {
    members: Arc<Members>,
    /// A thread has panicked, and nobody has joined it.
    panicked: Arc<AtomicBool>,
    /// Neither lifetime may grow or shrink, or a thread could borrow what dies before the scope ends.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread that may borrow what lives longer than the scope. See [`scope`].
    ///
    /// # Panics
    ///
    /// If the thread cannot be spawned: see [`spawn`](super::spawn).
    /// [`Builder::spawn_scoped`] gives an error instead.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Builder::new()
            .spawn_scoped(self, f)
            .expect("the thread could not be spawned")
    }

    /// Waits until all threads have ended. An interrupt that comes meanwhile ends them, too.
    fn wait_for_threads(&self) -> Option<Interrupt> {
        while self.members.len() > 0 {
            if let Outcome::Interrupted(interrupt) = self.members.wait_until_empty(None) {
                self.end_threads();
                return Some(interrupt);
            }
        }
        None
    }

    /// Cancels all threads, and waits for them whatever happens.
    fn end_threads(&self) {
        // Where they cannot be cancelled, they end by themselves.
        let _ = self.members.close();
        no_cancel(|| {
            while self.members.len() > 0 {
                let _ = self.members.wait_until_empty(None);
            }
        });
    }
}

impl Builder {
    /// Starts a thread in a scope. See [`Scope::spawn`].
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Builder::spawn).
    ///
    /// # Panics
    ///
    /// If the runtime cannot start.
    #[track_caller]
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let membership = scope.members.enter();
        let number = membership.number();
        let packet = Arc::new(Packet {
            result: Mutex::new(None),
            panicked: scope.panicked.clone(),
        });
        let borrowing: Box<dyn FnOnce() + Send + 'scope> = {
            let packet = packet.clone();
            Box::new(move || run(f, packet))
        };
        // SAFETY: only the lifetime changes. What the closure borrows lives longer than 'scope, and
        // `scope` does not end 'scope, neither by returning nor by unwinding, before the last membership
        // has been dropped. `Body` has one, and drops it last: after `f` and all that `f` owned, and after
        // it gave the result away, whether it runs, panics, or is dropped without having run
        // (cancelled before its start, or no stack). If the body is neither run nor dropped, the scope
        // waits for ever. The frames that are left when the membership is dropped have what borrows only
        // behind a box, which is gone by then: they hold no reference that must be valid until they return.
        // The result, which may borrow as well, stays in the packet: only `run` and
        // the `ScopedJoinHandle<'scope, T>` reach that, never the task. The scope waits with interrupts
        // taken or masked, so the wait does not unwind. (It does in a forked child; there no worker is
        // left that could run the closure.)
        let lasting = unsafe {
            mem::transmute::<Box<dyn FnOnce() + Send + 'scope>, Box<dyn FnOnce() + Send + 'static>>(
                borrowing,
            )
        };
        let body = Body {
            run: lasting,
            membership,
        };
        let handle = self.spawn(move || body.run())?;
        scope.members.is_thread(number, handle.thread());
        Ok(ScopedJoinHandle {
            handle,
            packet,
            scope: PhantomData,
        })
    }
}

/// What a scoped thread runs. The fields are dropped in this order.
struct Body {
    run: Box<dyn FnOnce() + Send>,
    membership: Membership,
}

impl Body {
    fn run(self) {
        // Dropped when this returns or unwinds, after all else.
        let _membership = self.membership;
        (self.run)();
    }
}

fn run<T>(f: impl FnOnce() -> T, packet: Arc<Packet<T>>) {
    let result = Interrupts::catch(f);
    *packet.lock() = Some(result);
    // If the handle is gone, the result goes here.
    undisturbed(|| drop(packet));
}

/// How the result of a scoped thread reaches its handle.
struct Packet<T> {
    result: Mutex<Option<Result<T>>>,
    panicked: Arc<AtomicBool>,
}

impl<T> Packet<T> {
    fn lock(&self) -> MutexGuard<'_, Option<Result<T>>> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Packet<T> {
    fn drop(&mut self) {
        let result = self
            .result
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(payload)) = result
            && !is_cancellation(&**payload)
        {
            self.panicked.store(true, Ordering::Relaxed);
        }
    }
}

/// Waits for a scoped thread's end and gets its result. As [`std::thread::ScopedJoinHandle`].
pub struct ScopedJoinHandle<'scope, T> {
    handle: JoinHandle<()>,
    packet: Arc<Packet<T>>,
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Parks until the thread has ended, and gives its result.
    ///
    /// # Errors
    ///
    /// As [`JoinHandle::join`].
    pub fn join(self) -> Result<T> {
        self.handle.join()?;
        let result = self.packet.lock().take();
        result.expect("a thread that has run leaves its result, and only join takes it")
    }

    /// Whether the thread has ended. Never parks.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        self.handle.thread()
    }

    /// Cancels the thread. See [`Thread::cancel`].
    ///
    /// # Errors
    ///
    /// Those of [`Thread::cancel`].
    pub fn cancel(&self) -> io::Result<()> {
        self.handle.cancel()
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("threads", &self.members.len())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle")
            .field("thread", self.thread())
            .finish_non_exhaustive()
    }
}
