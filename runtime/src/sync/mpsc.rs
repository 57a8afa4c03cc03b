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
use std::fmt;
use std::marker::PhantomData;
use std::panic::RefUnwindSafe;
use std::time::Duration;

use super::channel::{Channel, Rx, Tx, channel as new_channel};
use super::source::deadline_in;

pub use super::iter::{IntoIter, Iter, TryIter};
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

/// Makes a channel that holds any number of values: sending never waits.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::mpsc, thread};
///
/// let (sender, receiver) = mpsc::channel();
/// thread::spawn(move || sender.send("hello").unwrap());
/// assert_eq!(receiver.recv(), Ok("hello"));
/// assert!(receiver.recv().is_err(), "the only sender is gone");
/// ```
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = new_channel(None);
    (Sender(sender), Receiver::new(receiver))
}

/// Makes a channel that holds up to `bound` values: sending to a full one parks the sender. With a
/// bound of 0, a sender parks until its value has been received.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::mpsc, thread};
///
/// let (sender, receiver) = mpsc::sync_channel(1);
/// let sends = thread::spawn(move || {
///     for line in ["one", "two", "three"] {
///         sender.send(line).unwrap(); // waits while there is an unread one
///     }
/// });
/// assert_eq!(receiver.iter().collect::<Vec<_>>(), ["one", "two", "three"]);
/// sends.join().unwrap();
/// ```
#[must_use]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = new_channel(Some(bound));
    (SyncSender(sender), Receiver::new(receiver))
}

/// The sending half of a [`channel`].
pub struct Sender<T>(Tx<T>);

/// The sending half of a [`sync_channel`].
pub struct SyncSender<T>(Tx<T>);

/// The receiving half of a channel.
pub struct Receiver<T> {
    rx: Rx<T>,
    /// Only one thread at a time may receive.
    _not_sync: PhantomData<Cell<()>>,
}

// As std's, whatever is sent.
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Sender<T> {
    /// Sends a value. Never parks.
    ///
    /// # Errors
    ///
    /// With the value if the receiver is gone.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.0.push(value)
    }
}

impl<T> SyncSender<T> {
    /// Sends a value. Parks while the channel is full.
    ///
    /// # Errors
    ///
    /// With the value if the receiver is gone.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.0.send(value)
    }

    /// Sends a value if the channel has room, or if the receiver waits. Never parks.
    ///
    /// # Errors
    ///
    /// With the value if the channel is full or the receiver gone.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(value)
    }
}

impl<T> Receiver<T> {
    fn new(rx: Rx<T>) -> Receiver<T> {
        Receiver {
            rx,
            _not_sync: PhantomData,
        }
    }

    pub(super) fn channel(&self) -> &Channel<T> {
        &self.rx
    }

    /// Receives the next value. Parks while there is none.
    ///
    /// # Errors
    ///
    /// If there is none and all senders are gone.
    #[inline(always)]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.rx.recv()
    }

    /// Receives the next value. Parks for at most `timeout` while there is none.
    ///
    /// # Errors
    ///
    /// `Timeout` if none came, `Disconnected` if there is none and all senders are gone.
    #[inline(always)]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.rx.recv_until(deadline_in(timeout))
    }

    /// Receives the next value, if there is one. Never parks.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none, `Disconnected` if moreover all senders are gone.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.rx.try_recv()
    }

    /// The values as they come, parking in between, until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(&self.rx)
    }

    /// The values that are there.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter(&self.rx)
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
        IntoIter(self.rx)
    }
}
