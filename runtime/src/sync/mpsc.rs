//! Channels with many senders and one receiver, as [`std::sync::mpsc`], between threads of both kinds.
//!
//! # Examples
//!
//! ```
//! use greenwire_runtime::{sync::mpsc, thread};
//!
//! let (sender, receiver) = mpsc::channel();
//! for n in 0..3 {
//!     let sender = sender.clone();
//!     thread::spawn(move || sender.send(n).unwrap());
//! }
//! drop(sender);
//! assert_eq!(receiver.iter().sum::<i32>(), 3);
//! ```

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::scheduler::Worker;
use crate::wait::{Key, Outcome, WaitList, Waiter, wait};

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

/// Makes a channel that holds any number of values: sending never waits.
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Channel::new(None);
    (
        Sender(Tx(channel.clone())),
        Receiver {
            channel,
            _not_sync: PhantomData,
        },
    )
}

/// Makes a channel that holds up to `bound` values: sending to a full one parks the sender. With a
/// bound of 0, a sender parks until its value has been received.
#[must_use]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let channel = Channel::new(Some(bound));
    (
        SyncSender(Tx(channel.clone())),
        Receiver {
            channel,
            _not_sync: PhantomData,
        },
    )
}

/// The sending half of a [`channel`].
pub struct Sender<T>(Tx<T>);

/// The sending half of a [`sync_channel`].
pub struct SyncSender<T>(Tx<T>);

/// The receiving half of a channel.
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
    /// Only one thread at a time may receive.
    _not_sync: PhantomData<Cell<()>>,
}

impl<T> Sender<T> {
    /// Sends a value. Never parks.
    ///
    /// # Errors
    ///
    /// With the value if the receiver is gone.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.0.0.push(value)
    }
}

impl<T> SyncSender<T> {
    /// Sends a value. Parks while the channel is full.
    ///
    /// # Errors
    ///
    /// With the value if the receiver is gone.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.0.0.send(value)
    }

    /// Sends a value if the channel has room, or if the receiver waits. Never parks.
    ///
    /// # Errors
    ///
    /// With the value if the channel is full or the receiver gone.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.0.0.try_send(value)
    }
}

impl<T> Receiver<T> {
    /// Receives the next value. Parks while there is none.
    ///
    /// # Errors
    ///
    /// If there is none and all senders are gone.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.channel.recv(None).map_err(|_| RecvError)
    }

    /// Receives the next value. Parks for at most `timeout` while there is none.
    ///
    /// # Errors
    ///
    /// `Timeout` if none came, `Disconnected` if there is none and all senders are gone.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.channel.recv(Some(deadline)),
            None => Ok(self.recv()?),
        }
    }

    /// Receives the next value, if there is one. Never parks.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none, `Disconnected` if moreover all senders are gone.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.channel.try_recv()
    }

    /// The values as they come, parking in between, until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// The values that are there.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(self)
    }
}

/// What both kinds of sender are: the last one to go tells the receiver.
struct Tx<T>(Arc<Channel<T>>);

struct Channel<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    values: VecDeque<T>,
    bound: Option<Box<Bound>>,
    senders: usize,
    has_receiver: bool,
    receiver: Option<Waiter>,
}

/// What a bounded channel needs besides.
#[derive(Default)]
struct Bound {
    limit: usize,
    /// Senders that wait for room or, with a limit of 0, for their value to be received.
    blocked: WaitList,
    /// With a limit of 0, the number of each value, by which its sender knows it.
    offers: VecDeque<u64>,
    next_offer: u64,
}

impl<T> Channel<T> {
    fn new(bound: Option<usize>) -> Arc<Channel<T>> {
        let state = State {
            values: VecDeque::new(),
            bound: bound.map(|limit| {
                Box::new(Bound {
                    limit,
                    ..Bound::default()
                })
            }),
            senders: 1,
            has_receiver: true,
            receiver: None,
        };
        Arc::new(Channel {
            state: Mutex::new(state),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, value: T) -> Result<(), SendError<T>> {
        let mut state = self.lock();
        if !state.has_receiver {
            return Err(SendError(value));
        }
        state.values.push_back(value);
        wake(state.receiver.take(), state);
        Ok(())
    }

    fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut state = self.lock();
        if !state.has_receiver {
            return Err(TrySendError::Disconnected(value));
        }
        if !state.has_room() && !state.receiver_awaits_offer() {
            return Err(TrySendError::Full(value));
        }
        state.offer(value);
        wake(state.receiver.take(), state);
        Ok(())
    }

    fn send(&self, value: T) -> Result<(), SendError<T>> {
        charge();
        let mut place = None;
        loop {
            let mut state = self.lock();
            if !state.has_receiver {
                return Err(SendError(value));
            }
            if state.is_rendezvous() {
                return self.hand_over(state, value);
            }
            if state.has_room() {
                state.leave(place);
                state.values.push_back(value);
                wake(state.receiver.take(), state);
                return Ok(());
            }
            place = state.block(place);
            drop(state);
            if let Outcome::Interrupted(interrupt) = wait(None) {
                self.give_up_sending(place);
                interrupt.unwind()
            }
        }
    }

    /// Sends with a limit of 0: waits until the value has been received.
    fn hand_over(&self, mut state: MutexGuard<'_, State<T>>, value: T) -> Result<(), SendError<T>> {
        let number = state.offer(value);
        let mut place = state.block(None);
        wake(state.receiver.take(), state);
        loop {
            let outcome = wait(None);
            let mut state = self.lock();
            let interrupted = matches!(outcome, Outcome::Interrupted(_));
            if !interrupted && state.has_receiver && state.is_offered(number) {
                place = state.block(place);
                continue;
            }
            state.leave(place);
            let not_received = state.take_back(number);
            drop(state);
            return match (outcome, not_received) {
                (Outcome::Interrupted(interrupt), value) => {
                    drop(value);
                    interrupt.unwind()
                }
                (_, Some(value)) => Err(SendError(value)),
                (_, None) => Ok(()),
            };
        }
    }

    /// Who was told of room and does not use it tells the next one.
    fn give_up_sending(&self, place: Option<Key>) {
        let mut state = self.lock();
        if !state.leave(place) && state.has_room() {
            let next = state.bound.as_mut().and_then(|bound| bound.blocked.pop());
            wake(next, state);
        }
    }

    fn recv(&self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError> {
        charge();
        let mut late = false;
        loop {
            let mut state = match self.take(self.lock()) {
                Ok(value) => return Ok(value),
                Err(state) => state,
            };
            if state.senders == 0 {
                return Err(RecvTimeoutError::Disconnected);
            }
            if late {
                state.receiver = None;
                return Err(RecvTimeoutError::Timeout);
            }
            state.receiver = Some(Waiter::current());
            drop(state);
            match wait(deadline) {
                Outcome::Woken => {}
                Outcome::TimedOut => late = true,
                Outcome::Interrupted(interrupt) => {
                    self.lock().receiver = None;
                    interrupt.unwind()
                }
            }
        }
    }

    fn try_recv(&self) -> Result<T, TryRecvError> {
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
        state.receiver = None;
        match &mut state.bound {
            None => drop(state),
            // The sender of this value may stand anywhere in the list.
            Some(bound) if bound.limit == 0 => {
                bound.offers.pop_front();
                let blocked = bound.blocked.take();
                drop(state);
                blocked.for_each(|sender| sender.wake());
            }
            Some(bound) => wake(bound.blocked.pop(), state),
        }
        Ok(value)
    }
}

impl<T> State<T> {
    fn is_rendezvous(&self) -> bool {
        self.bound.as_ref().is_some_and(|bound| bound.limit == 0)
    }

    fn has_room(&self) -> bool {
        self.bound
            .as_ref()
            .is_none_or(|bound| self.values.len() < bound.limit)
    }

    /// With a limit of 0: whether the receiver waits, and no value is on its way to it.
    fn receiver_awaits_offer(&self) -> bool {
        self.is_rendezvous() && self.values.is_empty() && self.receiver.is_some()
    }

    /// Adds a value, and numbers it if the limit is 0.
    fn offer(&mut self, value: T) -> u64 {
        self.values.push_back(value);
        let Some(bound) = self.bound.as_mut().filter(|bound| bound.limit == 0) else {
            return 0;
        };
        let number = bound.next_offer;
        bound.next_offer += 1;
        bound.offers.push_back(number);
        number
    }

    fn is_offered(&self, number: u64) -> bool {
        self.bound
            .as_ref()
            .is_some_and(|bound| bound.offers.contains(&number))
    }

    /// Takes a value back that was offered and not received.
    fn take_back(&mut self, number: u64) -> Option<T> {
        let offers = &mut self.bound.as_mut()?.offers;
        let index = offers.iter().position(|offer| *offer == number)?;
        offers.remove(index);
        self.values.remove(index)
    }

    /// Puts the calling sender among the blocked ones, at the place that it had before.
    fn block(&mut self, place: Option<Key>) -> Option<Key> {
        self.bound.as_mut().map(|bound| bound.blocked.push(place))
    }

    /// Takes it out again. Returns false if it was told of room.
    fn leave(&mut self, place: Option<Key>) -> bool {
        let blocked = self.bound.as_mut().map(|bound| &mut bound.blocked);
        blocked
            .zip(place)
            .is_some_and(|(blocked, key)| blocked.remove(key))
    }
}

/// Unlocks before it wakes, so that who is woken does not find the lock taken.
fn wake<T>(waiter: Option<Waiter>, unlock: MutexGuard<'_, T>) {
    drop(unlock);
    if let Some(waiter) = waiter {
        waiter.wake();
    }
}

fn charge() {
    if let Some((worker, slot)) = Worker::running() {
        worker.charge(slot);
    }
}

impl<T> Clone for Tx<T> {
    fn clone(&self) -> Tx<T> {
        self.0.lock().senders += 1;
        Tx(self.0.clone())
    }
}

impl<T> Drop for Tx<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        if state.senders == 0 {
            wake(state.receiver.take(), state);
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.channel.lock();
        state.has_receiver = false;
        // With a limit of 0 they belong to their senders, who take them back.
        let values = match state.is_rendezvous() {
            true => VecDeque::new(),
            false => std::mem::take(&mut state.values),
        };
        let blocked = state.bound.as_mut().map(|bound| bound.blocked.take());
        drop(state);
        drop(values);
        blocked
            .into_iter()
            .flatten()
            .for_each(|sender| sender.wake());
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender(self.0.clone())
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> SyncSender<T> {
        SyncSender(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncSender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// The values of a [`Receiver`] as they come.
#[derive(Debug)]
pub struct Iter<'a, T>(&'a Receiver<T>);

/// The values of a [`Receiver`] that are there.
#[derive(Debug)]
pub struct TryIter<'a, T>(&'a Receiver<T>);

/// The values of a [`Receiver`] as they come, owning it.
#[derive(Debug)]
pub struct IntoIter<T>(Receiver<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}
