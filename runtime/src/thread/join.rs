//! Waiting for the end of a thread.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::{Result, Thread};
use crate::task::{Join, Spawned};
use crate::wait::{Outcome, wait};

/// Waits for a thread's end and gets its result. Dropping it lets the thread go on alone.
pub struct JoinHandle<T> {
    /// `None` once joined.
    task: Option<Arc<dyn Join<T>>>,
    thread: Thread,
}

impl<T: Send + 'static> JoinHandle<T> {
    pub(super) fn new<F>(task: Arc<Spawned<F, T>>) -> JoinHandle<T>
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
    /// The payload of its panic. It is [`Cancelled`](super::Cancelled) if the thread was cancelled, and an
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
            if let Outcome::Interrupted(interrupt) = wait(None) {
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
