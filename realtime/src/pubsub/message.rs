//! What a subscriber receives.

use super::Filter;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What a subscriber is told, in the order of [`publish`](super::Topics::publish).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<T> {
    /// Somebody has published something.
    Message(Message<T>),
    /// Here messages are missing: so many, or nobody knows how many.
    ///
    /// They were dropped because the subscriber was too slow, or are gone from the history.
    Missed(Option<u64>),
    /// The subscriber was too slow: the subscription ends here
    /// ([`SlowSubscriber::Disconnect`](super::SlowSubscriber::Disconnect)).
    TooSlow,
    /// The connection to Redis is lost. Nothing comes until [`Event::Reconnected`]; what is published
    /// elsewhere meanwhile is missed.
    Disconnected,
    /// The connection to Redis stands again: all that is published from here on comes.
    Reconnected,
    /// Redis refuses this topic or pattern, and nothing comes of it. What else the subscription is to is not
    /// touched.
    Refused(Filter),
}

impl<T> Event<T> {
    pub(super) fn is_message(&self) -> bool {
        matches!(self, Event::Message(_))
    }
}

/// A message, which all its subscribers share. Cloning it copies a pointer.
pub struct Message<T>(Arc<Published<T>>);

struct Published<T> {
    topic: Arc<str>,
    id: Id,
    payload: T,
}

impl<T> Message<T> {
    pub(super) fn new(topic: Arc<str>, id: Id, payload: T) -> Message<T> {
        Message(Arc::new(Published { topic, id, payload }))
    }

    pub(super) fn name(&self) -> Arc<str> {
        self.0.topic.clone()
    }

    /// Where it was published.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.0.topic
    }

    /// Which one it is; for [`Options::after`](super::Options::after).
    #[must_use]
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// What was published.
    #[must_use]
    pub fn payload(&self) -> &T {
        &self.0.payload
    }
}

impl<T: AsRef<[u8]>> Message<T> {
    /// The payload as text, if it is UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        str::from_utf8(self.payload().as_ref()).ok()
    }
}

impl<T> Clone for Message<T> {
    fn clone(&self) -> Message<T> {
        Message(self.0.clone())
    }
}

impl<T> Clone for Event<T> {
    fn clone(&self) -> Event<T> {
        match self {
            Event::Message(message) => Event::Message(message.clone()),
            Event::Missed(count) => Event::Missed(*count),
            Event::TooSlow => Event::TooSlow,
            Event::Disconnected => Event::Disconnected,
            Event::Reconnected => Event::Reconnected,
            Event::Refused(filter) => Event::Refused(filter.clone()),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Message<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic())
            .field("id", &self.id())
            .field("payload", self.payload())
            .finish()
    }
}

/// Names a message among all those of one [`Topics`](super::Topics). Later ones are greater.
///
/// As text it is short, of hexadecimal digits and a hyphen: right for the `Last-Event-ID` of an
/// `EventSource`. It also says which run of the program gave it, so that one of an earlier run, or of
/// another server, is recognised as such.
///
/// ```
/// # use greenwire_realtime::pubsub::{Id, Topics};
/// # let topics = Topics::new();
/// # let feed = topics.subscribe("news");
/// # topics.publish("news", "hello");
/// # let message = feed.messages().next().unwrap();
/// let text = message.id().to_string();
/// assert_eq!(text.parse(), Ok(message.id()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Whose history it belongs to: a random number.
    pub(super) history: u64,
    /// Counts from 1.
    pub(super) number: u64,
}

/// The text is no [`Id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError(());

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.history, self.number)
    }
}

impl FromStr for Id {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Id, ParseIdError> {
        let hexadecimal = |digits: &str| match digits.starts_with('+') {
            true => None,
            false => u64::from_str_radix(digits, 16).ok(),
        };
        let (history, number) = text.split_once('-').ok_or(ParseIdError(()))?;
        hexadecimal(history)
            .zip(hexadecimal(number))
            .map(|(history, number)| Id { history, number })
            .ok_or(ParseIdError(()))
    }
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the id of a message is two hexadecimal numbers with a hyphen between them")
    }
}

impl std::error::Error for ParseIdError {}
