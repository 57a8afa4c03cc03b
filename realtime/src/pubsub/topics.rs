//! `Topics`: the registry behind a lock that parks.

use super::config::{Config, Options};
use super::inbox::Inbox;
use super::registry::{Registry, Teller};
use super::subscription::Subscription;
use greenwire_runtime::sync::{Mutex, MutexGuard, PoisonError};
use std::fmt;
use std::sync::Arc;

/// Topics with their subscribers, in this process. Cloning it gives another handle to the same topics.
///
/// A topic is a name; it need not be made. Names that nobody has subscribed to and that have no history
/// take no memory.
///
/// When the last handle is dropped, all subscriptions end after what is queued for them.
///
/// ```
/// use greenwire_realtime::pubsub::Topics;
/// use greenwire_runtime::thread;
///
/// let topics = Topics::new();
/// let readers: Vec<_> = (0..3)
///     .map(|_| topics.subscribe("prices"))
///     .map(|feed| thread::spawn(move || feed.messages().map(|message| *message.payload()).sum::<u32>()))
///     .collect();
/// for price in [1, 2, 3] {
///     assert_eq!(topics.publish("prices", price), 3);
/// }
/// drop(topics);
/// for reader in readers {
///     assert_eq!(reader.join().unwrap(), 6);
/// }
/// ```
pub struct Topics<T> {
    hub: Arc<Hub<T>>,
}

/// What the handles share. Ends with the last of them.
pub(super) struct Hub<T>(Mutex<Registry<T>>);

/// Which topics a subscription is to: one by its name, or all that a [`pattern`] means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// The topic of this name.
    Topic(Arc<str>),
    /// All topics whose names the pattern describes.
    Pattern(Arc<str>),
}

/// All topics whose names a pattern describes, by the rules of Redis's
/// [`PSUBSCRIBE`](https://redis.io/docs/latest/commands/psubscribe/):
///
/// | in a pattern | means |
/// |---|---|
/// | `*` | any text, also none |
/// | `?` | any one byte |
/// | `[abc]`, `[a-z]`, `[^a]` | one byte of these, of this range, not of these |
/// | `\*` | the character itself |
///
/// Publishing looks at each different pattern that somebody has subscribed to, so thousands of them have a
/// cost. It is never more than the length of the name times that of the pattern.
#[must_use]
pub fn pattern(pattern: &str) -> Filter {
    Filter::Pattern(pattern.into())
}

impl<T> Topics<T> {
    /// Topics without a history.
    #[must_use]
    pub fn new() -> Topics<T> {
        Topics::with(Config::default())
    }

    /// Topics with settings of your own.
    #[must_use]
    pub fn with(config: Config) -> Topics<T> {
        Topics::linked(config, None)
    }

    /// Topics whose messages come from elsewhere, if there is a link.
    pub(super) fn linked(config: Config, link: Option<Teller>) -> Topics<T> {
        let registry = Registry::new(config, link);
        Topics {
            hub: Arc::new(Hub(Mutex::new(registry))),
        }
    }

    /// Subscribes to a topic, or to a [`pattern`], with the default [`Options`]. All that is published
    /// from here on is received.
    ///
    /// Parks only for others who publish or subscribe at the moment.
    pub fn subscribe(&self, to: impl Into<Filter>) -> Subscription<T> {
        self.subscribe_with(to, &Options::default())
    }

    /// As [`subscribe`](Topics::subscribe), with options of your own.
    pub fn subscribe_with(&self, to: impl Into<Filter>, options: &Options) -> Subscription<T> {
        let filter = to.into();
        let inbox = Arc::new(Inbox::new(options));
        let number = self.hub.lock().subscribe(&filter, options.start, &inbox);
        Subscription::new(inbox, Arc::downgrade(&self.hub), number, filter)
    }

    /// Gives `payload` to all who have subscribed to the topic, and returns how many subscriptions these are.
    ///
    /// Parks while a subscriber that wants [`SlowSubscriber::Wait`](super::SlowSubscriber::Wait) has too much
    /// to receive; by then everybody has the message, also if this is cancelled or runs into a
    /// [`timeout`](greenwire_runtime::time::timeout). So for each thread that is publishing, one message
    /// may be queued beyond the capacity. Otherwise parks only for others who publish or subscribe at the
    /// moment.
    pub fn publish(&self, topic: &str, payload: T) -> usize {
        let published = self.hub.lock().publish(topic, payload);
        for inbox in &published.full {
            inbox.wait_for_room();
        }
        published.reached
    }

    /// Tells all subscribers that the link is lost, or stands again.
    #[cfg(feature = "redis")]
    pub(super) fn notice(&self, is_linked: bool) {
        let mut registry = self.hub.lock();
        let removed = match is_linked {
            true => registry.resume(),
            false => registry.interrupt(),
        };
        drop(registry);
        drop(removed);
    }

    /// Tells those who have subscribed to it that nothing comes of a filter.
    #[cfg(feature = "redis")]
    pub(super) fn refuse(&self, filter: &Filter) {
        self.hub.lock().refuse(filter);
    }
}

impl<T> Hub<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, Registry<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Hub<T> {
    fn drop(&mut self) {
        self.lock().end();
    }
}

impl<T> Clone for Topics<T> {
    fn clone(&self) -> Topics<T> {
        Topics {
            hub: self.hub.clone(),
        }
    }
}

impl<T> Default for Topics<T> {
    fn default() -> Topics<T> {
        Topics::new()
    }
}

impl<T> fmt::Debug for Topics<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics").finish_non_exhaustive()
    }
}

impl From<&str> for Filter {
    fn from(topic: &str) -> Filter {
        Filter::Topic(topic.into())
    }
}

impl From<&String> for Filter {
    fn from(topic: &String) -> Filter {
        Filter::Topic(topic.as_str().into())
    }
}

impl From<String> for Filter {
    fn from(topic: String) -> Filter {
        Filter::Topic(topic.into())
    }
}
