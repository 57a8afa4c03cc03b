//! The relay itself: one source, and two loops for each subscriber.
//!
//! ```text
//!                        latest sample
//!   monitor_source ───────────────────────┐
//!   (measures only while anyone listens)  ▼
//!                                  relay_to (one per subscriber) ──► browser
//!                                         ▲
//!            inbox, bounded: chat lines, answers, a new choice
//!                                         │
//!   everybody's monitor_subscriber ───────┴──────────────────────◄── browser
//! ```
//!
//! Nobody ever waits for a subscriber but that subscriber itself: samples are not queued at all (who
//! is due sends the latest one), and a chat line that finds an inbox full is lost for its owner.

use crate::load::{Meter, Values};
use crate::wire::{self, Choice, Command};
use greenwire::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use greenwire::sync::{Mutex, MutexGuard};
use greenwire::thread;
use greenwire::websocket::{self, Sender, WebSocket};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many events may wait for one subscriber. Small: it is allocated for each of them.
const INBOX: usize = 16;

/// What a subscriber must wait after each of its chat lines, so that nobody floods the others.
const PAUSE_AFTER_CHAT: Duration = Duration::from_millis(100);

/// The bounds of the measuring. The longer one keeps the latest sample fresh for those who come new.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(5);
const LONGEST_INTERVAL: Duration = Duration::from_millis(500);

/// What all connections share.
pub struct Relay {
    /// Whether green threads are in fact OS threads; the page shows it.
    threads: bool,
    room: Mutex<Room>,
    /// `None` while nobody listens.
    latest: Mutex<Option<Sample>>,
    /// Tells the source that `Room::rates` has a new fastest one. Holds one note: more say no more.
    rate_changed: SyncSender<()>,
}

/// Who is connected.
struct Room {
    next_id: u64,
    inboxes: HashMap<u64, SyncSender<Event>>,
    /// How many subscribers want a sample how often; the first key is the fastest rate.
    rates: BTreeMap<Duration, usize>,
}

/// What the source has measured.
#[derive(Clone, Copy)]
pub struct Sample {
    pub number: u64,
    pub taken: Instant,
    pub values: Values,
}

/// What a subscriber's relaying loop is told.
enum Event {
    /// Send this, it is JSON already. Encoded once, however many there are to get it.
    Line(Arc<str>),
    /// The browser has chosen what to get from now on.
    Choice(Choice),
}

impl Relay {
    /// Starts the source.
    pub fn start(threads: bool) -> Arc<Relay> {
        let (rate_changed, changes) = sync_channel(1);
        let relay = Arc::new(Relay {
            threads,
            room: Mutex::new(Room {
                next_id: 1,
                inboxes: HashMap::new(),
                rates: BTreeMap::new(),
            }),
            latest: Mutex::new(None),
            rate_changed,
        });
        let source = Arc::clone(&relay);
        thread::spawn(move || source.monitor_source(&changes));
        relay
    }

    /// Measures this machine as often as the fastest subscriber needs it; sleeps while there is none.
    fn monitor_source(&self, rate_changed: &Receiver<()>) {
        let mut meter = Meter::new();
        let mut last = Instant::now();
        for number in 1.. {
            // A change of the rates while waiting only means: think again how long to wait.
            loop {
                let change = match self.measuring_interval() {
                    Some(interval) => rate_changed.recv_timeout(until(last + interval)),
                    None => {
                        self.publish(None);
                        let change = rate_changed.recv().map_err(RecvTimeoutError::from);
                        meter = Meter::new();
                        last = Instant::now();
                        change
                    }
                };
                match change {
                    Ok(()) => {}
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            last = Instant::now();
            self.publish(Some(Sample {
                number,
                taken: last,
                values: meter.measure(),
            }));
        }
    }

    /// Serves one subscriber: starts its relaying loop, then acts on what the browser sends.
    pub fn monitor_subscriber(self: &Arc<Relay>, ws: WebSocket) -> Result<(), websocket::Error> {
        let (sender, mut receiver) = ws.split();
        let (mut subscriber, inbox) = Subscriber::join(Arc::clone(self));
        sender.send(wire::hello(subscriber.id, self.threads))?;
        let relay = Arc::clone(self);
        thread::spawn(move || relay.relay_to(&inbox, &sender));

        while let Some(message) = receiver.receive()? {
            match Command::parse(&message) {
                Ok(Command::Watch(choice)) => subscriber.choose(choice),
                Ok(Command::Say { name, text }) => {
                    self.tell_all(&wire::chat(&name, &text).into());
                    thread::sleep(PAUSE_AFTER_CHAT);
                }
                Err(why) => subscriber.tell(Event::Line(wire::error(&why).into())),
            }
        }
        Ok(())
    }

    /// Sends one subscriber what it is to get, until the connection or the reading loop ends.
    fn relay_to(&self, inbox: &Receiver<Event>, sender: &Sender) -> Result<(), websocket::Error> {
        let mut choice: Option<Choice> = None;
        let mut due = Instant::now();
        loop {
            let event = match &choice {
                Some(_) => inbox.recv_timeout(until(due)),
                None => inbox.recv().map_err(RecvTimeoutError::from),
            };
            match (event, &choice) {
                (Ok(Event::Line(line)), _) => sender.send(&line)?,
                (Ok(Event::Choice(new)), _) => {
                    // The first sample soon, even for those who want one an hour.
                    due = Instant::now() + new.every.min(2 * LONGEST_INTERVAL);
                    choice = (!new.series.is_empty()).then_some(new);
                }
                (Err(RecvTimeoutError::Timeout), Some(choice)) => {
                    if let Some(sample) = self.latest() {
                        let people = self.room().inboxes.len();
                        sender.send(wire::sample(&sample, choice, due, people))?;
                    }
                    // Who could not be served in time gets the next sample, not all the missed ones.
                    due = (due + choice.every).max(Instant::now());
                }
                (Err(_), _) => return Ok(()),
            }
        }
    }

    /// Hands a line to everybody, without waiting for anybody.
    fn tell_all(&self, line: &Arc<str>) {
        for inbox in self.room().inboxes.values() {
            // An error is a subscriber that is leaving, or too slow: the line is lost for it.
            let _ = inbox.try_send(Event::Line(Arc::clone(line)));
        }
    }

    /// Twice as often as the fastest subscriber asks, so that each time it finds a new sample.
    fn measuring_interval(&self) -> Option<Duration> {
        let fastest = self.room().fastest()?;
        Some((fastest / 2).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL))
    }

    fn latest(&self) -> Option<Sample> {
        *self.latest.lock().expect(NO_PANIC)
    }

    fn publish(&self, sample: Option<Sample>) {
        *self.latest.lock().expect(NO_PANIC) = sample;
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().expect(NO_PANIC)
    }
}

/// Why no lock here is ever poisoned.
const NO_PANIC: &str = "nothing that is done under the lock panics";

impl Room {
    fn fastest(&self) -> Option<Duration> {
        self.rates.keys().next().copied()
    }

    fn remove_rate(&mut self, rate: Duration) {
        if let Some(count) = self.rates.get_mut(&rate) {
            *count -= 1;
            if *count == 0 {
                self.rates.remove(&rate);
            }
        }
    }
}

/// A subscriber's place in the room, given up on drop: however its reading loop ends.
struct Subscriber {
    relay: Arc<Relay>,
    id: u64,
    /// Dropped with the one in the room; then the relaying loop ends as well.
    inbox: SyncSender<Event>,
    every: Option<Duration>,
}

impl Subscriber {
    fn join(relay: Arc<Relay>) -> (Subscriber, Receiver<Event>) {
        let (inbox, events) = sync_channel(INBOX);
        let mut room = relay.room();
        let id = room.next_id;
        room.next_id += 1;
        room.inboxes.insert(id, inbox.clone());
        drop(room);
        let subscriber = Subscriber {
            relay,
            id,
            inbox,
            every: None,
        };
        (subscriber, events)
    }

    fn choose(&mut self, choice: Choice) {
        self.set_rate((!choice.series.is_empty()).then_some(choice.every));
        self.tell(Event::Choice(choice));
    }

    /// Waits while the own inbox is full: who sends more than it reads delays itself.
    fn tell(&self, event: Event) {
        // An error is a relaying loop that has ended: the connection is broken, as the next
        // `receive` will say.
        let _ = self.inbox.send(event);
    }

    fn set_rate(&mut self, every: Option<Duration>) {
        let mut room = self.relay.room();
        let before = room.fastest();
        if let Some(old) = std::mem::replace(&mut self.every, every) {
            room.remove_rate(old);
        }
        if let Some(new) = every {
            *room.rates.entry(new).or_default() += 1;
        }
        if room.fastest() != before {
            // An error is a note that is still unread: it will do.
            let _ = self.relay.rate_changed.try_send(());
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.set_rate(None);
        self.relay.room().inboxes.remove(&self.id);
    }
}

fn until(instant: Instant) -> Duration {
    instant.saturating_duration_since(Instant::now())
}
