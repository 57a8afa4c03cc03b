//! Who has subscribed to what, and the order of all messages. Never waits.

use super::config::{Config, Start};
use super::history::History;
use super::inbox::{Inbox, Put};
use super::pattern::matches;
use super::{Filter, Id, Message};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::Arc;

/// A payload must not be dropped in here, where the program's destructor would find a lock taken: what is
/// removed goes to the caller.
pub(super) struct Registry<T> {
    config: Config,
    topics: HashMap<Arc<str>, Topic<T>>,
    patterns: BTreeMap<Arc<str>, Pattern<T>>,
    /// Who has to know what is subscribed to, if messages come from elsewhere.
    link: Option<Teller>,
    /// There is a link, and it is lost.
    is_interrupted: bool,
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
    /// It was subscribed to by its name, and the link knows that.
    is_named: bool,
}

/// A pattern that somebody has subscribed to.
struct Pattern<T> {
    subscribers: Subscribers<T>,
    /// The number from which on there are all messages that it means.
    since: u64,
}

/// Is told of each filter with which messages are to come from elsewhere, and when they are not to any more.
/// Never waits.
pub(super) type Teller = Box<dyn Fn(&Filter, bool) + Send>;

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
    _histories: Vec<History<T>>,
}

impl<T> Registry<T> {
    pub(super) fn new(config: Config, link: Option<Teller>) -> Registry<T> {
        Registry {
            config,
            link,
            is_interrupted: false,
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
        inbox.notice(!self.is_interrupted);
        self.subscriptions += 1;
        self.join(filter, self.subscriptions, inbox);
        self.subscriptions
    }

    /// Adds a subscription to those of the filter, if it is not among them.
    pub(super) fn join(&mut self, filter: &Filter, number: u64, inbox: &Arc<Inbox<T>>) {
        let is_new = match filter {
            Filter::Topic(name) => self.join_topic(name, number, inbox.clone()),
            Filter::Pattern(pattern) => self.join_pattern(pattern, number, inbox.clone()),
        };
        if is_new {
            self.tell_link(filter, true);
        }
    }

    fn join_topic(&mut self, name: &Arc<str>, number: u64, inbox: Arc<Inbox<T>>) -> bool {
        let gone = match self.topics.contains_key(name) {
            true => 0,
            false => self.beginning(),
        };
        let topic = self.topic(name, gone);
        let is_new = !mem::replace(&mut topic.is_named, true);
        let was_idle = topic.subscribers.is_empty();
        topic.subscribers.insert(number, inbox);
        if was_idle {
            self.remembered -= 1;
        }
        is_new
    }

    fn join_pattern(&mut self, text: &Arc<str>, number: u64, inbox: Arc<Inbox<T>>) -> bool {
        let since = self.beginning();
        let pattern = self.patterns.entry(text.clone());
        let pattern = pattern.or_insert_with(|| Pattern {
            subscribers: Subscribers::new(),
            since,
        });
        pattern.subscribers.insert(number, inbox);
        pattern.subscribers.len() == 1
    }

    /// The number up to which messages may be missing of what nobody has subscribed to yet.
    fn beginning(&mut self) -> u64 {
        if self.link.is_some() {
            // Nobody has seen this number, so nobody has seen all that came before.
            self.latest += 1;
            return self.latest;
        }
        self.forgotten
    }

    /// Removes a subscription from those of the filter.
    pub(super) fn leave(&mut self, filter: &Filter, number: u64) -> Removed<T> {
        match filter {
            Filter::Topic(name) => self.leave_topic(name, number),
            Filter::Pattern(pattern) => return self.leave_pattern(pattern, number),
        }
        self.forget_some()
    }

    fn leave_topic(&mut self, name: &Arc<str>, number: u64) {
        let Some(topic) = self.topics.get_mut(name) else {
            return;
        };
        let was_there = topic.subscribers.remove(&number).is_some();
        if was_there && topic.subscribers.is_empty() {
            self.remembered += 1;
            if topic.history.is_empty() {
                self.remove(name);
            }
        }
    }

    fn leave_pattern(&mut self, text: &Arc<str>, number: u64) -> Removed<T> {
        if let Some(pattern) = self.patterns.get_mut(text) {
            pattern.subscribers.remove(&number);
            if pattern.subscribers.is_empty() {
                self.patterns.remove(text);
                self.tell_link(&Filter::Pattern(text.clone()), false);
                if self.link.is_some() {
                    // What came only because of this pattern may come no more.
                    return self.forget(self.idle(|topic| !topic.is_named));
                }
            }
        }
        Removed::nothing()
    }

    /// Removes a topic that is there for its history alone, and returns that.
    fn remove(&mut self, name: &Arc<str>) -> Option<History<T>> {
        let topic = self.topics.remove(name)?;
        self.remembered -= 1;
        if topic.is_named {
            self.tell_link(&Filter::Topic(name.clone()), false);
        }
        Some(topic.history)
    }

    fn tell_link(&self, filter: &Filter, is_wanted: bool) {
        if let Some(link) = &self.link {
            link(filter, is_wanted);
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
        let by_pattern = self.patterns.iter().filter_map(|(text, pattern)| {
            matches(text.as_bytes(), name.as_bytes()).then_some(&pattern.subscribers)
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
                _histories: Vec::new(),
            };
        }
        let gone = self.gone_of_unnamed(message.topic());
        let topic = self.topic(&message.name(), gone);
        let oldest = topic.history.push(message, limit);
        Removed {
            _message: oldest,
            ..self.forget_some()
        }
    }

    /// The number up to which messages may be missing of a topic that no subscription names.
    fn gone_of_unnamed(&self, topic: &str) -> u64 {
        let patterns = self.patterns.iter();
        let since = patterns.filter(|(text, _)| matches(text.as_bytes(), topic.as_bytes()));
        let since = since.map(|(_, pattern)| pattern.since).min();
        self.forgotten.max(since.unwrap_or(0))
    }

    /// The topic of that name. A new one counts as remembered, and has messages from the number `gone` on.
    fn topic(&mut self, name: &Arc<str>, gone: u64) -> &mut Topic<T> {
        self.topics.entry(name.clone()).or_insert_with(|| {
            self.remembered += 1;
            Topic {
                subscribers: Subscribers::new(),
                history: History::new(gone),
                is_named: false,
            }
        })
    }

    /// If too many topics are remembered, forgets those that were published to longest ago, down to half
    /// of what may be, so that this does not happen often.
    fn forget_some(&mut self) -> Removed<T> {
        if self.remembered <= self.config.max_remembered {
            return Removed::nothing();
        }
        let mut idle = self.idle(|_| true);
        idle.sort_unstable();
        idle.truncate(idle.len() - self.config.max_remembered / 2);
        self.forget(idle)
    }

    /// The topics that are there for their history alone, with the numbers of their latest messages.
    fn idle(&self, wanted: impl Fn(&Topic<T>) -> bool) -> Vec<(u64, Arc<str>)> {
        let topics = self.topics.iter();
        let idle = topics.filter(|(_, topic)| topic.subscribers.is_empty() && wanted(topic));
        idle.map(|(name, topic)| (topic.history.latest(), name.clone()))
            .collect()
    }

    fn forget(&mut self, topics: Vec<(u64, Arc<str>)>) -> Removed<T> {
        let latest = topics.iter().map(|(latest, _)| *latest).max();
        self.forgotten = self.forgotten.max(latest.unwrap_or(0));
        let histories = topics.iter().filter_map(|(_, name)| self.remove(name));
        Removed {
            _message: None,
            _histories: histories.collect(),
        }
    }

    /// Those of all subscriptions, once for each of their filters.
    fn inboxes(&self) -> impl Iterator<Item = &Arc<Inbox<T>>> {
        let by_name = self.topics.values().map(|topic| &topic.subscribers);
        let by_pattern = self.patterns.values().map(|pattern| &pattern.subscribers);
        by_name.chain(by_pattern).flat_map(BTreeMap::values)
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
        let topics = self.matching(filter).map(|topic| topic.history.gone());
        let gone = match (filter, &self.link) {
            (Filter::Topic(_), _) => topics.last(),
            (Filter::Pattern(_), None) => Some(topics.fold(self.forgotten, u64::max)),
            (Filter::Pattern(text), Some(_)) => {
                let since = self.patterns.get(text).map(|pattern| pattern.since);
                since.map(|since| topics.fold(self.forgotten.max(since), u64::max))
            }
        };
        match (gone, &self.link) {
            // Nothing came from elsewhere.
            (None, Some(_)) => u64::MAX,
            _ if self.config.history == 0 => self.latest,
            (gone, _) => gone.unwrap_or(self.forgotten),
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
    pub(super) fn end(&self) {
        self.inboxes().for_each(|inbox| inbox.end());
    }
}

/// What the link tells.
#[cfg(feature = "redis")]
impl<T> Registry<T> {
    /// The link is lost: tells all subscribers, and forgets what has a gap from now on.
    pub(super) fn interrupt(&mut self) -> Removed<T> {
        self.is_interrupted = true;
        let gone = self.beginning();
        let mut removed = self.forget(self.idle(|_| true));
        self.forgotten = gone;
        for topic in self.topics.values_mut() {
            let history = mem::replace(&mut topic.history, History::new(gone));
            removed._histories.push(history);
        }
        let patterns = self.patterns.values_mut();
        patterns.for_each(|pattern| pattern.since = gone);
        self.inboxes().for_each(|inbox| inbox.notice(false));
        removed
    }

    /// The link stands again: tells all subscribers.
    pub(super) fn resume(&mut self) -> Removed<T> {
        self.is_interrupted = false;
        self.inboxes().for_each(|inbox| inbox.notice(true));
        Removed::nothing()
    }

    /// Nothing comes of a filter: tells those who have subscribed to it.
    pub(super) fn refuse(&self, filter: &Filter) {
        let subscribers = match filter {
            Filter::Topic(name) => self.topics.get(name).map(|topic| &topic.subscribers),
            Filter::Pattern(text) => self.patterns.get(text).map(|pattern| &pattern.subscribers),
        };
        let inboxes = subscribers.into_iter().flat_map(BTreeMap::values);
        inboxes.for_each(|inbox| inbox.refuse(filter));
    }
}

impl<T> Removed<T> {
    fn nothing() -> Removed<T> {
        Removed {
            _message: None,
            _histories: Vec::new(),
        }
    }
}
