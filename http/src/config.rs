//! What a server allows a client: sizes, counts and times, and whom it believes.

use crate::Proxies;
use greenwire_net::Buffer;
use std::time::Duration;

/// The limits of a [`Server`](crate::Server). Every one of them is on by default.
///
/// ```
/// use greenwire_http::Config;
/// use std::time::Duration;
///
/// let config = Config::default().max_body(16 << 20).idle_timeout(Duration::from_secs(10));
/// # let _ = config;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Config {
    pub(crate) max_request_line: usize,
    pub(crate) max_head: usize,
    pub(crate) max_headers: usize,
    pub(crate) max_body: u64,
    pub(crate) max_unread: u64,
    pub(crate) max_connections: usize,
    pub(crate) max_requests: u64,
    pub(crate) head_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) proxies: Option<Proxies>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            max_request_line: 8 << 10,
            max_head: 32 << 10,
            max_headers: 100,
            max_body: 2 << 20,
            max_unread: 64 << 10,
            max_connections: 100_000,
            max_requests: 1_000_000,
            head_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            proxies: None,
        }
    }
}

impl Config {
    /// The longest request line in bytes, answered with 414 beyond. Default 8 KiB, what browsers
    /// and proxies agree on. Never more than [`max_head`](Config::max_head) in effect.
    pub fn max_request_line(mut self, bytes: usize) -> Config {
        self.max_request_line = bytes;
        self
    }

    /// The largest head (request line and headers) in bytes, answered with 431 beyond. Default
    /// 32 KiB: generous cookies fit. Clamped to [`Buffer::SIZE`].
    pub fn max_head(mut self, bytes: usize) -> Config {
        self.max_head = bytes.min(Buffer::SIZE);
        self
    }

    /// The largest number of header lines, answered with 431 beyond. Default 100.
    pub fn max_headers(mut self, count: usize) -> Config {
        self.max_headers = count;
        self
    }

    /// How many bytes of a request's body a handler may read before it gets
    /// [`Error::BodyTooLarge`](crate::Error::BodyTooLarge), which becomes 413. Default 2 MiB, since
    /// most handlers collect the body in memory; one that does not raises it for itself with
    /// [`Body::set_limit`](crate::Body::set_limit).
    pub fn max_body(mut self, bytes: u64) -> Config {
        self.max_body = bytes;
        self
    }

    /// How many bytes of a body that a handler has left unread are read over, to keep the connection
    /// for further requests; it is closed if there are more. Default 64 KiB.
    pub fn max_unread(mut self, bytes: u64) -> Config {
        self.max_unread = bytes;
        self
    }

    /// How many connections are open at once; the server stops accepting until one ends. Default
    /// 100,000; at least 1.
    pub fn max_connections(mut self, count: usize) -> Config {
        self.max_connections = count.max(1);
        self
    }

    /// How many requests are answered on one connection; the last response says that it closes.
    /// Default 1,000,000: rarely met, and it lets a load balancer deal even its busiest connections
    /// anew. At least 1.
    pub fn max_requests(mut self, count: u64) -> Config {
        self.max_requests = count.max(1);
        self
    }

    /// How long a head may take from its first byte to its last, answered with 408 beyond. Default
    /// 30 s. Trickling bytes does not extend it.
    pub fn head_timeout(mut self, limit: Duration) -> Config {
        self.head_timeout = at_least_a_millisecond(limit);
        self
    }

    /// How long a connection may stay open without a request under way. Default 75 s, longer than
    /// the usual proxy's, so that it is the proxy that closes.
    pub fn idle_timeout(mut self, limit: Duration) -> Config {
        self.idle_timeout = at_least_a_millisecond(limit);
        self
    }

    /// How long a read of a request's body waits for the next byte, answered with 408 beyond. Default 30 s.
    /// What all of a body may take, [`middleware::Timeout`](crate::middleware::Timeout) says.
    pub fn body_timeout(mut self, limit: Duration) -> Config {
        self.body_timeout = at_least_a_millisecond(limit);
        self
    }

    /// How long a write waits for a client that does not read. Default 30 s.
    pub fn write_timeout(mut self, limit: Duration) -> Config {
        self.write_timeout = at_least_a_millisecond(limit);
        self
    }

    /// Believes what these proxies tell of the client: its address, its scheme, and the host that it
    /// asked for, as [`Peer`](crate::Peer) gives them. Default: nobody is believed.
    ///
    /// ```
    /// use greenwire_http::{Config, Proxies};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let config = Config::default().proxies(Proxies::x_forwarded(["127.0.0.1", "10.0.0.0/8"])?);
    /// # let _ = config;
    /// # Ok(())
    /// # }
    /// ```
    pub fn proxies(mut self, proxies: Proxies) -> Config {
        self.proxies = Some(proxies);
        self
    }
}

/// A socket refuses a timeout of zero.
fn at_least_a_millisecond(limit: Duration) -> Duration {
    limit.max(Duration::from_millis(1))
}
