//! Channels for a single value. The names are those of `std::sync::oneshot`, which is not stable yet.
//!
//! # Examples
//!
//! ```
//! use greenwire_runtime::{sync::oneshot, thread};
//!
//! let (sender, receiver) = oneshot::channel();
//! thread::spawn(move || sender.send("the answer").unwrap());
//! assert_eq!(receiver.recv(), Ok("the answer"));
//! ```

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::source::{Source, charge, deadline_in, try_take, wait_for, wait_until};
use crate::insight::{Reason, number_of};
use crate::wait::{Key, WaitList};

pub use std::sync::mpsc::{RecvError, SendError};

/// Makes a channel for one value.
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = State {
        value: None,
        has_sender: true,
        has_receiver: true,
        waiters: WaitList::new(),
    };
    let channel = Arc::new(Channel(Mutex::new(state)));
    (Sender(channel.clone()), Receiver(channel))
}

/// The sending half of a [`channel`].
pub struct Sender<T>(Arc<Channel<T>>);

/// The receiving half of a [`channel`].
pub struct Receiver<T>(Arc<Channel<T>>);

struct Channel<T>(Mutex<State<T>>);

struct State<T> {
    value: Option<T>,
    has_sender: bool,
    has_receiver: bool,
    waiters: WaitList,
}

impl<T> Sender<T> {
    /// Sends the value. Never parks.
    ///
    /// # Errors
    ///
    /// With the value if the receiver is gone.
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        let mut state = self.0.lock();
        if !state.has_receiver {
            return Err(SendError(value));
        }
        state.value = Some(value);
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// Receives the value. Parks until it is there.
    ///
    /// # Errors
    ///
    /// If the sender is gone and has sent none.
    pub fn recv(self) -> Result<T, RecvError> {
        wait_for(&self)
    }

    /// Receives the value, if it is there. Never parks.
    ///
    /// # Errors
    ///
    /// `Empty`, with the receiver, if it is not there yet, `Disconnected` if it will never be.
    pub fn try_recv(self) -> Result<T, TryRecvError<T>> {
        charge();
        match try_take(&self) {
            Some(received) => Ok(received?),
            None => Err(TryRecvError::Empty(self)),
        }
    }

    /// Receives the value. Parks for at most `timeout` until it is there.
    ///
    /// # Errors
    ///
    /// `Timeout`, with the receiver, if it is not there yet, `Disconnected` if it will never be.
    pub fn recv_timeout(self, timeout: Duration) -> Result<T, RecvTimeoutError<T>> {
        self.recv_until(deadline_in(timeout))
    }

    /// As [`recv_timeout`](Receiver::recv_timeout), until an instant.
    ///
    /// # Errors
    ///
    /// As `recv_timeout`.
    pub fn recv_deadline(self, deadline: Instant) -> Result<T, RecvTimeoutError<T>> {
        self.recv_until(Some(deadline))
    }

    fn recv_until(self, deadline: Option<Instant>) -> Result<T, RecvTimeoutError<T>> {
        match wait_until(&self, deadline) {
            Some(received) => Ok(received?),
            None => Err(RecvTimeoutError::Timeout(self)),
        }
    }
}

impl<T> Channel<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Source for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(&self, place: &mut Option<Key>) -> Option<Result<T, RecvError>> {
        let mut state = self.0.lock();
        if state.has_sender {
            *place = Some(state.waiters.push(*place));
            return None;
        }
        place.take().map(|place| state.waiters.remove(place));
        Some(state.value.take().ok_or(RecvError))
    }

    fn reason(&self) -> Reason {
        Reason::Receive(number_of(&*self.0))
    }

    fn leave(&self, place: Key) {
        // All who wait were told, so there is nobody to pass it on to.
        self.0.lock().waiters.remove(place);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.has_sender = false;
        let waiters = state.waiters.take();
        drop(state);
        waiters.for_each(|waiter| waiter.wake());
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.has_receiver = false;
        let unwanted = state.value.take();
        drop(state);
        drop(unwanted);
    }
}

/// Why [`Receiver::try_recv`] gave no value.
pub enum TryRecvError<T> {
    /// The value is not there yet. The receiver can be used again.
    Empty(Receiver<T>),
    /// The sender is gone and has sent none.
    Disconnected,
}

/// Why [`Receiver::recv_timeout`] gave no value.
pub enum RecvTimeoutError<T> {
    /// The value is not there yet. The receiver can be used again.
    Timeout(Receiver<T>),
    /// The sender is gone and has sent none.
    Disconnected,
}

impl<T> From<RecvError> for TryRecvError<T> {
    fn from(_: RecvError) -> TryRecvError<T> {
        TryRecvError::Disconnected
    }
}

impl<T> From<RecvError> for RecvTimeoutError<T> {
    fn from(_: RecvError) -> RecvTimeoutError<T> {
        RecvTimeoutError::Disconnected
    }
}

impl<T> fmt::Debug for TryRecvError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryRecvError::Empty(_) => "Empty(..)",
            TryRecvError::Disconnected => "Disconnected",
        })
    }
}

impl<T> fmt::Debug for RecvTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RecvTimeoutError::Timeout(_) => "Timeout(..)",
            RecvTimeoutError::Disconnected => "Disconnected",
        })
    }
}

impl<T> fmt::Display for TryRecvError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryRecvError::Empty(_) => "the value is not there yet",
            TryRecvError::Disconnected => "the sender is gone and has sent no value",
        })
    }
}

impl<T> fmt::Display for RecvTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RecvTimeoutError::Timeout(_) => "the value did not come in time",
            RecvTimeoutError::Disconnected => "the sender is gone and has sent no value",
        })
    }
}

impl<T> Error for TryRecvError<T> {}

impl<T> Error for RecvTimeoutError<T> {}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
