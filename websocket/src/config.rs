//! The settings of a connection, for servers and clients alike.

use crate::protocol::decoder::Limits;
use crate::protocol::handshake::Origins;
use std::time::Duration;

/// Settings of a connection. The default is right for most; every limit is on by default.
///
/// ```
/// use greenwire_websocket::Config;
///
/// let config = Config::default().max_message_size(64 * 1024).subprotocols(["chat.v2", "chat.v1"]);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a config does nothing until a connection is made with it"]
pub struct Config {
    pub(crate) limits: Limits,
    pub(crate) protocols: Vec<String>,
    pub(crate) origins: Origins,
    pub(crate) headers: http::HeaderMap,
    pub(crate) max_queued: usize,
    pub(crate) stall_limit: Duration,
    pub(crate) close_timeout: Duration,
    pub(crate) handshake_timeout: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            limits: Limits {
                frame: 16 << 20,
                message: 16 << 20,
            },
            protocols: Vec::new(),
            origins: Origins::Same,
            headers: http::HeaderMap::new(),
            max_queued: 1 << 20,
            stall_limit: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// The longest message that is received, in bytes, fragments joined. Default 16 MiB: ample for
    /// applications, and nothing is allocated for it before it arrives. A longer one closes the
    /// connection with 1009. The number of fragments is not limited: they cost no memory.
    pub fn max_message_size(mut self, bytes: usize) -> Config {
        self.limits.message = bytes;
        self
    }

    /// The longest payload of one received frame, in bytes. Default 16 MiB, as for messages.
    pub fn max_frame_size(mut self, bytes: usize) -> Config {
        self.limits.frame = bytes;
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

    /// How many bytes may wait for a slow reader. Default 1 MiB. While that many wait, `send` does;
    /// the message that passes the bound is still taken, so one message more can be held.
    pub fn max_queued(mut self, bytes: usize) -> Config {
        self.max_queued = bytes.max(1);
        self
    }

    /// How long a peer may take nothing of what waits for it. Default 30 s; then the connection
    /// fails with [`Error::Io`](crate::Error::Io) of kind `TimedOut`.
    pub fn stall_limit(mut self, limit: Duration) -> Config {
        self.stall_limit = limit;
        self
    }

    /// How long the closing handshake may take (RFC 6455 §7.1). Default 5 s; then the connection is
    /// cut.
    pub fn close_timeout(mut self, limit: Duration) -> Config {
        self.close_timeout = limit;
        self
    }

    /// How long a server may take to answer a client's opening handshake. Default 10 s.
    pub fn handshake_timeout(mut self, limit: Duration) -> Config {
        self.handshake_timeout = limit;
        self
    }
}
