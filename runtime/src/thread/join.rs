//! Waiting for the end of a thread.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::{Result, Thread};
use crate::insight::Reason;
use crate::task::{Join, Spawned};
use crate::wait::{Outcome, wait};

/// Waits for a thread's end and gets its result. Dropping it lets the thread go on alone.
pub struct JoinHandle<T> {
    task: Arc<dyn Join<T>>,
    /// Made when it is asked for, and boxed, since there may be a million handles.
    thread: OnceLock<Box<Thread>>,
}

impl<T: Send + 'static> JoinHandle<T> {
    pub(super) fn new<F>(task: Arc<Spawned<F, T>>) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        JoinHandle {
            task,
            thread: OnceLock::new(),
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
    ///
    /// [`Cancelled`]: super::Cancelled
    #[inline(always)]
    pub fn join(mut self) -> Result<T> {
        self.wait_for_result()
    }

    /// As `join`, but an interrupt leaves the handle as it was.
    #[inline(always)]
    pub(super) fn wait_for_result(&mut self) -> Result<T> {
        self.join_until(None)
            .expect("without a deadline the wait ends with the thread")
    }

    /// As [`join`](JoinHandle::join), but parks for at most `timeout`.
    ///
    /// # Errors
    ///
    /// With the handle if the thread has not ended by then. It goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenwire_runtime::thread;
    /// use std::time::Duration;
    ///
    /// let handle = thread::spawn(thread::park);
    /// let handle = handle.join_timeout(Duration::from_millis(1)).unwrap_err();
    /// handle.thread().unpark();
    /// handle.join().unwrap();
    /// ```
    pub fn join_timeout(
        mut self,
        timeout: Duration,
    ) -> std::result::Result<Result<T>, JoinHandle<T>> {
        let deadline = Instant::now().checked_add(timeout);
        self.join_until(deadline).ok_or(self)
    }

    #[inline(always)]
    fn join_until(&mut self, deadline: Option<Instant>) -> Option<Result<T>> {
        let reason = Reason::Join(self.task.header().id().number());
        let mut late = false;
        loop {
            let result = self.task.try_join();
            if result.is_some() {
                return result;
            }
            assert!(
                !self.task.is_joined(),
                "the result has been taken by a select"
            );
            if late {
                self.task.forget_joiner();
                return None;
            }
            match wait(reason, deadline) {
                Outcome::Woken => {}
                Outcome::TimedOut => late = true,
                Outcome::Interrupted(interrupt) => {
                    self.task.forget_joiner();
                    interrupt.unwind()
                }
            }
        }
    }

    /// For `select!`: takes the result if the thread has ended. Else the caller will be woken when it has.
    pub(crate) fn try_join(&mut self) -> Option<Result<T>> {
        self.task.try_join()
    }

    /// The caller of `try_join` does not wait any longer.
    pub(crate) fn forget_joiner(&self) {
        self.task.forget_joiner();
    }

    /// Whether the thread has ended. Never parks.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Calls `f` when the thread has ended, however it ends; at once if it has. What was given first is
    /// called first. This is gevent's `link`.
    ///
    /// `f` runs where the thread ended, and must not wait: what would wait is for a thread that it
    /// spawns. A panic of it ends there, after the panic hook's report.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenwire_runtime::{sync::mpsc, thread};
    ///
    /// let (sender, ended) = mpsc::channel();
    /// for n in 0..3 {
    ///     let sender = sender.clone();
    ///     thread::spawn(move || n).on_finish(move || sender.send(n).unwrap());
    /// }
    /// drop(sender);
    /// assert_eq!(ended.iter().sum::<i32>(), 3);
    /// ```
    pub fn on_finish(&self, f: impl FnOnce() + Send + 'static) {
        self.task.on_finish(Box::new(f));
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        self.thread
            .get_or_init(|| Box::new(Thread(self.task.clone())))
    }

    /// Cancels the thread. See [`Thread::cancel`].
    ///
    /// # Errors
    ///
    /// Those of [`Thread::cancel`].
    pub fn cancel(&self) -> io::Result<()> {
        self.thread().cancel()
    }
}

/// Joins all these threads, one after the other, and gives their results in the same order.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread;
///
/// let squares = thread::join_all((1..=3).map(|n| thread::spawn(move || n * n)));
/// assert_eq!(squares.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [1, 4, 9]);
/// ```
pub fn join_all<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<Result<T>> {
    // All of them are spawned before the first one is waited for, even by a lazy iterator.
    let handles: Vec<_> = handles.into_iter().collect();
    handles.into_iter().map(JoinHandle::join).collect()
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        self.task.detach();
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("thread", self.thread())
            .finish_non_exhaustive()
    }
}
