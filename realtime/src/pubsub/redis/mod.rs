//! `Redis`: topics that many processes share, through one server.

mod interest;
mod link;
mod push;

use super::{Config, Filter, Options, Subscription, Topics};
use crate::redis::{Client, Commands, IntoConnectionInfo, Pool, RedisResult};
use link::Link;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Topics that all processes share which are connected to the same Redis server, whatever they are
/// written with: its channels. Cloning it gives another handle to the same topics.
///
/// A process has one connection for all of its subscriptions, and each message comes over it once.
///
/// ```no_run
/// use greenwire_realtime::pubsub::{Event, Redis};
///
/// # fn main() -> Result<(), greenwire_realtime::redis::RedisError> {
/// let redis = Redis::connect("redis://127.0.0.1/")?;
/// let feed = redis.subscribe("news");
/// redis.publish("news", "hello")?;
/// for event in &feed {
///     match event {
///         Event::Message(message) => println!("{:?}", message.as_text()),
///         Event::Disconnected => println!("Redis is gone"),
///         Event::Reconnected => println!("it is back; what came in between is missing"),
///         _ => println!("{event:?}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # When the connection is lost
///
/// Each subscription receives [`Event::Disconnected`](super::Event::Disconnected). The connection is made
/// again, after a moment, then with growing pauses up to [`RedisConfig::longest_pause`]. When Redis
/// has confirmed all subscriptions, each of them receives
/// [`Event::Reconnected`](super::Event::Reconnected), and from there on all that is published. What was published
/// in between is missing: Redis does not keep it.
///
/// # When Redis refuses a topic
///
/// By its access control list, that is. Those who have subscribed to it receive
/// [`Event::Refused`](super::Event::Refused), and others are not disturbed. It is asked for again with the next
/// subscription to it, and with the next connection.
///
/// # Differences from [`Topics`]
///
/// - The payload is bytes.
/// - [`Subscription::add`] does not wait until Redis has confirmed it: what is published right after it may be missed.
/// - A [history](Config::history) is that of this process, and begins when it subscribes to a topic; a lost
///   connection ends it. So an [`Id`](super::Id) of another process, or from before, is a gap.
/// - A publisher of another process does not wait for
///   [`SlowSubscriber::Wait`](super::SlowSubscriber::Wait): the connection does, with all others who get
///   messages over it, until Redis has had enough and hangs up (its `client-output-buffer-limit`).
pub struct Redis {
    handle: Arc<Handle>,
}

/// What the handles share. Ends with the last of them.
struct Handle {
    topics: Topics<Vec<u8>>,
    link: Arc<Link>,
    pool: Pool,
}

/// How topics are connected to a Redis server.
///
/// ```no_run
/// use greenwire_realtime::pubsub::{Config, RedisConfig};
/// use greenwire_realtime::redis::Client;
/// use std::time::Duration;
///
/// # fn main() -> Result<(), greenwire_realtime::redis::RedisError> {
/// let redis = RedisConfig::default()
///     .topics(Config::default().history(100))
///     .heartbeat(Duration::from_secs(5))
///     .connect(Client::open("redis://127.0.0.1/")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisConfig {
    topics: Config,
    publishers: usize,
    heartbeat: Duration,
    longest_pause: Duration,
}

impl Default for RedisConfig {
    fn default() -> RedisConfig {
        RedisConfig {
            topics: Config::default(),
            publishers: 8,
            heartbeat: Duration::from_secs(10),
            longest_pause: Duration::from_secs(5),
        }
    }
}

impl RedisConfig {
    /// The settings of the topics in this process.
    pub fn topics(mut self, config: Config) -> RedisConfig {
        self.topics = config;
        self
    }

    /// Over how many connections messages are published, at most. They are made as they are needed.
    /// Default 8.
    pub fn publishers(mut self, connections: usize) -> RedisConfig {
        self.publishers = connections;
        self
    }

    /// After how long a silence Redis is asked whether it is still there; after as long again without a
    /// word the connection is lost. Default 10 s.
    pub fn heartbeat(mut self, silence: Duration) -> RedisConfig {
        self.heartbeat = silence;
        self
    }

    /// The longest pause between attempts to connect again. The first pause is 50 ms, and each is up to twice
    /// as long as the one before, until a connection has stood for longer than this; chance shortens them, so that not
    /// all processes come at once. Default 5 s.
    pub fn longest_pause(mut self, pause: Duration) -> RedisConfig {
        self.longest_pause = pause;
        self
    }

    /// Connects. The connection is kept until the last handle is dropped.
    ///
    /// # Errors
    ///
    /// Those of [`Client::connect`]. Only this first time: later on they are logged, and tried again.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect(self, client: Client) -> RedisResult<Redis> {
        let link = Arc::new(Link::new(client.clone(), &self));
        let topics = Topics::linked(self.topics, Some(link.clone().teller()));
        link.start(client.connect()?, topics.clone())?;
        let pool = Pool::with_size(client, self.publishers);
        let handle = Handle { topics, link, pool };
        Ok(Redis {
            handle: Arc::new(handle),
        })
    }
}

impl Redis {
    /// Connects to a server, by its URL, with the default [`RedisConfig`].
    ///
    /// # Errors
    ///
    /// Those of [`Client::open`] and [`Client::connect`].
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn connect(server: impl IntoConnectionInfo) -> RedisResult<Redis> {
        RedisConfig::default().connect(Client::open(server)?)
    }

    /// Subscribes to a topic, or to a [`pattern`](super::pattern), with the default [`Options`].
    ///
    /// Parks until Redis has confirmed it, so all that is published from here on is received. While the
    /// connection is lost, it returns at once, and the first event says so.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn subscribe(&self, to: impl Into<Filter>) -> Subscription<Vec<u8>> {
        self.subscribe_with(to, &Options::default())
    }

    /// As [`subscribe`](Redis::subscribe), with options of your own.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn subscribe_with(
        &self,
        to: impl Into<Filter>,
        options: &Options,
    ) -> Subscription<Vec<u8>> {
        let filter = to.into();
        let subscription = self.handle.topics.subscribe_with(filter.clone(), options);
        self.handle.link.wait_for(&filter);
        subscription
    }

    /// Publishes to all processes, and returns how many connections to Redis it has reached: those of
    /// processes, each with any number of subscriptions.
    ///
    /// # Errors
    ///
    /// If there is no connection, and none can be made, or it breaks; then nobody knows whether the message was
    /// published.
    ///
    /// # Cancellation
    ///
    /// May park here.
    pub fn publish(&self, topic: &str, payload: impl AsRef<[u8]>) -> RedisResult<usize> {
        self.handle.pool.get()?.publish(topic, payload.as_ref())
    }

    /// Whether the connection for subscriptions stands.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.handle.link.is_connected()
    }

    /// The connections for publishing, for whatever else Redis is to do.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.handle.pool
    }
}

impl Clone for Redis {
    fn clone(&self) -> Redis {
        Redis {
            handle: self.handle.clone(),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.link.close();
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
