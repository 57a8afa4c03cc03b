//! The settings of a connection, for servers and clients alike.

use crate::Compression;
use crate::protocol::decoder::Limits;
use crate::protocol::handshake::Origins;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a connection. The default is right for most; every limit is on by default.
///
/// ```
/// use greenwire_websocket::{Compression, Config, SlowReader};
///
/// let config = Config::default()
///     .max_message_size(64 * 1024)
///     .subprotocols(["chat.v2", "chat.v1"])
///     .slow_reader(SlowReader::DropOldest)
///     .compression(Compression::shared());
/// ```
#[derive(Clone, Debug)]
#[must_use = "a config does nothing until a connection is made with it"]
pub struct Config {
    /// Shared by all connections made with them.
    pub(crate) settings: Arc<Settings>,
    pub(crate) compression: Option<Compression>,
    pub(crate) protocols: Vec<String>,
    pub(crate) origins: Origins,
    pub(crate) headers: http::HeaderMap,
    pub(crate) proxy: Option<String>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<greenwire_net::tls::Connector>,
    pub(crate) handshake_timeout: Duration,
}

/// What a connection needs to know after its handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) max_queued: usize,
    pub(crate) slow_reader: SlowReader,
    pub(crate) stall_limit: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
}

/// What becomes of a message for a peer that reads so slowly that [`Config::max_queued`] bytes wait
/// for it already. The others are never held up, whatever the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlowReader {
    /// `send` waits for room: right where the sender serves this peer alone.
    #[default]
    Wait,
    /// The oldest messages that wait are dropped: right for news that grow old, as prices.
    DropOldest,
    /// This message is dropped.
    DropNewest,
    /// What waits is dropped and the connection closed with 1013, "try again later": right where the
    /// peer must not miss anything, and asks for what it missed when it connects again.
    Disconnect,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            settings: Arc::new(Settings {
                limits: Limits {
                    frame: 16 << 20,
                    message: 16 << 20,
                },
                max_queued: 1 << 20,
                slow_reader: SlowReader::Wait,
                stall_limit: Duration::from_secs(30),
                close_timeout: Duration::from_secs(5),
                heartbeat: Some(Duration::from_secs(45)),
                idle_timeout: Some(Duration::from_secs(120)),
            }),
            compression: None,
            protocols: Vec::new(),
            origins: Origins::Same,
            headers: http::HeaderMap::new(),
            proxy: None,
            #[cfg(feature = "tls")]
            tls: None,
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// The longest message that is received, in bytes, fragments joined and decompressed. Default
    /// 16 MiB: ample for applications, and nothing is allocated for it before it arrives. A longer
    /// one closes the connection with 1009. The number of fragments is not limited: they cost no
    /// memory. Does not apply to what is read [in pieces](crate::Receiver::reader).
    pub fn max_message_size(mut self, bytes: usize) -> Config {
        self.change().limits.message = bytes;
        self
    }

    /// The longest payload of one received frame, in bytes. Default 16 MiB, as for messages.
    pub fn max_frame_size(mut self, bytes: usize) -> Config {
        self.change().limits.frame = bytes;
        self
    }

    /// Offers, or accepts, permessage-deflate (RFC 7692). Default: off, because it costs time, and
    /// memory if both sides keep their contexts. See [`Compression`].
    pub fn compression(mut self, compression: impl Into<Option<Compression>>) -> Config {
        self.compression = compression.into();
        self
    }

    /// The subprotocols (RFC 6455 §1.9), best first; default none. A server picks the first of its
    /// own that the client offers and goes on without if there is none; a client offers them in
    /// this order.
    pub fn subprotocols<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Config {
        self.protocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Lets browsers in from these origins (`https://host[:port]`) besides the server's own. By
    /// default only pages of the same host and port may connect (RFC 6455 §10.2); programs, which
    /// send no `Origin`, always may.
    pub fn allow_origins<S: Into<String>>(mut self, list: impl IntoIterator<Item = S>) -> Config {
        self.origins = Origins::Listed(list.into_iter().map(Into::into).collect());
        self
    }

    /// Lets browsers in from any page. Any web page can then act with its visitor's cookies.
    pub fn allow_any_origin(mut self) -> Config {
        self.origins = Origins::Any;
        self
    }

    /// Adds a header to a client's request: cookies, authorization, an origin. Servers ignore it.
    ///
    /// # Panics
    /// If `name` or `value` holds characters that no header may hold.
    pub fn header(mut self, name: &str, value: &str) -> Config {
        let name = http::HeaderName::try_from(name);
        let value = http::HeaderValue::try_from(value);
        let (Ok(name), Ok(value)) = (name, value) else {
            panic!("not a valid HTTP header")
        };
        self.headers.append(name, value);
        self
    }

    /// Connects by way of an HTTP proxy, `http://[user:password@]host[:port]`, which is asked for a
    /// tunnel with `CONNECT` (RFC 9110 §9.3.6). Default: directly. What URLs reserve, such as an `@` in the
    /// password, is percent-encoded. Servers ignore it.
    pub fn proxy(mut self, url: &str) -> Config {
        self.proxy = Some(url.to_owned());
        self
    }

    /// Whom a client trusts that connects to `wss://`. Default: whom the system trusts, read at each
    /// connect; who connects often sets a connector, whose clones also resume each other's sessions. Servers
    /// ignore it.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, connector: greenwire_net::tls::Connector) -> Config {
        self.tls = Some(connector);
        self
    }

    /// How many bytes may wait for a slow reader. Default 1 MiB. While that many wait, the
    /// [policy](Self::slow_reader) decides; the message that passes the bound is still taken, so one
    /// message more can be held.
    pub fn max_queued(mut self, bytes: usize) -> Config {
        self.change().max_queued = bytes.max(1);
        self
    }

    /// What becomes of messages for a peer that is too slow for them. Default: `send` waits.
    pub fn slow_reader(mut self, policy: SlowReader) -> Config {
        self.change().slow_reader = policy;
        self
    }

    /// How long a peer may take nothing of what waits for it. Default 30 s; then the connection
    /// fails with [`Error::Io`](crate::Error::Io) of kind `TimedOut`.
    pub fn stall_limit(mut self, limit: Duration) -> Config {
        self.change().stall_limit = limit;
        self
    }

    /// After how long a silence of the peer it is sent a ping, to learn whether it is there and to
    /// keep proxies from forgetting the connection. Default 45 s, less than the minute after which
    /// many proxies do; `None` is never. It is the thread in `receive` that does it.
    pub fn heartbeat(mut self, silence: impl Into<Option<Duration>>) -> Config {
        self.change().heartbeat = silence.into();
        self
    }

    /// How long a peer may send nothing at all, not even a pong. Default 120 s; then it gets a close
    /// frame with 1001 and `receive` returns [`Error::Io`](crate::Error::Io) of kind `TimedOut`.
    /// `None` is for ever.
    pub fn idle_timeout(mut self, silence: impl Into<Option<Duration>>) -> Config {
        self.change().idle_timeout = silence.into();
        self
    }

    /// How long the closing handshake may take (RFC 6455 §7.1). Default 5 s; then the connection is
    /// cut.
    pub fn close_timeout(mut self, limit: Duration) -> Config {
        self.change().close_timeout = limit;
        self
    }

    /// How long a client may take to find the server's addresses, to connect to one of them, through a proxy
    /// if there is one, and to shake hands. Default 10 s. Addresses that do not answer share what is left of
    /// it. On an OS thread the system's resolver takes its own time.
    pub fn handshake_timeout(mut self, limit: Duration) -> Config {
        self.handshake_timeout = limit;
        self
    }

    fn change(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}
