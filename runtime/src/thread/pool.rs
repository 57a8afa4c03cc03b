//! Pools: a limit on how many threads run at a time.

use std::fmt;
use std::time::{Duration, Instant};

use super::map::{Feed, value_of};
use super::{Builder, Group, Imap, ImapUnordered, JoinHandle};

/// Runs threads, but never more than a certain number at a time. This is gevent's `Pool`.
///
/// A full pool makes the spawner wait, which is what holds back a producer. So a member that spawns into
/// its own pool, and waits for what it spawned, may wait for ever.
///
/// There are no threads in a pool but those that have something to do; they are made for it, as with
/// [`spawn`](super::spawn). Clones are the same pool. Dropping it does nothing to its threads.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::thread::Pool;
///
/// let pool = Pool::new(2);
/// let lengths = pool.map(["one", "three", "seven"], |word| word.len());
/// assert_eq!(lengths, [3, 5, 5]);
/// ```
#[derive(Clone)]
pub struct Pool {
    group: Group,
}

impl Pool {
    /// A pool of up to `size` threads.
    ///
    /// # Panics
    ///
    /// If `size` is 0: nothing could ever run.
    pub fn new(size: usize) -> Pool {
        assert!(size > 0, "a pool of size 0 would never run anything");
        Pool {
            group: Group::with_limit(size),
        }
    }

    /// The threads of the pool, to join, cancel, count, or look at. Spawning into the group waits for
    /// room, too.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Parks while the pool is full, then starts a thread. See [`spawn`](super::spawn).
    ///
    /// # Panics
    ///
    /// If the thread cannot be spawned. [`Group::spawn_with`] gives an error instead.
    #[track_caller]
    pub fn spawn<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.group.spawn(f)
    }

    /// Starts a thread if the pool is not full. Never parks.
    ///
    /// # Errors
    ///
    /// With `f` if the pool is full.
    ///
    /// # Panics
    ///
    /// If the thread cannot be spawned.
    #[track_caller]
    pub fn try_spawn<F, T>(&self, f: F) -> Result<JoinHandle<T>, PoolFull<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let members = self.group.members();
        let Some(membership) = members.try_enter() else {
            return Err(PoolFull(f));
        };
        let thread = members.spawn(Builder::new(), membership, f);
        Ok(thread.expect("the thread could not be spawned"))
    }

    /// How many threads there may be at a time.
    pub fn size(&self) -> usize {
        self.group.members().limit()
    }

    /// How many threads could be started now.
    pub fn free_count(&self) -> usize {
        self.size() - self.group.len()
    }

    /// Parks while the pool is full, for at most `timeout`. Returns whether there is room now; others may
    /// take it.
    pub fn wait_available(&self, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        self.group.members().wait_for_room(deadline)
    }

    /// Calls `f` with each item, on a thread of the pool for each, and gives the results in the order of
    /// the items. Parks until all are there.
    ///
    /// # Panics
    ///
    /// With the first panic of `f`, in the order of the items; the other threads go on. Also if one of
    /// the threads was cancelled or could not start.
    ///
    /// # Examples
    ///
    /// See [`Pool`].
    #[track_caller]
    pub fn map<I, F, T>(&self, items: I, f: F) -> Vec<T>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        let mut feed = Feed::new(self, items, f);
        let mut threads = Vec::new();
        while let Some(thread) = feed.spawn() {
            threads.push(thread);
        }
        let results = threads.into_iter().map(JoinHandle::join);
        results.map(value_of).collect()
    }

    /// As [`map`](Pool::map), but an iterator over the results, which runs ahead of its reader only a
    /// little: see [`Imap::max_unread`]. This is gevent's `imap`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenwire_runtime::thread::Pool;
    ///
    /// let squares = Pool::new(3).imap(1.., |n: u64| n * n);
    /// assert_eq!(squares.take(4).collect::<Vec<_>>(), [1, 4, 9, 16]);
    /// ```
    pub fn imap<I, F, T>(&self, items: I, f: F) -> Imap<I::IntoIter, F, T>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        Imap::new(Feed::new(self, items, f))
    }

    /// As [`imap`](Pool::imap), but the results come as they are ready. This is gevent's
    /// `imap_unordered`.
    ///
    /// # Examples
    ///
    /// ```
    /// use greenwire_runtime::thread::{self, Pool};
    /// use std::time::Duration;
    ///
    /// let nap = |millis| {
    ///     thread::sleep(Duration::from_millis(millis));
    ///     millis
    /// };
    /// let mut woken = Pool::new(2).imap_unordered([1000, 1], nap);
    /// assert_eq!(woken.next(), Some(1));
    /// ```
    pub fn imap_unordered<I, F, T>(&self, items: I, f: F) -> ImapUnordered<I::IntoIter, F, T>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        ImapUnordered::new(Feed::new(self, items, f))
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("size", &self.size())
            .field("threads", &self.group)
            .finish()
    }
}

/// The pool has no room for the thread that was to run this.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PoolFull<F>(pub F);

impl<F> fmt::Debug for PoolFull<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolFull").finish_non_exhaustive()
    }
}

impl<F> fmt::Display for PoolFull<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pool is full")
    }
}

impl<F> std::error::Error for PoolFull<F> {}
