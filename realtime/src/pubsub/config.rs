//! What can be set: for all topics, and for one subscription. Holds numbers only.

use super::Id;

/// What all topics of one [`Topics`](super::Topics) have in common.
///
/// ```
/// use greenwire_realtime::pubsub::{Config, Topics};
///
/// let topics: Topics<String> = Topics::with(Config::default().history(100));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Config {
    pub(super) history: usize,
    pub(super) max_remembered: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            history: 0,
            max_remembered: 10_000,
        }
    }
}

impl Config {
    /// How many messages of each topic are kept for those who come later or come back. Default 0: memory
    /// is for those who ask for it.
    pub fn history(mut self, messages: usize) -> Config {
        self.history = messages;
        self
    }

    /// For how many topics that nobody subscribes to by name the history is kept. Beyond this, the half
    /// that was published to longest ago is forgotten. Default 10,000, so that inventing topics does not
    /// take all memory.
    pub fn max_remembered(mut self, topics: usize) -> Config {
        self.max_remembered = topics;
        self
    }
}

/// How one subscription is served.
///
/// ```
/// use greenwire_realtime::pubsub::{Options, SlowSubscriber, Topics};
///
/// let topics: Topics<String> = Topics::new();
/// let options = Options::default().capacity(16).slow_subscriber(SlowSubscriber::Disconnect);
/// let feed = topics.subscribe_with("news", &options);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Options {
    pub(super) capacity: usize,
    pub(super) slow_subscriber: SlowSubscriber,
    pub(super) start: Start,
}

/// What becomes of a message for a subscriber who has [`Options::capacity`] of them to receive already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlowSubscriber {
    /// It is queued, and `publish` returns once there is room again: no message is lost and the
    /// publisher goes at the pace of the slowest.
    Wait,
    /// The oldest one goes, and the subscriber is told [how many](super::Event::Missed) it missed.
    #[default]
    DropOldest,
    /// The subscription ends, after what is queued and [`Event::TooSlow`](super::Event::TooSlow): right
    /// where nothing may be missing, and the subscriber asks for it when it comes back.
    Disconnect,
}

/// What of the history a subscription begins with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    Now,
    After(Id),
    Beginning,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            capacity: 1024,
            slow_subscriber: SlowSubscriber::DropOldest,
            start: Start::Now,
        }
    }
}

impl Options {
    /// How many messages wait for the subscriber, at least 1. Default 1024. They are shared with all
    /// others who wait for them; a place in the queue takes 16 bytes, while there is something in it.
    ///
    /// What comes from the history has room besides.
    pub fn capacity(mut self, messages: usize) -> Options {
        self.capacity = messages.max(1);
        self
    }

    /// What happens beyond that. Default [`SlowSubscriber::DropOldest`], since a publisher should not have to
    /// know its subscribers.
    pub fn slow_subscriber(mut self, policy: SlowSubscriber) -> Options {
        self.slow_subscriber = policy;
        self
    }

    /// To receive first what the history has after the message `id`, the last one that the subscriber
    /// saw. If some of that is gone, or the id is of another run of the program,
    /// [`Event::Missed`](super::Event::Missed) comes before it.
    pub fn after(mut self, id: Id) -> Options {
        self.start = Start::After(id);
        self
    }

    /// To receive first all that the history has.
    pub fn from_beginning(mut self) -> Options {
        self.start = Start::Beginning;
        self
    }
}
