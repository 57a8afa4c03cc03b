//! Threads that belong together: the members of a group, a pool, or a scope.
//!
//! A member enters before its thread is spawned. Its closure owns the [`Membership`], so it leaves when
//! the closure has returned, or was dropped without having run.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Builder, JoinHandle, Thread};
use crate::insight::{Reason, number_of};
use crate::wait::{Key, Outcome, WaitList, wait};

/// The members, and those who wait for room or for the last one's end.
pub(super) struct Members {
    /// There are never more.
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// In the order in which they entered. `None` while the thread is being spawned.
    threads: BTreeMap<u64, Option<Thread>>,
    entered: u64,
    /// How often the last member has left.
    emptied: u64,
    /// Whoever enters is cancelled.
    closings: u32,
    await_room: WaitList,
    await_end: WaitList,
}

/// One who is a member until this is dropped.
pub(super) struct Membership {
    members: Arc<Members>,
    number: u64,
}

impl Members {
    pub(super) fn new(limit: usize) -> Arc<Members> {
        Arc::new(Members {
            limit,
            state: Mutex::default(),
        })
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn len(&self) -> usize {
        self.lock().threads.len()
    }

    /// Those whose threads have been spawned, in that order.
    pub(super) fn threads(&self) -> Vec<Thread> {
        self.lock().threads.values().flatten().cloned().collect()
    }

    /// Enters if there is room.
    pub(super) fn try_enter(self: &Arc<Self>) -> Option<Membership> {
        self.enter_if_room(&mut self.lock())
    }

    fn reason(&self) -> Reason {
        Reason::Group(number_of(self))
    }

    /// Waits for room, and enters.
    pub(super) fn enter(self: &Arc<Self>) -> Membership {
        let mut place = None;
        loop {
            let mut state = self.lock();
            if let Some(membership) = self.enter_if_room(&mut state) {
                self.leave_queue(state, place);
                return membership;
            }
            place = Some(state.await_room.push(place));
            drop(state);
            if let Outcome::Interrupted(interrupt) = wait(self.reason(), None) {
                self.leave_queue(self.lock(), place);
                interrupt.unwind()
            }
        }
    }

    /// Waits until there is room, but leaves it to others. Returns false if `deadline` came first.
    pub(super) fn wait_for_room(&self, deadline: Option<Instant>) -> bool {
        let mut place = None;
        let mut late = false;
        loop {
            let mut state = self.lock();
            let room = state.threads.len() < self.limit;
            if room || late {
                self.leave_queue(state, place);
                return room;
            }
            place = Some(state.await_room.push(place));
            drop(state);
            match wait(self.reason(), deadline) {
                Outcome::Woken => {}
                Outcome::TimedOut => late = true,
                Outcome::Interrupted(interrupt) => {
                    self.leave_queue(self.lock(), place);
                    interrupt.unwind()
                }
            }
        }
    }

    /// Waits until the last member has left, even if another one has entered since.
    pub(super) fn wait_until_empty(&self, deadline: Option<Instant>) -> Outcome {
        let emptied = self.lock().emptied;
        let mut place = None;
        let mut end = Outcome::Woken;
        loop {
            let mut state = self.lock();
            let empty = state.threads.is_empty() || state.emptied != emptied;
            if empty || end != Outcome::Woken {
                if let Some(key) = place {
                    state.await_end.remove(key);
                }
                // Who was interrupted must unwind: the interrupt is not delivered again.
                let interrupted = matches!(end, Outcome::Interrupted(_));
                return if interrupted || !empty {
                    end
                } else {
                    Outcome::Woken
                };
            }
            place = Some(state.await_end.push(place));
            drop(state);
            end = wait(self.reason(), deadline);
        }
    }

    /// Cancels those who are members now.
    pub(super) fn cancel(&self) -> io::Result<()> {
        self.threads().iter().try_for_each(Thread::cancel)
    }

    /// Cancels the members, and whoever enters before `reopen`.
    pub(super) fn close(&self) -> io::Result<()> {
        self.lock().closings += 1;
        self.cancel()
    }

    pub(super) fn reopen(&self) {
        self.lock().closings -= 1;
    }

    /// Spawns a thread for a member.
    #[track_caller]
    pub(super) fn spawn<F, T>(
        &self,
        builder: Builder,
        membership: Membership,
        f: F,
    ) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let number = membership.number;
        let member = Member { f, membership };
        let handle = builder.spawn(move || member.run())?;
        self.is_thread(number, handle.thread());
        Ok(handle)
    }

    /// Notes which thread the member is, if it has not left already.
    pub(super) fn is_thread(&self, number: u64, thread: &Thread) {
        let mut state = self.lock();
        if let Some(entry) = state.threads.get_mut(&number) {
            *entry = Some(thread.clone());
        }
        let closing = state.closings > 0;
        drop(state);
        if closing {
            // It cannot be cancelled in OS-thread mode, and then it goes on.
            let _ = thread.cancel();
        }
    }

    fn enter_if_room(self: &Arc<Self>, state: &mut State) -> Option<Membership> {
        if state.threads.len() >= self.limit {
            return None;
        }
        let number = state.entered;
        state.entered += 1;
        state.threads.insert(number, None);
        Some(Membership {
            members: self.clone(),
            number,
        })
    }

    /// Stops waiting for room. Who was told of room and leaves some tells the next one.
    fn leave_queue(&self, mut state: MutexGuard<'_, State>, place: Option<Key>) {
        let told = place.is_some_and(|key| !state.await_room.remove(key));
        if told {
            self.tell_of_room(state);
        }
    }

    fn tell_of_room(&self, mut state: MutexGuard<'_, State>) {
        if state.threads.len() < self.limit {
            let next = state.await_room.pop();
            drop(state);
            if let Some(next) = next {
                next.wake();
            }
        }
    }

    fn leave(&self, number: u64) {
        let mut state = self.lock();
        let thread = state.threads.remove(&number);
        let empty = state.threads.is_empty();
        state.emptied += u64::from(empty);
        let ended = empty.then(|| state.await_end.take());
        self.tell_of_room(state);
        if let Some(ended) = ended {
            ended.for_each(|waiter| waiter.wake());
        }
        drop(thread);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a member's thread runs. If it never does, it is dropped in this order.
struct Member<F> {
    f: F,
    membership: Membership,
}

impl<F: FnOnce() -> T, T> Member<F> {
    fn run(self) -> T {
        let _membership = self.membership;
        (self.f)()
    }
}

impl Membership {
    /// By which the members know it.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.members.leave(self.number);
    }
}
