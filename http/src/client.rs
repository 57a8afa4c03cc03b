//! An HTTP client: [`ureq`], over greenwire's streams (feature `client`).
//!
//! ```no_run
//! use greenwire_http::client;
//! use greenwire_runtime::thread;
//!
//! # fn main() -> Result<(), client::Error> {
//! let agent = client::agent();
//! let pages = ["http://example.com/", "http://example.org/"].map(|url| {
//!     let agent = agent.clone();
//!     thread::spawn(move || agent.get(url).call()?.body_mut().read_to_string())
//! });
//! for page in pages {
//!     println!("{} bytes", page.join().unwrap()?.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! All of ureq's API is there: what an [`Agent`] does, ureq documents. A green thread that waits for a
//! name, a connection or a response is parked while others run. Agents are cheap to clone, and clones
//! share a pool of idle connections.
//!
//! With the feature `tls`, URLs may begin with `https`. A proxy is taken from the environment,
//! as curl does, or from the configuration; SOCKS is not supported.

use greenwire_net::{Shutdown, TcpStream, ToSocketAddrs};
use greenwire_runtime::time;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use ureq::http::Uri;
#[cfg(feature = "tls")]
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
#[cfg(feature = "tls")]
use ureq::unversioned::transport::RustlsConnector;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    ShutdownHandle, Transport,
};

pub use ureq;
pub use ureq::config::Config;
pub use ureq::{Agent, Error};

/// A client with ureq's defaults, but smaller buffers, which are the most that a request owns; and it
/// trusts whom the system trusts.
#[must_use]
pub fn agent() -> Agent {
    let config = Agent::config_builder()
        .input_buffer_size(64 << 10)
        .output_buffer_size(16 << 10);
    #[cfg(feature = "tls")]
    let config = config.tls_config(
        TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build(),
    );
    agent_with(config.build())
}

/// A client with other settings, such as time limits.
///
/// ```
/// use greenwire_http::client::{self, Agent};
/// use std::time::Duration;
///
/// let limit = Duration::from_secs(10);
/// let agent = client::agent_with(Agent::config_builder().timeout_global(Some(limit)).build());
/// # let _ = agent;
/// ```
#[must_use]
pub fn agent_with(config: Config) -> Agent {
    let connector = ().chain(ConnectProxyConnector::default()).chain(Tcp);
    #[cfg(feature = "tls")]
    let connector = connector.chain(RustlsConnector::default());
    Agent::with_parts(config, connector, Names)
}

/// What ureq has room for.
const MOST_ADDRS: usize = 16;

/// Looks names up as [`ToSocketAddrs`] does, off the worker.
#[derive(Debug)]
struct Names;

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = match (uri.scheme(), uri.authority()) {
            (Some(scheme), Some(authority)) => DefaultResolver::host_and_port(scheme, authority),
            _ => None,
        };
        let host = host.ok_or_else(|| Error::BadUri(format!("{uri} has no host or no port")))?;
        let found = match timeout.not_zero() {
            None => host.to_socket_addrs(),
            Some(limit) => time::timeout(*limit, || host.to_socket_addrs())
                .map_err(|_| Error::Timeout(timeout.reason))?,
        };
        let mut addrs = self.empty();
        let wanted = config.ip_family();
        for addr in wanted.keep_wanted(found?).take(MOST_ADDRS) {
            addrs.push(addr);
        }
        match addrs.is_empty() {
            true => Err(Error::HostNotFound),
            false => Ok(addrs),
        }
    }
}

/// Opens a connection, unless one to a proxy is there already.
#[derive(Debug)]
struct Tcp;

impl<In: Transport> Connector<In> for Tcp {
    type Out = Either<In, Connection>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(proxied) = chained {
            return Ok(Some(Either::A(proxied)));
        }
        let config = details.config;
        let stream = connect(&details.addrs, details.timeout)?;
        stream.set_nodelay(config.no_delay())?;
        let stream = Arc::new(Stream(stream));
        let handle: Weak<Stream> = Arc::downgrade(&stream);
        (details.register_shutdown)(handle)?;
        Ok(Some(Either::B(Connection {
            stream,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        })))
    }
}

/// Connects to the first address that accepts. Each may take an equal share of the time that is left,
/// so that one which never answers does not keep the others from being tried.
fn connect(addrs: &[SocketAddr], timeout: NextTimeout) -> Result<TcpStream, Error> {
    let limit = timeout.not_zero().map(|limit| *limit);
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut last = Error::ConnectionFailed;
    for (tried, addr) in addrs.iter().enumerate() {
        let shares = (addrs.len() - tried) as u32;
        let connected = match deadline {
            None => TcpStream::connect(addr),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                TcpStream::connect_timeout(addr, (left / shares).max(Duration::from_millis(1)))
            }
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => last = explain(error, timeout),
        }
    }
    Err(last)
}

/// Shared with the agent, which may shut it down.
#[derive(Debug)]
struct Stream(TcpStream);

impl ShutdownHandle for Stream {
    fn shutdown(&self) {
        // It fails if the connection is gone, which is as good.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// An HTTP connection, or what is below its TLS.
#[derive(Debug)]
struct Connection {
    stream: Arc<Stream>,
    buffers: LazyBuffers,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let mut stream = &self.stream.0;
        stream.set_write_timeout(timeout.not_zero().map(|limit| *limit))?;
        let output = &self.buffers.output()[..amount];
        stream
            .write_all(output)
            .map_err(|error| explain(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let mut stream = &self.stream.0;
        stream.set_read_timeout(timeout.not_zero().map(|limit| *limit))?;
        let buf = self.buffers.input_append_buf();
        let count = loop {
            match stream.read(buf) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.map_err(|error| explain(error, timeout))?,
            }
        };
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    /// An idle connection is good if there is nothing to read, not even its end.
    fn is_open(&mut self) -> bool {
        let read = self.stream.0.try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

fn explain(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}
