//! The one channel under [`mpsc`](super::mpsc) and [`mpmc`](super::mpmc): a queue of values, those who
//! wait for a value, and those who wait for room.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem;
use std::ops::Deref;
use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::mpmc::SendTimeoutError;
use super::source::{Source, charge, wait_for, wait_until};
use crate::insight::{Reason, number_of};
use crate::wait::{Key, WaitList, Waiter};

/// Makes a channel that holds up to `bound` values, or any number.
pub(super) fn channel<T>(bound: Option<usize>) -> (Tx<T>, Rx<T>) {
    let bound = bound.map(|limit| Bound {
        limit,
        ..Bound::default()
    });
    let state = State {
        values: VecDeque::new(),
        bound: bound.map(Box::new),
        senders: 1,
        receivers: 1,
        waiting: WaitList::new(),
    };
    let channel = Arc::new(Channel(Mutex::new(state)));
    (Tx(channel.clone()), Rx(channel))
}

/// A sender. The last one to go tells the receivers.
pub(super) struct Tx<T>(Arc<Channel<T>>);

/// A receiver. The last one to go tells the senders.
pub(super) struct Rx<T>(Arc<Channel<T>>);

pub(super) struct Channel<T>(Mutex<State<T>>);

struct State<T> {
    values: VecDeque<T>,
    bound: Option<Box<Bound>>,
    senders: usize,
    receivers: usize,
    /// Receivers that wait for a value.
    waiting: WaitList,
}

/// What a bounded channel needs besides.
#[derive(Default)]
struct Bound {
    limit: usize,
    /// Senders that wait for room or, with a limit of 0, for their value to be received.
    blocked: WaitList,
    /// With a limit of 0, the place of each value's sender.
    offers: VecDeque<Key>,
}

/// Sending.
impl<T> Channel<T> {
    /// Sends, whatever the bound. Never parks, and does not let others run.
    pub(super) fn push(&self, value: T) -> Result<(), SendError<T>> {
        let state = self.lock();
        if state.receivers == 0 {
            return Err(SendError(value));
        }
        add(state, value);
        Ok(())
    }

    pub(super) fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut state = self.lock();
        if state.receivers == 0 {
            return Err(TrySendError::Disconnected(value));
        }
        let is_awaited = !state.waiting.is_empty();
        let has_room = state.has_room();
        match state.rendezvous() {
            Some(bound) if is_awaited => {
                let offer = bound.blocked.reserve();
                bound.offers.push_back(offer);
            }
            None if has_room => {}
            _ => return Err(TrySendError::Full(value)),
        }
        add(state, value);
        Ok(())
    }

    pub(super) fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.send_until(value, None).map_err(|error| match error {
            SendTimeoutError::Timeout(value) | SendTimeoutError::Disconnected(value) => {
                SendError(value)
            }
        })
    }

    pub(super) fn send_until(
        &self,
        value: T,
        deadline: Option<Instant>,
    ) -> Result<(), SendTimeoutError<T>> {
        let sending = Sending {
            channel: self,
            value: Cell::new(Some(value)),
        };
        match (wait_until(&sending, deadline), sending.value.into_inner()) {
            (Some(sent), _) => Ok(sent?),
            (None, Some(value)) => Err(SendTimeoutError::Timeout(value)),
            // It was received at the last moment.
            (None, None) => Ok(()),
        }
    }
}

/// What a sender waits for: room for its value or, with a limit of 0, that it is received.
struct Sending<'a, T> {
    channel: &'a Channel<T>,
    /// None once it is in the channel.
    value: Cell<Option<T>>,
}

impl<T> Source for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(&self, place: &mut Option<Key>) -> Option<Self::Output> {
        let mut state = self.channel.lock();
        let Some(value) = self.value.take() else {
            return state.receipt(place);
        };
        if state.receivers == 0 {
            return Some(Err(SendError(value)));
        }
        if let Some(bound) = state.rendezvous() {
            let offer = bound.blocked.push(None);
            bound.offers.push_back(offer);
            *place = Some(offer);
            add(state, value);
            return None;
        }
        if state.has_room() {
            state.unblock(place.take());
            add(state, value);
            return Some(Ok(()));
        }
        self.value.set(Some(value));
        *place = state.block(*place);
        None
    }

    fn reason(&self) -> Reason {
        Reason::Send(number_of(self.channel))
    }

    fn leave(&self, place: Key) {
        let mut state = self.channel.lock();
        let Some(value) = self.value.take() else {
            return self.value.set(state.take_back(place));
        };
        self.value.set(Some(value));
        // Who was told of room and does not use it tells the next one.
        if !state.unblock(Some(place)) && state.has_room() {
            let next = state.bound.as_mut().and_then(|bound| bound.blocked.pop());
            wake(next, state);
        }
    }
}

/// Receiving.
impl<T> Channel<T> {
    #[inline(always)]
    pub(super) fn recv(&self) -> Result<T, RecvError> {
        wait_for(self)
    }

    #[inline(always)]
    pub(super) fn recv_until(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        match wait_until(self, deadline) {
            Some(received) => Ok(received?),
            None => Err(RecvTimeoutError::Timeout),
        }
    }

    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        charge();
        self.take(self.lock()).map_err(|state| match state.senders {
            0 => TryRecvError::Disconnected,
            _ => TryRecvError::Empty,
        })
    }

    /// Takes the next value, and wakes a sender for the room that this makes.
    fn take<'a>(&self, mut state: MutexGuard<'a, State<T>>) -> Result<T, MutexGuard<'a, State<T>>> {
        let Some(value) = state.values.pop_front() else {
            return Err(state);
        };
        let sender = state.bound.as_mut().and_then(|bound| {
            // With a limit of 0, the sender of this very value.
            match bound.offers.pop_front() {
                Some(offer) => bound.blocked.pick(offer),
                None => bound.blocked.pop(),
            }
        });
        wake(sender, state);
        Ok(value)
    }
}

impl<T> Source for Channel<T> {
    type Output = Result<T, RecvError>;

    fn poll(&self, place: &mut Option<Key>) -> Option<Result<T, RecvError>> {
        let mut state = self.lock();
        if state.values.is_empty() && state.senders > 0 {
            *place = Some(state.waiting.push(*place));
            return None;
        }
        place.take().map(|place| state.waiting.remove(place));
        Some(self.take(state).map_err(|_| RecvError))
    }

    fn reason(&self) -> Reason {
        Reason::Receive(number_of(self))
    }

    fn leave(&self, place: Key) {
        let mut state = self.lock();
        if !state.waiting.remove(place) && !state.values.is_empty() {
            wake(state.waiting.pop(), state);
        }
    }
}

/// What both halves may ask.
impl<T> Channel<T> {
    pub(super) fn len(&self) -> usize {
        let state = self.lock();
        match state.is_rendezvous() {
            // They are still their senders'.
            true => 0,
            false => state.values.len(),
        }
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        self.lock().bound.as_ref().map(|bound| bound.limit)
    }

    pub(super) fn is_full(&self) -> bool {
        !self.lock().has_room()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn has_room(&self) -> bool {
        let bound = self.bound.as_ref();
        bound.is_none_or(|bound| self.values.len() < bound.limit)
    }

    fn is_rendezvous(&self) -> bool {
        self.bound.as_ref().is_some_and(|bound| bound.limit == 0)
    }

    /// The bound, if the limit is 0.
    fn rendezvous(&mut self) -> Option<&mut Bound> {
        self.bound.as_deref_mut().filter(|bound| bound.limit == 0)
    }

    /// With a limit of 0: whether the value that was offered from `place` is received, or never will be.
    fn receipt(&mut self, place: &mut Option<Key>) -> Option<Result<(), SendError<T>>> {
        let offer = (*place)?;
        let bound = self.bound.as_mut()?;
        if bound.offers.binary_search(&offer).is_err() {
            *place = None;
            return Some(Ok(()));
        }
        if self.receivers > 0 {
            bound.blocked.push(Some(offer));
            return None;
        }
        *place = None;
        self.take_back(offer).map(|value| Err(SendError(value)))
    }

    /// Takes a value back that was offered and not received.
    fn take_back(&mut self, offer: Key) -> Option<T> {
        let bound = self.bound.as_mut()?;
        bound.blocked.remove(offer);
        let index = bound.offers.binary_search(&offer).ok()?;
        bound.offers.remove(index);
        self.values.remove(index)
    }

    /// Puts the calling sender among the blocked ones, at the place that it had before.
    fn block(&mut self, place: Option<Key>) -> Option<Key> {
        self.bound.as_mut().map(|bound| bound.blocked.push(place))
    }

    /// Takes it out again. Returns false if it was told of room.
    fn unblock(&mut self, place: Option<Key>) -> bool {
        let blocked = self.bound.as_mut().map(|bound| &mut bound.blocked);
        blocked
            .zip(place)
            .is_some_and(|(blocked, place)| blocked.remove(place))
    }
}

/// Adds a value, and wakes a receiver for it.
fn add<T>(mut state: MutexGuard<'_, State<T>>, value: T) {
    state.values.push_back(value);
    wake(state.waiting.pop(), state);
}

/// Unlocks before it wakes, so that who is woken does not find the lock taken.
fn wake<T>(waiter: Option<Waiter>, unlock: MutexGuard<'_, T>) {
    drop(unlock);
    if let Some(waiter) = waiter {
        waiter.wake();
    }
}

impl<T> Clone for Tx<T> {
    fn clone(&self) -> Tx<T> {
        self.lock().senders += 1;
        Tx(self.0.clone())
    }
}

impl<T> Clone for Rx<T> {
    fn clone(&self) -> Rx<T> {
        self.lock().receivers += 1;
        Rx(self.0.clone())
    }
}

impl<T> Drop for Tx<T> {
    fn drop(&mut self) {
        let mut state = self.lock();
        state.senders -= 1;
        if state.senders == 0 {
            let waiting = state.waiting.take();
            drop(state);
            waiting.for_each(|receiver| receiver.wake());
        }
    }
}

impl<T> Drop for Rx<T> {
    fn drop(&mut self) {
        let mut state = self.lock();
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        // With a limit of 0 they belong to their senders, who take them back.
        let values = match state.is_rendezvous() {
            true => VecDeque::new(),
            false => mem::take(&mut state.values),
        };
        let blocked = state.bound.as_mut().map(|bound| bound.blocked.take());
        drop(state);
        let blocked = blocked.into_iter().flatten();
        blocked.for_each(|sender| sender.wake());
        drop(values);
    }
}

impl<T> Deref for Tx<T> {
    type Target = Channel<T>;

    fn deref(&self) -> &Channel<T> {
        &self.0
    }
}

impl<T> Deref for Rx<T> {
    type Target = Channel<T>;

    fn deref(&self) -> &Channel<T> {
        &self.0
    }
}
