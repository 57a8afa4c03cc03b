//! The settings.

use super::protocol::machine::Times;
use super::protocol::route::Transport;
use std::time::Duration;

/// The settings of Socket.IO 0.9, with the defaults of its first server, for
/// [`Config::legacy`](crate::socketio::Config::legacy). What is not here is as for all clients.
///
/// ```
/// use greenwire_realtime::socketio::{Config, Legacy};
/// use std::time::Duration;
///
/// let config = Config::default().legacy(Legacy::default().poll_duration(Duration::from_secs(10)));
/// ```
///
/// # How such clients see a server
///
/// * They are in the namespace `/` as soon as they are connected, and show nothing to be let in. To other namespaces
///   they show the query of their URL, as [`auth`](crate::socketio::Handshake::auth).
/// * What they send without a name, text or JSON, is the event `message` with one argument; such an event goes
///   to them in the same way.
/// * A client that is [disconnected](crate::socketio::Socket::disconnect) from the namespace `/` is disconnected from all.
/// * Bytes reach them as text in base64.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until a server has it"]
pub struct Legacy {
    pub(super) times: Times,
    pub(super) jsonp: bool,
}

impl Default for Legacy {
    fn default() -> Legacy {
        Legacy {
            times: Times {
                heartbeat_interval: Duration::from_secs(25),
                heartbeat_timeout: Duration::from_secs(60),
                close_timeout: Duration::from_secs(60),
                poll_duration: Duration::from_secs(20),
            },
            jsonp: false,
        }
    }
}

impl Legacy {
    /// After how long a client with a websocket is sent a heartbeat, counted from its last answer. Default 25 s.
    pub fn heartbeat_interval(mut self, interval: Duration) -> Legacy {
        self.times.heartbeat_interval = sensible(interval);
        self
    }

    /// How long the answer to a heartbeat may take. Default 60 s; then the client is given up. Clients are told, in
    /// whole seconds, and give the server up after as long a silence: so it has to be longer than the interval.
    pub fn heartbeat_timeout(mut self, limit: Duration) -> Legacy {
        self.times.heartbeat_timeout = sensible(limit);
        self
    }

    /// How long a client that polls may be away. Default 60 s; then it is given up. Clients are told, in whole
    /// seconds.
    pub fn close_timeout(mut self, limit: Duration) -> Legacy {
        self.times.close_timeout = sensible(limit);
        self
    }

    /// How long a poll waits for something, before the client has to ask again. Default 20 s.
    pub fn poll_duration(mut self, limit: Duration) -> Legacy {
        self.times.poll_duration = sensible(limit);
        self
    }

    /// Whether there is `jsonp-polling`, for browsers that can do nothing else across origins. Default not: it lets
    /// the pages of *all* origins use the server with the cookies of their visitors.
    pub fn jsonp(mut self, served: bool) -> Legacy {
        self.jsonp = served;
        self
    }

    pub(super) fn allows(&self, transport: Transport) -> bool {
        self.jsonp || transport != Transport::JsonpPolling
    }

    /// What clients are told that there is, best first.
    pub(super) fn transports(&self) -> &'static str {
        match self.jsonp {
            true => "websocket,xhr-polling,jsonp-polling",
            false => "websocket,xhr-polling",
        }
    }
}

fn sensible(time: Duration) -> Duration {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    time.clamp(Duration::from_millis(1), YEAR)
}
