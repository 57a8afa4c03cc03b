//! A flag that threads wait for.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::source::{Source, deadline_in, wait_for, wait_until};
use crate::insight::{Reason, number_of};
use crate::wait::{Key, WaitList};

/// A flag that any number of threads can wait for, as gevent's `Event` (std has none).
///
/// [`set`](Event::set) wakes all who wait, in the order in which they came. Each of them returns, even
/// if the flag is [`clear`](Event::clear)ed before it runs. While the flag is set, waiting returns at
/// once.
///
/// It takes 56 bytes, and owns no other memory until a thread has to wait for it.
///
/// # Examples
///
/// ```
/// use greenwire_runtime::{sync::Event, thread};
///
/// static STARTED: Event = Event::new();
///
/// let waits = thread::spawn(|| STARTED.wait());
/// STARTED.set();
/// waits.join().unwrap();
/// ```
///
/// In a [`select!`](crate::sync::select!), to end a loop from outside:
///
/// ```
/// use greenwire_runtime::{sync::{Event, mpsc, select}, thread};
/// use std::sync::Arc;
///
/// let stop = Arc::new(Event::new());
/// let (sender, receiver) = mpsc::channel::<u32>();
/// let serves = thread::spawn({
///     let stop = stop.clone();
///     move || loop {
///         select! {
///             wait(stop) => break,
///             recv(receiver) -> job => println!("{}", job.unwrap()),
///         }
///     }
/// });
/// stop.set();
/// serves.join().unwrap();
/// # drop(sender);
/// ```
#[derive(Default)]
pub struct Event(Mutex<State>);

#[derive(Default)]
struct State {
    is_set: bool,
    waiters: WaitList,
}

impl Event {
    /// A flag that is not set.
    #[must_use]
    pub const fn new() -> Event {
        Event(Mutex::new(State {
            is_set: false,
            waiters: WaitList::new(),
        }))
    }

    /// Sets the flag, and wakes all who wait for it. Never parks.
    pub fn set(&self) {
        let mut state = self.lock();
        state.is_set = true;
        let waiters = state.waiters.take();
        drop(state);
        waiters.for_each(|waiter| waiter.wake());
    }

    /// Takes the flag down. Never parks.
    pub fn clear(&self) {
        self.lock().is_set = false;
    }

    /// Whether the flag is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.lock().is_set
    }

    /// Parks until the flag is set. Returns at once if it is.
    pub fn wait(&self) {
        wait_for(self);
    }

    /// As [`wait`](Event::wait), for at most `timeout`. Returns whether the flag was set.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        wait_until(self, deadline_in(timeout)).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Event {
    type Output = ();

    fn poll(&self, place: &mut Option<Key>) -> Option<()> {
        let mut state = self.lock();
        if state.is_set {
            place.take().map(|place| state.waiters.remove(place));
            return Some(());
        }
        state.waiters.told(place)
    }

    fn reason(&self) -> Reason {
        Reason::Event(number_of(self))
    }

    fn leave(&self, place: Key) {
        // All who wait were told, so there is nobody to pass it on to.
        self.lock().waiters.remove(place);
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("is_set", &self.is_set())
            .finish_non_exhaustive()
    }
}
