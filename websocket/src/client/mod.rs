//! The connecting end: a URL, one request, one response, then the same connection as a server's.

mod head;
mod target;
mod tunnel;

use self::head::Head;
use self::target::Target;
use crate::connection::{Agreed, Connection};
use crate::protocol::{Role, extension, handshake};
use crate::{Config, Error, HandshakeError, WebSocket, random};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use greenwire_net::Stream;
#[cfg(feature = "tls")]
use greenwire_net::tls::Connector;
use greenwire_net::{TcpStream, ToSocketAddrs as _};
use greenwire_runtime::time;
use http::header::{self, HeaderName};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use std::vec;

/// Connects to `ws://host[:port]/path`, or `wss://…` over TLS (feature `tls`), with the default [`Config`].
///
/// # Errors
/// [`Error::Io`] if there is no connection to be had, or none that can be trusted, of kind `TimedOut` if
/// it takes longer than [`Config::handshake_timeout`]; [`Error::Handshake`] if the server does not speak
/// websocket there, or the URL is not one.
pub fn connect(url: &str) -> Result<WebSocket, Error> {
    Config::default().connect(url)
}

impl Config {
    /// As [`connect`], with these settings.
    ///
    /// # Errors
    /// As there.
    pub fn connect(&self, url: &str) -> Result<WebSocket, Error> {
        let deadline = Deadline(Instant::now() + self.handshake_timeout);
        let target = Target::parse(url)?;
        let key = STANDARD.encode(random::bytes::<16>()?);
        let request = self.request(&target, &key)?;
        let mut stream = match &self.proxy {
            Some(proxy) => tunnel::open(proxy, &target.address, deadline)?,
            None => dial(&target.address, deadline)?,
        };
        if target.tls {
            stream = self.encrypt(stream, &target, deadline)?;
        }
        (&stream).write_all(request.as_bytes())?;
        (&stream).flush()?;
        let (answer, early) = Head::read(&stream, deadline)?;
        let ours = self.compression;
        let headers = answer.switched()?;
        let answer = handshake::check_response(&headers, &key, &self.protocols, ours.as_ref())
            .map_err(HandshakeError::BadResponse)?;
        let agreed = Agreed {
            protocol: answer.protocol,
            compression: answer.compression.zip(ours),
        };
        let settings = self.settings.clone();
        let receiver = Connection::start(stream, early, Role::Client, agreed, settings)?;
        Ok(WebSocket::new(receiver))
    }

    #[cfg(feature = "tls")]
    fn encrypt(&self, stream: Stream, target: &Target, deadline: Deadline) -> io::Result<Stream> {
        let connector = match &self.tls {
            Some(connector) => connector.clone(),
            None => Connector::new()?,
        };
        let connector = connector.handshake_timeout(deadline.left()?);
        match stream {
            Stream::Tcp(stream) => Ok(connector.connect(&target.name, stream)?.into()),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "the signature is that with TLS")]
    fn encrypt(&self, _: Stream, _: &Target, _: Deadline) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The request's head (RFC 6455 §4.1).
    fn request(&self, target: &Target, key: &str) -> Result<String, HandshakeError> {
        let mut head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n",
            target.path, target.host
        );
        let mut add = |name: &str, value: &str| head += &format!("{name}: {value}\r\n");
        if !self.protocols.is_empty() {
            if !self.protocols.iter().all(|name| is_token(name)) {
                return Err(HandshakeError::Invalid("subprotocol"));
            }
            add("Sec-WebSocket-Protocol", &self.protocols.join(", "));
        }
        if let Some(ours) = &self.compression {
            add("Sec-WebSocket-Extensions", &extension::offer(ours));
        }
        for (name, value) in &self.headers {
            let value = value.to_str().ok().filter(|_| !is_ours(name));
            add(
                name.as_str(),
                value.ok_or(HandshakeError::Invalid("header"))?,
            );
        }
        head.push_str("\r\n");
        Ok(head)
    }
}

/// When the handshake has to be over.
#[derive(Clone, Copy)]
struct Deadline(Instant);

impl Deadline {
    /// The time that is left, never zero.
    fn left(self) -> io::Result<Duration> {
        let left = self.0.checked_duration_since(Instant::now());
        left.filter(|left| !left.is_zero()).ok_or_else(timed_out)
    }
}

/// Connects to the first of the addresses that accepts.
fn dial(address: &str, deadline: Deadline) -> io::Result<Stream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut addrs = resolve(address, deadline)?;
    while let Some(addr) = addrs.next() {
        // An address that does not answer leaves the others their share of the time.
        let share = deadline.left()? / (1 + addrs.len() as u32);
        match TcpStream::connect_timeout(&addr, share) {
            Ok(stream) => {
                stream.set_write_timeout(Some(deadline.left()?))?;
                return Ok(stream.into());
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn resolve(address: &str, deadline: Deadline) -> io::Result<vec::IntoIter<SocketAddr>> {
    let resolved = time::timeout(deadline.left()?, || address.to_socket_addrs());
    resolved.unwrap_or_else(|_| {
        let text = "the name was not resolved in time";
        Err(io::Error::new(io::ErrorKind::TimedOut, text))
    })
}

fn timed_out() -> io::Error {
    let text = "the server did not answer the handshake";
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// Whether `name` is an HTTP token, which is what a header's name is made of as well.
fn is_token(name: &str) -> bool {
    HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// Whether the handshake itself sets this header.
fn is_ours(name: &HeaderName) -> bool {
    [header::HOST, header::UPGRADE, header::CONNECTION].contains(name)
        || name.as_str().starts_with("sec-websocket-")
}
