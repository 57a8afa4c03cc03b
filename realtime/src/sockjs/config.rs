//! The settings of a service.

use super::protocol::mailbox::Limits;
use super::{Application, Error, Sender, Service, Session};
use greenwire_websocket::{self as websocket, SlowReader};
use std::time::Duration;

/// What the times of a service are clamped to: the longest one is for ever.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The ways in which a client may talk to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// `websocket`: SockJS's frames over a websocket.
    Websocket,
    /// A websocket without any frames of SockJS's, at `/websocket`: for programs.
    RawWebsocket,
    /// `xhr-streaming`.
    XhrStreaming,
    /// `xhr-polling`.
    XhrPolling,
    /// `eventsource`.
    EventSource,
    /// `htmlfile`.
    HtmlFile,
    /// `jsonp-polling`.
    JsonpPolling,
}

/// The settings of a [`Service`]. Those of sockjs-tornado, with its defaults, and limits.
///
/// ```
/// use greenwire_realtime::sockjs::{Config, Transport};
/// use std::time::Duration;
///
/// let echo = Config::default()
///     .heartbeat(Duration::from_secs(10))
///     .disable(Transport::HtmlFile)
///     .service(|mut session| {
///         while let Some(message) = session.receive()? {
///             session.send(message)?;
///         }
///         Ok(())
///     });
/// # let _ = echo;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a config does nothing until a service is made with it"]
pub struct Config {
    pub(crate) limits: Limits,
    pub(crate) response_limit: usize,
    pub(crate) max_message_size: usize,
    pub(crate) max_sessions: usize,
    pub(crate) disabled: Vec<Transport>,
    pub(crate) cookie: bool,
    pub(crate) verify_ip: bool,
    pub(crate) client_url: String,
    /// `None` is all.
    pub(crate) origins: Option<Vec<String>>,
    pub(crate) websocket: websocket::Config,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            limits: Limits {
                max_queued: 1 << 20,
                slow_reader: SlowReader::Wait,
                disconnect_delay: Duration::from_secs(5),
                heartbeat: Duration::from_secs(25),
            },
            response_limit: 128 << 10,
            max_message_size: 2 << 20,
            max_sessions: 100_000,
            disabled: Vec::new(),
            cookie: false,
            verify_ip: true,
            client_url: "https://cdn.jsdelivr.net/npm/sockjs-client@1/dist/sockjs.min.js"
                .to_owned(),
            origins: None,
            websocket: websocket::Config::default(),
        }
    }
}

impl Config {
    /// Makes a service of a function that has the conversation with each client, on a green thread of its own. When
    /// it returns, the session is closed with 3000 "Go away!", or 1011 if it returned an error or panicked, unless
    /// it is closed already. Its error is logged at debug level.
    pub fn service<F>(self, handler: F) -> Service
    where
        F: Fn(Session) -> Result<(), Error> + Send + Sync + 'static,
    {
        Service::new(self, Box::new(handler))
    }

    /// Makes a service of objects that are told what happens, one for each client, which `open` makes.
    pub fn application<A: Application>(
        self,
        open: impl Fn(Sender) -> A + Send + Sync + 'static,
    ) -> Service {
        self.service(move |session| super::application::run(session, &open))
    }

    /// After how long without anything for the client it is sent a heartbeat. Default 25 s, since proxies cut silent
    /// connections, many after 30 s. Over websockets a heartbeat is sent at this interval in any case.
    pub fn heartbeat(mut self, interval: Duration) -> Config {
        self.limits.heartbeat = interval.clamp(SHORTEST, LONGEST);
        self
    }

    /// How long a session over HTTP lives without a request that receives. Default 5 s. As often it is looked
    /// whether the clients that wait are still there.
    pub fn disconnect_delay(mut self, delay: Duration) -> Config {
        self.limits.disconnect_delay = delay.clamp(SHORTEST, LONGEST);
        self
    }

    /// After how many bytes a streaming response ends, so that browsers, which keep all of it, get their memory
    /// back. The client asks again at once. Default 128 KiB.
    pub fn response_limit(mut self, bytes: usize) -> Config {
        self.response_limit = bytes.max(1);
        self
    }

    /// The longest body of a request, or message of a websocket, in bytes; several messages of the client may be in
    /// it. Default 2 MiB. A longer body is answered with 413; a longer websocket message closes the session.
    pub fn max_message_size(mut self, bytes: usize) -> Config {
        self.max_message_size = bytes;
        self
    }

    /// How many bytes may wait in a session for its client, and how many for its handler. Default 1 MiB. Beyond the
    /// first the [policy](Config::slow_reader) decides; beyond the second requests that send wait. One request
    /// more can be held.
    pub fn max_queued(mut self, bytes: usize) -> Config {
        self.limits.max_queued = bytes.max(1);
        self
    }

    /// What becomes of messages for a client that is too slow for them. Default: `send` waits.
    pub fn slow_reader(mut self, policy: SlowReader) -> Config {
        self.limits.slow_reader = policy;
        self
    }

    /// How many sessions there may be at once. Default 100,000. Who would begin another one is answered with 503.
    pub fn max_sessions(mut self, count: usize) -> Config {
        self.max_sessions = count;
        self
    }

    /// Answers a transport with 404. Without [`Transport::Websocket`] clients are told not to try it.
    pub fn disable(mut self, transport: Transport) -> Config {
        self.disabled.push(transport);
        self
    }

    /// Sets the cookie `JSESSIONID` for those load balancers that keep a session at one server by it. Default: not,
    /// since the path has what most need, the first part after the service's own.
    pub fn cookie(mut self, needed: bool) -> Config {
        self.cookie = needed;
        self
    }

    /// Whether all requests of a session have to come from one address. Default true: who has found out the name of
    /// a session cannot use it elsewhere. To be switched off where clients change their addresses.
    pub fn verify_ip(mut self, verify: bool) -> Config {
        self.verify_ip = verify;
        self
    }

    /// Where browsers find SockJS's client, as a URL that begins with `/` or `http`: for the page that some
    /// transports load into a frame. It must be the version that pages use. Default: the newest 1.x on a public
    /// server; serve your own to depend on nobody.
    ///
    /// # Panics
    /// If it has a quotation mark or a line end.
    pub fn client_url(mut self, url: &str) -> Config {
        let is_plain = !url.contains(['"', '<', '>', '\r', '\n']);
        assert!(is_plain, "{url:?} cannot be in a page");
        self.client_url = url.to_owned();
        self
    }

    /// Lets in only pages of these origins, as `https://app.example`, and those of the server's own; others are
    /// answered with 403. Default: all, as the protocol is meant. Who recognises people by cookies should name the
    /// origins here: else any page acts with the cookies of its visitors.
    pub fn allow_origins<S: Into<String>>(
        mut self,
        origins: impl IntoIterator<Item = S>,
    ) -> Config {
        self.origins = Some(origins.into_iter().map(Into::into).collect());
        self
    }

    /// The settings of websockets: compression, pings, how long a stalled peer is borne. Sizes, origins and the
    /// policy for slow readers are those set here.
    pub fn websocket(mut self, config: websocket::Config) -> Config {
        self.websocket = config;
        self
    }

    pub(crate) fn allows(&self, transport: Transport) -> bool {
        !self.disabled.contains(&transport)
    }

    /// What websockets are opened with.
    pub(crate) fn for_websockets(&self) -> websocket::Config {
        let config = self
            .websocket
            .clone()
            .max_message_size(self.max_message_size)
            .max_frame_size(self.max_message_size)
            .max_queued(self.limits.max_queued)
            .slow_reader(self.limits.slow_reader);
        match &self.origins {
            None => config.allow_any_origin(),
            Some(origins) => config.allow_origins(origins),
        }
    }
}
