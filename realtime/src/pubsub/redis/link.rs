//! The connection of all subscriptions: one thread reads it, one writes it, for as long as it lasts, and then
//! there is another one.

use super::interest::Interest;
use super::push::{Push, Pushes, encode};
use super::{RedisConfig, lock};
use crate::pubsub::registry::Teller;
use crate::pubsub::{Filter, Topics};
use crate::redis::reader::Reader;
use crate::redis::{Client, Connection, RedisError, RedisResult, cmd};
use greenwire_net::Stream;
use greenwire_runtime::{sync::Event, thread};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Before the first attempt to connect again.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Link {
    client: Client,
    heartbeat: Duration,
    longest_pause: Duration,
    interest: Mutex<Interest>,
    /// Set when the writer has something to do.
    work: Event,
    /// The reader wants to know whether Redis is still there.
    asks: AtomicBool,
    /// Redis has confirmed all that was wanted when the connection was made.
    stands: AtomicBool,
    /// Nobody needs it any more.
    closed: Event,
    /// What closing has to cut.
    stream: Mutex<Option<Stream>>,
}

impl Link {
    pub(super) fn new(client: Client, config: &RedisConfig) -> Link {
        Link {
            client,
            heartbeat: config.heartbeat.max(Duration::from_millis(1)),
            longest_pause: config.longest_pause.max(FIRST_PAUSE),
            interest: Mutex::default(),
            work: Event::new(),
            asks: AtomicBool::new(false),
            stands: AtomicBool::new(false),
            closed: Event::new(),
            stream: Mutex::new(None),
        }
    }

    /// What tells it of the wishes of subscriptions.
    pub(super) fn teller(self: Arc<Link>) -> Teller {
        Box::new(move |filter, is_wanted| {
            lock(&self.interest).want(filter, is_wanted);
            self.work.set();
        })
    }

    /// Waits until the messages of a filter come, or are refused, or the connection is lost.
    pub(super) fn wait_for(&self, filter: &Filter) {
        let confirmation = lock(&self.interest).confirmation(filter);
        if let Some(confirmation) = confirmation {
            self.work.set();
            // An error is a lost connection, which the subscription is told.
            let _ = confirmation.recv();
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.stands.load(Ordering::Acquire)
    }

    /// Starts the thread that keeps it, with a first connection.
    pub(super) fn start(
        self: &Arc<Link>,
        first: Connection,
        topics: Topics<Vec<u8>>,
    ) -> io::Result<()> {
        self.stands.store(true, Ordering::Release);
        // Before anybody subscribes, who would else take it for lost.
        self.begin(&topics);
        let link = self.clone();
        let thread = thread::Builder::new().name("redis link".to_owned());
        thread.spawn(move || link.keep(first, &topics)).map(drop)
    }

    /// Ends the thread, and with it the topics.
    pub(super) fn close(&self) {
        self.closed.set();
        if let Some(stream) = lock(&self.stream).take() {
            stream.cut();
        }
    }

    fn keep(&self, first: Connection, topics: &Topics<Vec<u8>>) {
        let mut next = Some(first);
        let mut pause = FIRST_PAUSE;
        while let Some(connection) = next {
            let begin = Instant::now();
            let error = self.serve(connection, topics);
            lock(&self.interest).unlink();
            let has_stood = self.stands.swap(false, Ordering::AcqRel);
            if self.closed.is_set() {
                return;
            }
            log::warn!("the connection to Redis is lost: {error}");
            if has_stood {
                topics.notice(false);
            }
            // One that does not last is no better than none.
            if has_stood && begin.elapsed() > self.longest_pause {
                pause = FIRST_PAUSE;
            }
            next = self.reconnect(&mut pause);
            if next.is_some() {
                self.begin(topics);
            }
        }
    }

    /// There is a new connection: asks for all that is wanted.
    fn begin(&self, topics: &Topics<Vec<u8>>) {
        lock(&self.interest).link();
        self.stand_if_settled(topics);
        self.work.set();
    }

    /// Another connection, or none if nobody needs it any more.
    fn reconnect(&self, pause: &mut Duration) -> Option<Connection> {
        while !self.closed.wait_timeout(shortened(*pause)) {
            *pause = (*pause * 2).min(self.longest_pause);
            match self.client.connect() {
                Ok(connection) => return Some(connection),
                Err(error) => log::info!("there is no connection to Redis: {error}"),
            }
        }
        None
    }

    /// Reads and writes a connection until it is lost. Returns why.
    fn serve(&self, connection: Connection, topics: &Topics<Vec<u8>>) -> RedisError {
        let (stream, reader) = connection.into_parts();
        if let Err(error) = self.prepare(&stream) {
            return error.into();
        }
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| self.write(&stream, &is_over));
            let lost = self.read(&stream, reader, topics);
            is_over.store(true, Ordering::Release);
            self.work.set();
            stream.cut();
            lost.err()
                .unwrap_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof).into())
        })
    }

    fn prepare(&self, stream: &Stream) -> io::Result<()> {
        stream.set_read_timeout(Some(self.heartbeat))?;
        stream.set_write_timeout(Some(self.heartbeat))?;
        let mut current = lock(&self.stream);
        if self.closed.is_set() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        *current = Some(stream.try_clone()?);
        Ok(())
    }

    /// The connection stands once all that was wanted is answered.
    fn stand_if_settled(&self, topics: &Topics<Vec<u8>>) {
        let is_settled = lock(&self.interest).is_settled();
        if is_settled && !self.stands.swap(true, Ordering::AcqRel) {
            topics.notice(true);
        }
    }

    /// Redis refuses something. An error if that is nothing which a subscription has asked for.
    fn refused(&self, error: RedisError, topics: &Topics<Vec<u8>>) -> RedisResult<()> {
        if error.code() != Some("NOPERM") {
            return Err(error);
        }
        let Some(filter) = lock(&self.interest).refused() else {
            return Err(error);
        };
        log::warn!("Redis refuses {filter:?}: {error}");
        topics.refuse(&filter);
        Ok(())
    }

    fn read(
        &self,
        stream: &Stream,
        mut reader: Reader,
        topics: &Topics<Vec<u8>>,
    ) -> RedisResult<()> {
        let mut pushes = Pushes::default();
        let mut stream = Attentive {
            link: self,
            stream,
            has_asked: false,
        };
        loop {
            match pushes.understand(reader.value(&mut stream)?) {
                Push::Message { topic, payload } => _ = topics.publish(&topic, payload),
                Push::Answer => {
                    lock(&self.interest).answered();
                    self.stand_if_settled(topics);
                }
                Push::Refusal(error) => {
                    self.refused(error, topics)?;
                    self.stand_if_settled(topics);
                }
                Push::Other => {}
            }
        }
    }

    /// Writes what is wanted, until the reader has ended.
    fn write(&self, mut stream: &Stream, is_over: &AtomicBool) {
        loop {
            self.work.wait();
            self.work.clear();
            if is_over.load(Ordering::Acquire) {
                return;
            }
            let mut bytes = encode(&lock(&self.interest).take_commands());
            if self.asks.swap(false, Ordering::AcqRel) {
                bytes.extend(cmd("PING").get_packed_command());
            }
            if stream.write_all(&bytes).is_err() {
                // The reader notices, and says why.
                stream.cut();
            }
        }
    }
}

/// A stream that asks, when it is silent, whether anybody is there.
struct Attentive<'a> {
    link: &'a Link,
    stream: &'a Stream,
    has_asked: bool,
}

impl Read for Attentive<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.has_asked {
                        let what = "Redis does not answer";
                        return Err(io::Error::new(io::ErrorKind::TimedOut, what));
                    }
                    self.has_asked = true;
                    self.link.asks.store(true, Ordering::Release);
                    self.link.work.set();
                }
                result => {
                    self.has_asked = false;
                    return result;
                }
            }
        }
    }
}

/// Half of a pause up to all of it, by chance.
fn shortened(pause: Duration) -> Duration {
    let chance = RandomState::new().hash_one(0) as u32;
    pause.mul_f64(0.5 + f64::from(chance) / f64::from(u32::MAX) / 2.0)
}
