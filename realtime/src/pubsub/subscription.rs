//! The receiving end.

use super::inbox::Inbox;
use super::topics::Hub;
use super::{Event, Filter, Message};
use greenwire_runtime::sync::mpsc::{RecvError, RecvTimeoutError, TryRecvError};
use greenwire_runtime::sync::select::{On, Receive, Select, recv};
use greenwire_runtime::thread::no_cancel;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Receives what is published to its topics, until it is dropped.
///
/// It is a receiver as those of [`mpsc`](greenwire_runtime::sync::mpsc): an iterator, with
/// [`recv_timeout`](Subscription::recv_timeout), and for
/// [`select!`](greenwire_runtime::sync::select!). Threads that share one divide the events between them.
///
/// ```
/// use greenwire_realtime::pubsub::{Event, Topics};
/// use greenwire_runtime::sync::select;
/// use std::time::Duration;
///
/// let topics = Topics::new();
/// let (orders, prices) = (topics.subscribe("orders"), topics.subscribe("prices"));
/// topics.publish("prices", 17);
/// select! {
///     recv(orders) -> order => println!("{order:?}"),
///     recv(prices) -> price => match price {
///         Ok(Event::Message(price)) => println!("now at {}", price.payload()),
///         Ok(Event::Missed(_)) => println!("some are missing here"),
///         Ok(_) | Err(_) => println!("there are no more"),
///     },
///     after(Duration::from_secs(10)) => println!("nothing happens"),
/// }
/// ```
#[must_use = "a subscription ends when it is dropped"]
pub struct Subscription<T> {
    inbox: Arc<Inbox<T>>,
    hub: Weak<Hub<T>>,
    number: u64,
    filters: Vec<Filter>,
}

impl<T> Subscription<T> {
    pub(super) fn new(
        inbox: Arc<Inbox<T>>,
        hub: Weak<Hub<T>>,
        number: u64,
        filter: Filter,
    ) -> Subscription<T> {
        Subscription {
            inbox,
            hub,
            number,
            filters: vec![filter],
        }
    }

    /// Receives the next event. Parks while there is none.
    ///
    /// # Errors
    ///
    /// If the subscription has ended: all handles of the topics are gone, or it was
    /// [too slow](Event::TooSlow).
    pub fn recv(&self) -> Result<Event<T>, RecvError> {
        Select::new(recv(self)).wait()
    }

    /// Receives the next event. Parks for at most `timeout` while there is none.
    ///
    /// # Errors
    ///
    /// `Timeout` if none came, `Disconnected` if the subscription has ended.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Event<T>, RecvTimeoutError> {
        let received = Select::new(recv(self)).wait_timeout(timeout);
        Ok(received.ok_or(RecvTimeoutError::Timeout)??)
    }

    /// Receives the next event, if there is one. Never parks.
    ///
    /// # Errors
    ///
    /// `Empty` if there is none, `Disconnected` if moreover the subscription has ended.
    pub fn try_recv(&self) -> Result<Event<T>, TryRecvError> {
        let received = Select::new(recv(self)).try_wait();
        Ok(received.ok_or(TryRecvError::Empty)??)
    }

    /// The events as they come, parking in between, until the subscription ends.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// The messages as they come, for who does not mind that some may be missing.
    pub fn messages(&self) -> Messages<'_, T> {
        Messages(self)
    }

    /// Subscribes to another topic or [`pattern`](super::pattern) as well.
    pub fn add(&mut self, to: impl Into<Filter>) {
        let filter = to.into();
        if let Some(hub) = self.hub.upgrade()
            && !self.filters.contains(&filter)
        {
            hub.lock().join(&filter, self.number, &self.inbox);
            self.filters.push(filter);
        }
    }

    /// Takes back what [`add`](Subscription::add) or the subscribing itself did. What is queued is still
    /// received. Returns whether it had been done.
    pub fn remove(&mut self, from: impl Into<Filter>) -> bool {
        let filter = from.into();
        let index = self.filters.iter().position(|known| *known == filter);
        if let Some(index) = index {
            self.leave(&self.filters[index]);
            self.filters.swap_remove(index);
        }
        index.is_some()
    }

    fn leave(&self, filter: &Filter) {
        if let Some(hub) = self.hub.upgrade() {
            let removed = hub.lock().leave(filter, self.number);
            drop(removed);
        }
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        // First, since a publisher may wait for room in it.
        self.inbox.abandon();
        // The topics may be locked, and a cancellation then would leave something of it in them.
        no_cancel(|| self.filters.iter().for_each(|filter| self.leave(filter)));
    }
}

impl<T> Receive for Subscription<T> {
    type Item = Event<T>;

    fn arm(&self) -> On<'_, Result<Event<T>, RecvError>> {
        On::new(&*self.inbox)
    }
}

/// The events of a [`Subscription`], by [`iter`](Subscription::iter).
pub struct Iter<'a, T>(&'a Subscription<T>);

/// The messages of a [`Subscription`], by [`messages`](Subscription::messages).
pub struct Messages<'a, T>(&'a Subscription<T>);

/// The events of a [`Subscription`] that it owns.
pub struct IntoIter<T>(Subscription<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = Event<T>;

    fn next(&mut self) -> Option<Event<T>> {
        self.0.recv().ok()
    }
}

impl<T> Iterator for Messages<'_, T> {
    type Item = Message<T>;

    fn next(&mut self) -> Option<Message<T>> {
        self.0.iter().find_map(|event| match event {
            Event::Message(message) => Some(message),
            _ => None,
        })
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = Event<T>;

    fn next(&mut self) -> Option<Event<T>> {
        self.0.recv().ok()
    }
}

impl<T> FusedIterator for Iter<'_, T> {}
impl<T> FusedIterator for Messages<'_, T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<'a, T> IntoIterator for &'a Subscription<T> {
    type Item = Event<T>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Subscription<T> {
    type Item = Event<T>;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("to", &self.filters)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Iter").field(self.0).finish()
    }
}

impl<T> fmt::Debug for Messages<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Messages").field(self.0).finish()
    }
}

impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IntoIter").field(&self.0).finish()
    }
}
