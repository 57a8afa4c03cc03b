//! Mapping over items on the threads of a pool.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::iter::Peekable;
use std::sync::Arc;

use super::members::Membership;
use super::{Builder, Cancelled, JoinHandle, Pool, Result, is_cancellation};
use crate::interrupt::{Interrupts, resume};
use crate::sync::mpsc;

/// Items that wait for a thread, and what is done with them.
pub(super) struct Feed<I: Iterator, F> {
    pool: Pool,
    items: Peekable<I>,
    f: Arc<F>,
}

impl<I, F, T> Feed<I, F>
where
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    pub(super) fn new(
        pool: &Pool,
        items: impl IntoIterator<IntoIter = I, Item = I::Item>,
        f: F,
    ) -> Feed<I, F> {
        Feed {
            pool: pool.clone(),
            items: items.into_iter().peekable(),
            f: Arc::new(f),
        }
    }

    /// Waits for room, and spawns a thread for the next item, if there is one.
    #[track_caller]
    pub(super) fn spawn(&mut self) -> Option<JoinHandle<T>> {
        let (membership, item) = self.next(true)?;
        let f = self.f.clone();
        Some(self.run(membership, move || f(item)))
    }

    /// A place in the pool, and the next item. There may be none of either; of places only if the caller
    /// does not want to wait.
    fn next(&mut self, waits: bool) -> Option<(Membership, I::Item)> {
        self.items.peek()?;
        let members = self.pool.group().members();
        let membership = if waits {
            members.enter()
        } else {
            members.try_enter()?
        };
        Some((membership, self.items.next()?))
    }

    #[track_caller]
    fn run<R: Send + 'static>(
        &self,
        membership: Membership,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> JoinHandle<R> {
        let members = self.pool.group().members();
        let thread = members.spawn(Builder::new(), membership, f);
        thread.expect("the thread could not be spawned")
    }
}

/// The value of a member's result.
#[track_caller]
pub(super) fn value_of<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(payload) if is_cancellation(&*payload) => {
            panic!("a thread of the pool was cancelled")
        }
        Err(payload) => match payload.downcast::<io::Error>() {
            Ok(error) => panic!("a thread of the pool could not start: {error}"),
            Err(payload) => resume(payload),
        },
    }
}

/// The results of [`Pool::imap`], in the order of the items.
///
/// Nothing runs before the first `next`, which parks until the first result is there. When it is dropped,
/// the threads that run go on.
///
/// # Panics
///
/// `next` panics as [`Pool::map`] does. It can be called again, and goes on with the next result.
#[must_use = "iterators do nothing unless they are read"]
pub struct Imap<I: Iterator, F, T> {
    feed: Feed<I, F>,
    max_unread: usize,
    threads: VecDeque<JoinHandle<T>>,
}

impl<I, F, T> Imap<I, F, T>
where
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    pub(super) fn new(feed: Feed<I, F>) -> Imap<I, F, T> {
        Imap {
            max_unread: feed.pool.size(),
            feed,
            threads: VecDeque::new(),
        }
    }

    /// How many results there may be that were not read, counting those that are still in the making: at
    /// least 1. By default the size of the pool.
    pub fn max_unread(mut self, count: usize) -> Self {
        self.max_unread = count.max(1);
        self
    }

    /// Spawns as many threads as may be. Waits for room only if it has none.
    fn fill(&mut self) {
        while self.threads.len() < self.max_unread {
            let Some((membership, item)) = self.feed.next(self.threads.is_empty()) else {
                return;
            };
            let f = self.feed.f.clone();
            let thread = self.feed.run(membership, move || f(item));
            self.threads.push_back(thread);
        }
    }
}

impl<I, F, T> Iterator for Imap<I, F, T>
where
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.fill();
        // An interrupt leaves the thread where it is, for the next call.
        let result = self.threads.front_mut()?.wait_for_result();
        self.threads.pop_front();
        Some(value_of(result))
    }
}

/// The results of [`Pool::imap_unordered`], as they come.
///
/// Nothing runs before the first `next`, which parks until some result is there. When it is dropped, the
/// threads that run go on.
///
/// # Panics
///
/// `next` panics as [`Pool::map`] does. It can be called again, and goes on with another result.
#[must_use = "iterators do nothing unless they are read"]
pub struct ImapUnordered<I: Iterator, F, T> {
    feed: Feed<I, F>,
    max_unread: usize,
    unread: usize,
    sender: mpsc::Sender<Result<T>>,
    results: mpsc::Receiver<Result<T>>,
}

impl<I, F, T> ImapUnordered<I, F, T>
where
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    pub(super) fn new(feed: Feed<I, F>) -> ImapUnordered<I, F, T> {
        let (sender, results) = mpsc::channel();
        ImapUnordered {
            max_unread: feed.pool.size(),
            feed,
            unread: 0,
            sender,
            results,
        }
    }

    /// As [`Imap::max_unread`].
    pub fn max_unread(mut self, count: usize) -> Self {
        self.max_unread = count.max(1);
        self
    }

    fn fill(&mut self) {
        while self.unread < self.max_unread {
            let Some((membership, item)) = self.feed.next(self.unread == 0) else {
                return;
            };
            let f = self.feed.f.clone();
            let report = Report {
                sender: self.sender.clone(),
                result: None,
            };
            self.unread += 1;
            let run = move || report.fill_in(Interrupts::catch(|| f(item)));
            self.feed.run(membership, run);
        }
    }
}

impl<I, F, T> Iterator for ImapUnordered<I, F, T>
where
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.fill();
        if self.unread == 0 {
            return None;
        }
        let result = self.results.recv().expect("`self` has a sender");
        self.unread -= 1;
        Some(value_of(result))
    }
}

/// Sends a thread's result when it is dropped, even if the thread never ran.
struct Report<T> {
    sender: mpsc::Sender<Result<T>>,
    result: Option<Result<T>>,
}

impl<T> Report<T> {
    fn fill_in(mut self, result: Result<T>) {
        self.result = Some(result);
    }
}

impl<T> Drop for Report<T> {
    fn drop(&mut self) {
        let result = self.result.take();
        let result = result.unwrap_or_else(|| Err(Box::new(Cancelled(()))));
        // The reader may be gone.
        let _ = self.sender.send(result);
    }
}

impl<I: Iterator, F, T> fmt::Debug for Imap<I, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl<I: Iterator, F, T> fmt::Debug for ImapUnordered<I, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImapUnordered")
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}
