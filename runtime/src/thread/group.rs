//! Groups: threads that are waited for and cancelled together.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::members::Members;
use super::{Builder, JoinHandle, Thread};
use crate::wait::Outcome;

/// Threads that belong together. This is gevent's `Group`.
///
/// It forgets a thread that has ended, so it may live long and see many. Clones are the same group.
/// Dropping it does nothing to its threads.
///
/// For threads that borrow, there is [`scope`](super::scope).
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread::{self, Group};
///
/// let group = Group::new();
/// for _ in 0..100 {
///     group.spawn(thread::yield_now);
/// }
/// group.spawn(thread::park).cancel().unwrap();
/// group.join();
/// assert!(group.is_empty());
/// ```
#[derive(Clone)]
pub struct Group {
    members: Arc<Members>,
}

impl Group {
    /// A group without threads.
    pub fn new() -> Group {
        Group::with_limit(usize::MAX)
    }

    /// One whose `spawn` waits while it has `limit` threads.
    pub(super) fn with_limit(limit: usize) -> Group {
        Group {
            members: Members::new(limit),
        }
    }

    pub(super) fn members(&self) -> &Arc<Members> {
        &self.members
    }

    /// Starts a thread in the group. See [`spawn`](super::spawn).
    ///
    /// # Panics
    ///
    /// If the thread cannot be spawned. [`spawn_with`](Group::spawn_with) gives an error instead.
    #[track_caller]
    pub fn spawn<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_with(Builder::new(), f)
            .expect("the thread could not be spawned")
    }

    /// Starts a thread in the group, with the settings of `builder`.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::spawn`].
    #[track_caller]
    pub fn spawn_with<F, T>(&self, builder: Builder, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let membership = self.members.enter();
        self.members.spawn(builder, membership, f)
    }

    /// Parks until the group has been empty, if only for a moment.
    pub fn join(&self) {
        self.join_until(None);
    }

    /// As [`join`](Group::join), for at most `timeout`. Returns whether the group has been empty.
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        self.join_until(Instant::now().checked_add(timeout))
    }

    fn join_until(&self, deadline: Option<Instant>) -> bool {
        match self.members.wait_until_empty(deadline) {
            Outcome::Woken => true,
            Outcome::TimedOut => false,
            Outcome::Interrupted(interrupt) => interrupt.unwind(),
        }
    }

    /// Cancels all threads that are in the group now, and does not wait for them. See
    /// [`Thread::cancel`].
    ///
    /// # Errors
    ///
    /// Those of [`Thread::cancel`].
    pub fn cancel(&self) -> io::Result<()> {
        self.members.cancel()
    }

    /// Cancels all threads, and those that are spawned into the group meanwhile, and parks until the
    /// group has been empty. This is gevent's `kill`.
    ///
    /// # Errors
    ///
    /// Those of [`Thread::cancel`]. Then nothing has happened.
    pub fn cancel_and_join(&self) -> io::Result<()> {
        struct Reopen<'a>(&'a Members);
        impl Drop for Reopen<'_> {
            fn drop(&mut self) {
                self.0.reopen();
            }
        }
        let _reopen = Reopen(&self.members);
        self.members.close()?;
        self.join();
        Ok(())
    }

    /// How many threads of the group have not ended.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether all threads of the group have ended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The threads that are in the group now, in the order in which they were spawned.
    pub fn iter(&self) -> impl Iterator<Item = Thread> + use<> {
        self.members.threads().into_iter()
    }
}

impl Default for Group {
    fn default() -> Group {
        Group::new()
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
