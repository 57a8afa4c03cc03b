//! The settings of a comet server.

use super::Comet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// The longest time of a setting: it is for ever.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Settings; the defaults are Shaveet's, and limits where it has none.
///
/// ```
/// use greenwire_realtime::comet::Config;
///
/// let comet = Config::default()
///     .token("a long secret that the web application knows")
///     .messages_per_channel(100)
///     .start();
/// # let _ = comet;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a config does nothing until a server is started with it"]
pub struct Config {
    pub(super) limits: Limits,
    pub(super) access: Access,
    pub(super) origins: Option<Vec<String>>,
    pub(super) poll_timeout: Duration,
    pub(super) heartbeat: Duration,
    pub(super) collect_every: Duration,
    pub(super) max_batch: usize,
}

/// What the clients and channels are measured by.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) messages_per_channel: usize,
    pub(super) max_message: usize,
    pub(super) max_clients: usize,
    pub(super) max_channels: usize,
    pub(super) max_idle: Duration,
    pub(super) min_alive: Duration,
    pub(super) channel_idle: Duration,
    pub(super) max_reconnecting: usize,
    pub(super) reconnect_within: Duration,
}

/// Who may call the JSON-RPC interface.
#[derive(Clone)]
pub(super) struct Access {
    /// Empty: from anywhere.
    pub(super) ips: Vec<IpAddr>,
    pub(super) token: Option<String>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "secret");
        f.debug_struct("Access")
            .field("ips", &self.ips)
            .field("token", &token)
            .finish()
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            limits: Limits::default(),
            access: Access {
                ips: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
                token: None,
            },
            origins: None,
            poll_timeout: Duration::from_secs(25),
            heartbeat: Duration::from_secs(15),
            collect_every: Duration::from_secs(10),
            max_batch: 1000,
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            messages_per_channel: 10,
            max_message: 64 << 10,
            max_clients: 1_000_000,
            max_channels: 100_000,
            max_idle: Duration::from_secs(10),
            min_alive: Duration::from_secs(60),
            channel_idle: Duration::from_secs(60 * 60),
            max_reconnecting: 100_000,
            reconnect_within: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Config {
    /// Starts a server with these settings, and the green thread that collects its idle clients.
    #[must_use]
    pub fn start(self) -> Comet {
        Comet::start(self)
    }

    /// From which addresses the JSON-RPC interface may be called; none at all means from anywhere, which needs
    /// a [`token`](Config::token). Default: 127.0.0.1 and ::1.
    ///
    /// It is [`Peer::ip`](greenwire_http::Peer::ip) that counts. Behind a proxy that the server does not know of, that
    /// is the proxy's, for everybody: set a token then.
    pub fn allow_ips(mut self, ips: impl IntoIterator<Item = IpAddr>) -> Config {
        self.access.ips = ips.into_iter().collect();
        self
    }

    /// What a call of the JSON-RPC interface has to show, as `Authorization: Bearer TOKEN`, beside coming from
    /// the right address. Default: nothing.
    pub fn token(mut self, token: impl Into<String>) -> Config {
        self.access.token = Some(token.into());
        self
    }

    /// Which other sites' pages may read updates, as `https://app.example`. Default: all, since a page has to
    /// know a client's key, and cookies are not looked at.
    ///
    /// JSONP knows no origins; the key alone protects it.
    pub fn allow_origins<S: Into<String>>(
        mut self,
        origins: impl IntoIterator<Item = S>,
    ) -> Config {
        self.origins = Some(origins.into_iter().map(Into::into).collect());
        self
    }

    /// After how long a poll is answered without a message. Default 25 s, below what proxies put up with.
    pub fn poll_timeout(mut self, limit: Duration) -> Config {
        self.poll_timeout = limit.min(LONGEST);
        self
    }

    /// After how long without a message a stream of events gets a comment. Default 15 s.
    pub fn heartbeat(mut self, period: Duration) -> Config {
        self.heartbeat = period.clamp(Duration::from_millis(1), LONGEST);
        self
    }

    /// How many messages of each channel are kept for those who are about to ask. Default 10. Who misses more
    /// than that sees it by the ids, which count up by one.
    pub fn messages_per_channel(mut self, count: usize) -> Config {
        self.limits.messages_per_channel = count.max(1);
        self
    }

    /// The most bytes of a message. Default 64 KiB.
    pub fn max_message(mut self, bytes: usize) -> Config {
        self.limits.max_message = bytes;
        self
    }

    /// The most clients at a time. Default 1,000,000.
    pub fn max_clients(mut self, count: usize) -> Config {
        self.limits.max_clients = count;
        self
    }

    /// The most channels at a time. Default 100,000.
    pub fn max_channels(mut self, count: usize) -> Config {
        self.limits.max_channels = count;
        self
    }

    /// The most calls in one batch. Default 1,000.
    pub fn max_batch(mut self, count: usize) -> Config {
        self.max_batch = count;
        self
    }

    /// How long a client may be without a poll or stream before it is collected. Default 10 s.
    pub fn max_idle(mut self, limit: Duration) -> Config {
        self.limits.max_idle = limit;
        self
    }

    /// How long a new client is not collected, however idle. Default 60 s.
    pub fn min_alive(mut self, limit: Duration) -> Config {
        self.limits.min_alive = limit;
        self
    }

    /// How often idle clients are collected. Default every 10 s.
    pub fn collect_every(mut self, period: Duration) -> Config {
        self.collect_every = period.max(Duration::from_millis(1));
        self
    }

    /// How many clients that were collected are remembered, so that they may come back. Default 100,000.
    pub fn max_reconnecting(mut self, count: usize) -> Config {
        self.limits.max_reconnecting = count;
        self
    }

    /// For how long they are remembered. Default a day: a laptop may sleep over night. (Shaveet has a setting of
    /// five minutes for it, and does not use it.)
    pub fn reconnect_within(mut self, limit: Duration) -> Config {
        self.limits.reconnect_within = limit;
        self
    }

    /// After how long a channel without subscribers, of which nobody has spoken, is forgotten. Default an hour.
    pub fn channel_idle(mut self, limit: Duration) -> Config {
        self.limits.channel_idle = limit;
        self
    }
}
