//! Who has subscribed to what, and the order of all messages. Never waits.

use super::config::{Config, Start};
use super::history::History;
use super::inbox::{Inbox, Put};
use super::pattern::matches;
use super::{Filter, Id, Message};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// A payload must not be dropped in here, where the program's destructor would find a lock taken: what is
/// removed goes to the caller.
pub(super) struct Registry<T> {
    config: Config,
    topics: HashMap<Arc<str>, Topic<T>>,
    patterns: BTreeMap<Arc<str>, Subscribers<T>>,
    /// How many subscriptions there have been.
    subscriptions: u64,
    /// What all ids have in common, see [`Id`].
    history: u64,
    /// The number of the latest message.
    latest: u64,
    /// That of the newest message in any topic that was forgotten.
    forgotten: u64,
    /// How many topics are there for their history alone.
    remembered: usize,
}

/// A topic that somebody has subscribed to by its name, or that has a history.
struct Topic<T> {
    subscribers: Subscribers<T>,
    history: History<T>,
}

/// By the numbers of the subscriptions, so in the order in which they came.
type Subscribers<T> = BTreeMap<u64, Arc<Inbox<T>>>;

/// What came of a message.
pub(super) struct Published<T> {
    /// How many subscriptions have it.
    pub(super) reached: usize,
    /// Those for which the publisher has to wait.
    pub(super) full: Vec<Arc<Inbox<T>>>,
    /// To be dropped without a lock.
    pub(super) _removed: Removed<T>,
}

/// What is in no history any more.
pub(super) struct Removed<T> {
    _message: Option<Message<T>>,
    _topics: Vec<Topic<T>>,
}

impl<T> Registry<T> {
    pub(super) fn new(config: Config) -> Registry<T> {
        Registry {
            config,
            topics: HashMap::new(),
            patterns: BTreeMap::new(),
            subscriptions: 0,
            history: RandomState::new().hash_one(0),
            latest: 0,
            forgotten: 0,
            remembered: 0,
        }
    }

    /// Adds a new subscription, which begins with some of the history, and returns its number.
    pub(super) fn subscribe(
        &mut self,
        filter: &Filter,
        start: Start,
        inbox: &Arc<Inbox<T>>,
    ) -> u64 {
        let (backlog, is_complete) = self.backlog(filter, start);
        inbox.begin_with(backlog, is_complete);
        self.subscriptions += 1;
        self.join(filter, self.subscriptions, inbox);
        self.subscriptions
    }

    /// Adds a subscription to those of the filter, if it is not among them.
    pub(super) fn join(&mut self, filter: &Filter, number: u64, inbox: &Arc<Inbox<T>>) {
        let subscribers = match filter {
            Filter::Topic(name) => &mut self.topic(name).subscribers,
            Filter::Pattern(pattern) => self.patterns.entry(pattern.clone()).or_default(),
        };
        let was_empty = subscribers.is_empty();
        subscribers.insert(number, inbox.clone());
        if was_empty && matches!(filter, Filter::Topic(_)) {
            self.remembered -= 1;
        }
    }

    /// Removes a subscription from those of the filter.
    pub(super) fn leave(&mut self, filter: &Filter, number: u64) -> Removed<T> {
        match filter {
            Filter::Topic(name) => self.leave_topic(name, number),
            Filter::Pattern(pattern) => self.leave_pattern(pattern, number),
        }
        self.forget()
    }

    fn leave_topic(&mut self, name: &str, number: u64) {
        let Some(topic) = self.topics.get_mut(name) else {
            return;
        };
        let was_there = topic.subscribers.remove(&number).is_some();
        if was_there && topic.subscribers.is_empty() {
            match topic.history.is_empty() {
                true => drop(self.topics.remove(name)),
                false => self.remembered += 1,
            }
        }
    }

    fn leave_pattern(&mut self, pattern: &str, number: u64) {
        if let Some(subscribers) = self.patterns.get_mut(pattern) {
            subscribers.remove(&number);
            if subscribers.is_empty() {
                self.patterns.remove(pattern);
            }
        }
    }

    /// Gives a message to all whom it concerns.
    pub(super) fn publish(&mut self, topic: &str, payload: T) -> Published<T> {
        self.latest += 1;
        let id = Id {
            history: self.history,
            number: self.latest,
        };
        let known = self.topics.get_key_value(topic);
        let name = known.map_or_else(|| topic.into(), |(name, _)| Arc::clone(name));
        let message = Message::new(name, id, payload);
        let (reached, full) = self.deliver(&message);
        Published {
            reached,
            full,
            _removed: self.remember(message),
        }
    }

    fn deliver(&self, message: &Message<T>) -> (usize, Vec<Arc<Inbox<T>>>) {
        let name = message.topic();
        let by_name = self.topics.get(name).map(|topic| &topic.subscribers);
        let by_pattern = self.patterns.iter().filter_map(|(pattern, subscribers)| {
            matches(pattern.as_bytes(), name.as_bytes()).then_some(subscribers)
        });
        let (mut reached, mut full) = (0, Vec::new());
        for inbox in by_name
            .into_iter()
            .chain(by_pattern)
            .flat_map(BTreeMap::values)
        {
            match inbox.put(message) {
                Put::NotTaken => continue,
                Put::Taken => {}
                Put::TakenBeyondCapacity => full.push(inbox.clone()),
            }
            reached += 1;
        }
        (reached, full)
    }

    fn remember(&mut self, message: Message<T>) -> Removed<T> {
        let limit = self.config.history;
        if limit == 0 {
            return Removed {
                _message: Some(message),
                _topics: Vec::new(),
            };
        }
        let topic = self.topic(&message.name());
        let oldest = topic.history.push(message, limit);
        Removed {
            _message: oldest,
            ..self.forget()
        }
    }

    /// The topic of that name. A new one counts as remembered.
    fn topic(&mut self, name: &Arc<str>) -> &mut Topic<T> {
        self.topics.entry(name.clone()).or_insert_with(|| {
            self.remembered += 1;
            Topic {
                subscribers: Subscribers::new(),
                history: History::new(self.forgotten),
            }
        })
    }

    /// If too many topics are remembered, forgets those that were published to longest ago, down to half
    /// of what may be, so that this does not happen often.
    fn forget(&mut self) -> Removed<T> {
        let mut forgotten = Vec::new();
        if self.remembered > self.config.max_remembered {
            let topics = self.topics.iter();
            let idle = topics.filter(|(_, topic)| topic.subscribers.is_empty());
            let mut idle: Vec<_> = idle
                .map(|(name, topic)| (topic.history.latest(), name.clone()))
                .collect();
            idle.sort_unstable();
            idle.truncate(idle.len() - self.config.max_remembered / 2);
            self.remembered -= idle.len();
            self.forgotten = idle.last().map_or(self.forgotten, |(latest, _)| *latest);
            forgotten.extend(idle.iter().filter_map(|(_, name)| self.topics.remove(name)));
        }
        Removed {
            _message: None,
            _topics: forgotten,
        }
    }

    /// What a subscription begins with, and whether that is all that it was to begin with.
    fn backlog(&self, filter: &Filter, start: Start) -> (Vec<Message<T>>, bool) {
        let (after, is_complete) = match start {
            Start::Now => return (Vec::new(), true),
            Start::Beginning => (0, true),
            Start::After(id) if id.history != self.history => (0, false),
            Start::After(id) => (id.number, self.gone(filter) <= id.number),
        };
        let topics = self.matching(filter);
        let mut messages: Vec<_> = topics
            .flat_map(|topic| topic.history.after(after))
            .collect();
        messages.sort_unstable_by_key(|message| message.id().number);
        (messages, is_complete)
    }

    /// The number after which the history has all messages of the topics that are meant.
    fn gone(&self, filter: &Filter) -> u64 {
        if self.config.history == 0 {
            return self.latest;
        }
        let topics = self.matching(filter).map(|topic| topic.history.gone());
        match filter {
            Filter::Topic(_) => topics.last().unwrap_or(self.forgotten),
            Filter::Pattern(_) => topics.fold(self.forgotten, u64::max),
        }
    }

    fn matching(&self, filter: &Filter) -> impl Iterator<Item = &Topic<T>> {
        let (name, pattern) = match filter {
            Filter::Topic(name) => (self.topics.get(name), None),
            Filter::Pattern(pattern) => (None, Some(pattern)),
        };
        let by_pattern = pattern.map(|pattern| {
            let topics = self.topics.iter();
            topics.filter(|(name, _)| matches(pattern.as_bytes(), name.as_bytes()))
        });
        let by_pattern = by_pattern.into_iter().flatten().map(|(_, topic)| topic);
        name.into_iter().chain(by_pattern)
    }

    /// Ends all subscriptions.
    pub(super) fn end(&mut self) {
        let by_name = self.topics.values().map(|topic| &topic.subscribers);
        let all = by_name.chain(self.patterns.values());
        all.flat_map(BTreeMap::values).for_each(|inbox| inbox.end());
    }
}
