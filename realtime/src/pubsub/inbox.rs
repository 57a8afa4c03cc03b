//! The queue of one subscription, with what happens when it is full.

#[cfg(feature = "redis")]
use super::Filter;
use super::config::{Options, SlowSubscriber};
use super::{Event, Message};
use greenwire_runtime::sync::mpsc::RecvError;
use greenwire_runtime::sync::select::Take;
use greenwire_runtime::sync::{self, PoisonError};
use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard};

/// A queue that was longer gives its memory back when it is empty.
const KEPT_CAPACITY: usize = 32;

/// Publishers put messages in, and the subscription takes them out.
///
/// No payload is dropped while the queue is locked: its destructor is the program's.
pub(super) struct Inbox<T> {
    queue: Mutex<Queue<T>>,
    /// Set while there may be something to take.
    arrival: sync::Event,
    when_full: WhenFull,
}

enum WhenFull {
    /// Set while there may be room.
    Wait(Box<sync::Event>),
    DropOldest,
    Disconnect,
}

struct Queue<T> {
    events: VecDeque<Event<T>>,
    capacity: usize,
    /// How many of the events are from the history, and have room besides.
    backlog: usize,
    /// How many of them are no messages, and have room, too.
    notices: usize,
    /// What is missing before the first event.
    gap: Gap,
    /// The number of the last message that was put in.
    last: u64,
    /// Whether the last notice that was put in is that the connection stands.
    is_connected: bool,
    end: End,
}

enum Gap {
    None,
    Of(u64),
    Unknown,
}

/// What comes after the last event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is open.
    NotYet,
    TooSlow,
    Reached,
}

/// What has become of a message.
pub(super) enum Put {
    Taken,
    /// Taken, and whoever has published it should wait for room.
    TakenBeyondCapacity,
    /// It was there already, or the subscription has ended.
    NotTaken,
}

impl<T> Inbox<T> {
    pub(super) fn new(options: &Options) -> Inbox<T> {
        Inbox {
            queue: Mutex::new(Queue {
                events: VecDeque::new(),
                capacity: options.capacity,
                backlog: 0,
                notices: 0,
                gap: Gap::None,
                last: 0,
                is_connected: true,
                end: End::NotYet,
            }),
            arrival: sync::Event::new(),
            when_full: match options.slow_subscriber {
                SlowSubscriber::Wait => WhenFull::Wait(Box::default()),
                SlowSubscriber::DropOldest => WhenFull::DropOldest,
                SlowSubscriber::Disconnect => WhenFull::Disconnect,
            },
        }
    }

    /// Puts in what a new subscription gets from the history.
    pub(super) fn begin_with(&self, backlog: Vec<Message<T>>, is_complete: bool) {
        let mut queue = self.lock();
        queue.backlog = backlog.len();
        queue.last = backlog.last().map_or(0, |message| message.id().number);
        queue.events = backlog.into_iter().map(Event::Message).collect();
        if !is_complete {
            queue.gap = Gap::Unknown;
        }
        drop(queue);
        self.arrival.set();
    }

    /// Puts a message in. Never waits.
    pub(super) fn put(&self, message: &Message<T>) -> Put {
        let number = message.id().number;
        let mut queue = self.lock();
        if queue.end != End::NotYet || number <= queue.last {
            return Put::NotTaken;
        }
        queue.last = number;
        let (mut dropped, mut put) = (None, Put::Taken);
        if queue.is_full() {
            match self.when_full {
                WhenFull::Wait(_) => put = Put::TakenBeyondCapacity,
                WhenFull::DropOldest => dropped = queue.drop_oldest(),
                WhenFull::Disconnect => {
                    queue.end = End::TooSlow;
                    return Put::NotTaken;
                }
            }
        }
        let was_empty = queue.events.is_empty();
        queue.events.push_back(Event::Message(message.clone()));
        drop(queue);
        // Else it is set, or whoever put the first one in is about to.
        if was_empty {
            self.arrival.set();
        }
        drop(dropped);
        put
    }

    /// Puts in, whatever the capacity, that nothing comes of a filter, unless that is there to be read.
    #[cfg(feature = "redis")]
    pub(super) fn refuse(&self, filter: &Filter) {
        let mut queue = self.lock();
        let says_so = |event: &Event<T>| matches!(event, Event::Refused(known) if known == filter);
        if queue.end != End::NotYet || queue.events.iter().any(says_so) {
            return;
        }
        queue.notices += 1;
        queue.events.push_back(Event::Refused(filter.clone()));
        drop(queue);
        self.arrival.set();
    }

    /// Puts in, whatever the capacity, that the connection is lost or stands, unless the subscriber knows.
    pub(super) fn notice(&self, is_connected: bool) {
        let mut queue = self.lock();
        if queue.end != End::NotYet || queue.is_connected == is_connected {
            return;
        }
        queue.is_connected = is_connected;
        let notice = match (is_connected, queue.events.back()) {
            (true, _) => Some(Event::Reconnected),
            (false, Some(Event::Reconnected)) => None,
            (false, _) => Some(Event::Disconnected),
        };
        match notice {
            Some(notice) => {
                queue.notices += 1;
                queue.events.push_back(notice);
            }
            // It was back for a moment only. So a connection that comes and goes takes no memory.
            None => {
                queue.notices -= 1;
                queue.events.pop_back();
            }
        }
        drop(queue);
        self.arrival.set();
    }

    /// Parks until no more waits than fits, or nobody receives it any more.
    pub(super) fn wait_for_room(&self) {
        let WhenFull::Wait(room) = &self.when_full else {
            return;
        };
        while self.is_beyond_capacity(room) {
            room.wait();
        }
    }

    fn is_beyond_capacity(&self, room: &sync::Event) -> bool {
        let queue = self.lock();
        let is_beyond = queue.end == End::NotYet && queue.is_beyond_capacity();
        if is_beyond {
            room.clear();
        }
        is_beyond
    }

    /// Nothing is put in any more. What is there can still be taken.
    pub(super) fn end(&self) {
        let mut queue = self.lock();
        if queue.end == End::NotYet {
            queue.end = End::Reached;
        }
        drop(queue);
        self.arrival.set();
        self.tell_of_room();
    }

    /// Nobody takes anything any more.
    pub(super) fn abandon(&self) {
        let mut queue = self.lock();
        queue.end = End::Reached;
        let events = mem::take(&mut queue.events);
        drop(queue);
        self.tell_of_room();
        drop(events);
    }

    fn tell_of_room(&self) {
        if let WhenFull::Wait(room) = &self.when_full {
            room.set();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Take for Inbox<T> {
    type Output = Result<Event<T>, RecvError>;

    fn try_take(&self) -> Option<Self::Output> {
        let mut queue = self.lock();
        if let Some(missed) = queue.gap.take() {
            return Some(Ok(missed));
        }
        if queue.events.is_empty() {
            return queue.at_end().or_else(|| {
                self.arrival.clear();
                None
            });
        }
        let was_beyond = queue.is_beyond_capacity();
        let event = queue.pop();
        if was_beyond && !queue.is_beyond_capacity() {
            drop(queue);
            self.tell_of_room();
        }
        event.map(Ok)
    }

    fn arrival(&self) -> &sync::Event {
        &self.arrival
    }
}

impl<T> Queue<T> {
    fn limit(&self) -> usize {
        self.capacity.saturating_add(self.backlog + self.notices)
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.limit()
    }

    fn is_beyond_capacity(&self) -> bool {
        self.events.len() > self.limit()
    }

    fn pop(&mut self) -> Option<Event<T>> {
        let event = self.events.pop_front();
        match event.as_ref().is_some_and(Event::is_message) {
            true => self.backlog = self.backlog.saturating_sub(1),
            false => self.notices = self.notices.saturating_sub(1),
        }
        if self.events.is_empty() && self.events.capacity() > KEPT_CAPACITY {
            self.events = VecDeque::new();
        }
        event
    }

    /// Takes the oldest message out. Notices are kept, as far as they say anything new.
    fn drop_oldest(&mut self) -> Option<Event<T>> {
        let oldest = self.events.iter().position(Event::is_message)?;
        let dropped = self.events.remove(oldest);
        self.backlog = self.backlog.saturating_sub(1);
        while self
            .events
            .iter()
            .take(3)
            .filter(|event| !event.is_message())
            .count()
            == 3
        {
            self.events.drain(..2);
            self.notices -= 2;
        }
        self.gap = match self.gap {
            Gap::None => Gap::Of(1),
            Gap::Of(count) => Gap::Of(count + 1),
            Gap::Unknown => Gap::Unknown,
        };
        dropped
    }

    /// What there is after the last event.
    fn at_end(&mut self) -> Option<Result<Event<T>, RecvError>> {
        match self.end {
            End::NotYet => None,
            End::TooSlow => {
                self.end = End::Reached;
                Some(Ok(Event::TooSlow))
            }
            End::Reached => Some(Err(RecvError)),
        }
    }
}

impl Gap {
    fn take<T>(&mut self) -> Option<Event<T>> {
        match mem::replace(self, Gap::None) {
            Gap::None => None,
            Gap::Of(count) => Some(Event::Missed(Some(count))),
            Gap::Unknown => Some(Event::Missed(None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Inbox, Take};
    use crate::pubsub::{Event, Id, Message, Options};

    fn inbox(capacity: usize) -> Inbox<u64> {
        Inbox::new(&Options::default().capacity(capacity))
    }

    fn put(inbox: &Inbox<u64>, number: u64) {
        let id = Id { history: 0, number };
        inbox.put(&Message::new("news".into(), id, number));
    }

    /// All that can be taken, as text: messages by their payloads.
    fn taken(inbox: &Inbox<u64>) -> Vec<String> {
        let taken = std::iter::from_fn(|| inbox.try_take());
        let texts = taken.map(|event| match event {
            Ok(Event::Message(message)) => message.payload().to_string(),
            Ok(event) => format!("{event:?}"),
            Err(end) => end.to_string(),
        });
        texts.collect()
    }

    #[test]
    fn notices_stand_where_they_happened() {
        let inbox = inbox(2);
        inbox.notice(true);
        put(&inbox, 1);
        inbox.notice(false);
        inbox.notice(false);
        inbox.notice(true);
        put(&inbox, 2);
        assert_eq!(taken(&inbox), ["1", "Disconnected", "Reconnected", "2"]);
    }

    #[test]
    fn a_connection_that_comes_and_goes_takes_no_memory() {
        let inbox = inbox(2);
        for _ in 0..1000 {
            inbox.notice(false);
            inbox.notice(true);
        }
        inbox.notice(false);
        assert_eq!(taken(&inbox), ["Disconnected"]);
        for number in 1..1000 {
            inbox.notice(true);
            put(&inbox, number);
            inbox.notice(false);
        }
        let expected =
            "Missed(Some(997)) Reconnected 998 Disconnected Reconnected 999 Disconnected";
        assert_eq!(taken(&inbox).join(" "), expected);
    }
}
