//! The settings of a service.

use super::protocol::machine::Times;
use super::{Service, Session, Transport};
use greenwire_http::Request;
use greenwire_websocket as websocket;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Who decides whether a client may have a session: `Err` is what it is told.
type Gate = Arc<dyn Fn(&Request) -> Result<(), String> + Send + Sync>;

/// The settings of Engine.IO, with the defaults of the reference in Node where it has them.
///
/// ```
/// use greenwire_realtime::engineio::Config;
/// use std::time::Duration;
///
/// let echo = Config::default()
///     .ping_interval(Duration::from_secs(10))
///     .max_payload(64 << 10)
///     .service(|mut session| {
///         while let Some(message) = session.receive() {
///             session.send(message)?;
///         }
///         Ok(())
///     });
/// # let _ = echo;
/// ```
#[derive(Clone)]
#[must_use = "a config does nothing until a service is made with it"]
pub struct Config {
    pub(crate) times: Times,
    pub(crate) max_payload: usize,
    pub(crate) max_queued: usize,
    pub(crate) max_sessions: usize,
    pub(crate) transports: Vec<Transport>,
    pub(crate) upgrades: bool,
    pub(crate) compression: bool,
    pub(crate) cookie: Option<String>,
    pub(crate) origins: Origins,
    pub(crate) credentials: bool,
    pub(crate) gate: Option<Gate>,
    pub(crate) websocket: websocket::Config,
}

/// Whose pages may use the service, besides the server's own.
#[derive(Clone, Debug)]
pub(crate) enum Origins {
    These(Vec<String>),
    Any,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            times: Times {
                ping_interval: Duration::from_secs(25),
                ping_timeout: Duration::from_secs(20),
                upgrade_timeout: Duration::from_secs(10),
            },
            max_payload: 1_000_000,
            max_queued: 1 << 20,
            max_sessions: 100_000,
            transports: vec![Transport::Polling, Transport::Websocket],
            upgrades: true,
            compression: true,
            cookie: None,
            origins: Origins::These(Vec::new()),
            credentials: false,
            gate: None,
            websocket: websocket::Config::default(),
        }
    }
}

impl Config {
    /// Makes a service of a function that has the conversation with each client, on a green thread of its own. When
    /// it returns, the session is closed.
    pub fn service<F>(self, handler: F) -> Service
    where
        F: Fn(Session) -> Result<(), super::Closed> + Send + Sync + 'static,
    {
        Service::conversing(self, handler)
    }

    /// After how long the client is sent a ping, counted from its last answer. Default 25 s.
    pub fn ping_interval(mut self, interval: Duration) -> Config {
        self.times.ping_interval = at_least_a_little(interval);
        self
    }

    /// How long a client may take to answer a ping. Default 20 s; then its session ends.
    pub fn ping_timeout(mut self, limit: Duration) -> Config {
        self.times.ping_timeout = at_least_a_little(limit);
        self
    }

    /// How long a client may take to change from polling to a websocket. Default 10 s; then it goes on polling.
    pub fn upgrade_timeout(mut self, limit: Duration) -> Config {
        self.times.upgrade_timeout = at_least_a_little(limit);
        self
    }

    /// The longest body of a request, and message of a websocket, in bytes. Default 1,000,000. A longer body is
    /// answered with 413, a longer message ends the session. Clients are told, and send no longer bodies.
    pub fn max_payload(mut self, bytes: usize) -> Config {
        self.max_payload = bytes;
        self
    }

    /// How many bytes may wait for a slow client. Default 1 MiB. Beyond them sending waits, and a client to whom many
    /// are sent something at once is parted with. The message that passes the bound is still taken.
    pub fn max_queued(mut self, bytes: usize) -> Config {
        self.max_queued = bytes.max(1);
        self
    }

    /// How many sessions there may be at once. Default 100,000. Who would begin another one is answered with 503.
    pub fn max_sessions(mut self, count: usize) -> Config {
        self.max_sessions = count;
        self
    }

    /// The transports that are served. Default: all.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Config {
        self.transports = transports.into_iter().collect();
        self
    }

    /// Whether clients that poll are told to try a websocket, and may. Default true.
    pub fn upgrades(mut self, allowed: bool) -> Config {
        self.upgrades = allowed;
        self
    }

    /// Whether bodies of 1 KiB and more are compressed for clients that poll, if they like. Default true.
    pub fn compression(mut self, compressed: bool) -> Config {
        self.compression = compressed;
        self
    }

    /// Sets a cookie of this name to the id of the session, for load balancers that keep a client at one server by it.
    /// Default: none. It lasts as long as the browser, for scripts it is not there (`HttpOnly`), and other sites
    /// do not send it (`SameSite=Lax`).
    ///
    /// # Panics
    /// If it is no name of a cookie.
    pub fn cookie(mut self, name: &str) -> Config {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let fits = !name.is_empty() && name.bytes().all(is_plain);
        assert!(fits, "{name:?} is no name of a cookie");
        self.cookie = Some(name.to_owned());
        self
    }

    /// Lets pages of these origins, as `https://app.example`, use the service, besides the server's own. Default:
    /// none. It holds for requests (CORS) and for websockets.
    pub fn allow_origins<S: Into<String>>(
        mut self,
        origins: impl IntoIterator<Item = S>,
    ) -> Config {
        self.origins = Origins::These(origins.into_iter().map(Into::into).collect());
        self
    }

    /// Lets pages of all origins use the service. Where people are recognised by cookies any page can then act for
    /// its visitors over a websocket.
    pub fn allow_any_origin(mut self) -> Config {
        self.origins = Origins::Any;
        self
    }

    /// Lets the pages of [`allow_origins`](Config::allow_origins) poll with cookies. Default: not.
    pub fn allow_credentials(mut self) -> Config {
        self.credentials = true;
        self
    }

    /// Asks `gate` for each new session whether it may be; who may not is answered with 403 and the text. It may wait.
    pub fn allow_request(
        mut self,
        gate: impl Fn(&Request) -> Result<(), String> + Send + Sync + 'static,
    ) -> Config {
        self.gate = Some(Arc::new(gate));
        self
    }

    /// The settings of websockets, such as compression (off by default). Sizes, origins and pings are those set here.
    pub fn websocket(mut self, config: websocket::Config) -> Config {
        self.websocket = config;
        self
    }

    pub(crate) fn allows(&self, transport: Transport) -> bool {
        self.transports.contains(&transport)
    }

    /// Whether a client that polls may try a websocket.
    pub(crate) fn may_upgrade(&self) -> bool {
        self.upgrades && self.allows(Transport::Websocket)
    }

    /// What websockets are opened with.
    pub(crate) fn for_websockets(&self) -> websocket::Config {
        let config = self
            .websocket
            .clone()
            .max_message_size(self.max_payload)
            .max_frame_size(self.max_payload)
            .max_queued(self.max_queued)
            .slow_reader(websocket::SlowReader::Wait)
            // The protocol has its own.
            .heartbeat(None)
            .idle_timeout(None);
        match &self.origins {
            Origins::Any => config.allow_any_origin(),
            Origins::These(origins) => config.allow_origins(origins),
        }
    }
}

/// A time without length would leave no time for anything else.
fn at_least_a_little(time: Duration) -> Duration {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    time.clamp(Duration::from_millis(1), YEAR)
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("times", &self.times)
            .field("max_payload", &self.max_payload)
            .field("max_queued", &self.max_queued)
            .field("max_sessions", &self.max_sessions)
            .field("transports", &self.transports)
            .finish_non_exhaustive()
    }
}
