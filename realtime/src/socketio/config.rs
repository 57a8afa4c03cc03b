//! The settings of a server.

use super::{Adapter, Recovery, Server};
use crate::engineio;
use greenwire_http::files::Files;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The settings of a [`Server`], with the defaults of the reference in Node where it has them.
///
/// ```
/// use greenwire_realtime::engineio;
/// use greenwire_realtime::socketio::{Config, Recovery};
/// use std::time::Duration;
///
/// let io = Config::default()
///     .engine(engineio::Config::default().allow_origins(["https://app.example"]))
///     .recovery(Recovery::default())
///     .ack_timeout(Duration::from_secs(5))
///     .server();
/// # let _ = io;
/// ```
#[derive(Clone)]
#[must_use = "a config does nothing until a server is made with it"]
pub struct Config {
    pub(crate) engine: engineio::Config,
    pub(crate) connect_timeout: Duration,
    pub(crate) ack_timeout: Duration,
    pub(crate) max_namespaces: usize,
    pub(crate) max_attachments: usize,
    pub(crate) max_waiting: usize,
    pub(crate) adapter: Option<Arc<dyn Adapter>>,
    pub(crate) client_files: Option<Files>,
    recovery: Option<Recovery>,
    #[cfg(feature = "socketio-legacy")]
    pub(crate) legacy: Option<super::Legacy>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            engine: engineio::Config::default(),
            connect_timeout: Duration::from_secs(45),
            ack_timeout: Duration::from_secs(30),
            max_namespaces: 100,
            max_attachments: 10,
            max_waiting: 1 << 20,
            adapter: None,
            client_files: None,
            recovery: None,
            #[cfg(feature = "socketio-legacy")]
            legacy: None,
        }
    }
}

impl Config {
    /// Makes a server.
    pub fn server(self) -> Server {
        Server::with(self)
    }

    /// The settings of the connections: pings, sizes, origins, cookies.
    pub fn engine(mut self, config: engineio::Config) -> Config {
        self.engine = config;
        self
    }

    /// How long a client may be connected without joining a namespace. Default 45 s; then its connection is closed.
    pub fn connect_timeout(mut self, limit: Duration) -> Config {
        self.connect_timeout = limit;
        self
    }

    /// How long answers are waited for, of clients and of other servers, where nothing else is said. Default 30 s.
    pub fn ack_timeout(mut self, limit: Duration) -> Config {
        self.ack_timeout = limit;
        self
    }

    /// How many namespaces a client may be in. Default 100; beyond that its connection is closed.
    pub fn max_namespaces(mut self, count: usize) -> Config {
        self.max_namespaces = count;
        self
    }

    /// How many attachments an event of a client may have. Default 10; beyond that its connection is closed.
    pub fn max_attachments(mut self, count: usize) -> Config {
        self.max_attachments = count;
        self
    }

    /// How many bytes of events may wait for the handlers of a client. Default 1 MiB; beyond that it is not read, not
    /// even its answers, until they have caught up.
    pub fn max_waiting(mut self, bytes: usize) -> Config {
        self.max_waiting = bytes.max(1);
        self
    }

    /// Lets clients that lose their connections come back as who they were. Default: not. They miss nothing but what
    /// was volatile, or emitted for an answer. A client that is too slow for what is emitted is parted with, and
    /// comes back.
    ///
    /// It takes what is emitted while they are away from the memory of this server, so it does not work together with
    /// an [`adapter`](Config::adapter).
    pub fn recovery(mut self, recovery: Recovery) -> Config {
        self.recovery = Some(recovery);
        self
    }

    /// Makes the server one of a cluster.
    pub fn adapter(mut self, adapter: impl Adapter) -> Config {
        self.adapter = Some(Arc::new(adapter));
        self
    }

    /// Serves files to pages, beside their connections: those of npm's `socket.io-client/dist` are where pages of
    /// servers in Node expect them, at `/socket.io/socket.io.min.js` and so on. Default: none.
    pub fn client_files(mut self, files: Files) -> Config {
        self.client_files = Some(files);
        self
    }

    /// Serves clients of Socket.IO 0.9, too, at the same path. Default: not. Only with the feature `socketio-legacy`.
    #[cfg(feature = "socketio-legacy")]
    pub fn legacy(mut self, legacy: super::Legacy) -> Config {
        self.legacy = Some(legacy);
        self
    }

    /// What is kept for clients that come back, if anything.
    pub(crate) fn journal(&self) -> Option<Recovery> {
        self.recovery.filter(|_| self.adapter.is_none())
    }

    pub(crate) fn skips_checks(&self) -> bool {
        self.journal().is_some_and(|recovery| recovery.skip_checks)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("engine", &self.engine)
            .field("recovery", &self.recovery)
            .field("adapter", &self.adapter)
            .finish_non_exhaustive()
    }
}
