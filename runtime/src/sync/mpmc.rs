//! Channels with many senders and many receivers, each of which can be cloned. Every value goes to one
//! receiver. The names are those of `std::sync::mpmc`, which is not stable yet.
//!
//! # Examples
//!
//! ```
//! use greenwire_runtime::{sync::mpmc, thread};
//!
//! let (jobs, todo) = mpmc::sync_channel(10);
//! let workers: Vec<_> = (0..3)
//!     .map(|_| {
//!         let todo = todo.clone();
//!         thread::spawn(move || todo.iter().sum::<u32>())
//!     })
//!     .collect();
//! (1..=100).for_each(|job| jobs.send(job).unwrap());
//! drop(jobs);
//! let sums = workers.into_iter().map(|worker| worker.join().unwrap());
//! assert_eq!(sums.sum::<u32>(), 5050);
//! ```

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use super::channel::{Channel, Rx, Tx, channel as new_channel};
use super::source::deadline_in;

pub use super::iter::{IntoIter, Iter, TryIter};
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

/// Makes a channel that holds any number of values: sending never waits.
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = new_channel(None);
    (Sender(sender), Receiver(receiver))
}

/// Makes a channel that holds up to `bound` values: sending to a full one parks the sender. With a
/// bound of 0, a sender parks until its value has been received.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::sync::mpmc::{self, TrySendError};
///
/// let (sender, receiver) = mpmc::sync_channel(1);
/// sender.send('a').unwrap();
/// assert_eq!(sender.try_send('b'), Err(TrySendError::Full('b')));
/// assert_eq!(receiver.recv(), Ok('a'));
/// ```
#[must_use]
pub fn sync_channel<T>(bound: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = new_channel(Some(bound));
    (Sender(sender), Receiver(receiver))
}

/// The sending half of a channel. Senders that wait are served in the order in which they came.
pub struct Sender<T>(Tx<T>);

/// The receiving half of a channel. Receivers that wait are served in the order in which they came.
pub struct Receiver<T>(Rx<T>);

impl<T> Sender<T> {
    /// Sends a value. Parks while the channel is full; one without a bound never is.
    ///
    /// # Errors
    ///
    /// With the value if all receivers are gone.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.0.send(value)
    }

    /// Sends a value if the channel has room, or if its bound is 0 and a receiver waits. Never parks.
    ///
    /// # Errors
    ///
    /// With the value if the channel is full or all receivers are gone.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(value)
    }

    /// Sends a value. Parks for at most `timeout` while the channel is full.
    ///
    /// # Errors
    ///
    /// With the value if the channel stayed full or all receivers are gone.
    pub fn send_timeout(&self, value: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.0.send_until(value, deadline_in(timeout))
    }

    /// As [`send_timeout`](Sender::send_timeout), until an instant.
    ///
    /// # Errors
    ///
    /// As `send_timeout`.
    pub fn send_deadline(&self, value: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.0.send_until(value, Some(deadline))
    }

    /// Whether there is no value in the channel. One with a bound of 0 never holds any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// Whether the channel holds as many values as it may. One with a bound of 0 always does.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// How many values there are in the channel.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How many values the channel may hold: the bound, if it has one.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.0.capacity()
    }

    /// Whether both send to the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        std::ptr::eq(&*self.0, &*other.0)
    }
}

impl<T> Receiver<T> {
    /// Receives the next value. Parks while there is none.
    ///
    /// # Errors
    ///
    /// If there is none and all senders are gone.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.0.recv()
    }

    /// Receives the next value, if there is one. Never parks.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none, `Disconnected` if moreover all senders are gone.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.0.try_recv()
    }

    /// Receives the next value. Parks for at most `timeout` while there is none.
    ///
    /// # Errors
    ///
    /// `Timeout` if none came, `Disconnected` if there is none and all senders are gone.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.0.recv_until(deadline_in(timeout))
    }

    /// As [`recv_timeout`](Receiver::recv_timeout), until an instant.
    ///
    /// # Errors
    ///
    /// As `recv_timeout`.
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.0.recv_until(Some(deadline))
    }

    /// The values as they come, parking in between, until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(&self.0)
    }

    /// The values that are there.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(&self.0)
    }

    /// Whether there is no value in the channel. One with a bound of 0 never holds any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// Whether the channel holds as many values as it may. One with a bound of 0 always does.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// How many values there are in the channel.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How many values the channel may hold: the bound, if it has one.
    #[must_use]
    pub fn capacity(&self) -> Option<usize> {
        self.0.capacity()
    }

    /// Whether both receive from the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        std::ptr::eq(&*self.0, &*other.0)
    }

    pub(super) fn channel(&self) -> &Channel<T> {
        &self.0
    }
}

/// Why a value, which it gives back, could not be sent in time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SendTimeoutError<T> {
    /// The channel stayed full.
    Timeout(T),
    /// All receivers are gone.
    Disconnected(T),
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendTimeoutError::Timeout(_) => "Timeout(..)",
            SendTimeoutError::Disconnected(_) => "Disconnected(..)",
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendTimeoutError::Timeout(_) => "the channel stayed full for too long",
            SendTimeoutError::Disconnected(_) => "all receivers of the channel are gone",
        })
    }
}

impl<T> Error for SendTimeoutError<T> {}

impl<T> From<SendError<T>> for SendTimeoutError<T> {
    fn from(SendError(value): SendError<T>) -> SendTimeoutError<T> {
        SendTimeoutError::Disconnected(value)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender(self.0.clone())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        Receiver(self.0.clone())
    }
}

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
        IntoIter(self.0)
    }
}
