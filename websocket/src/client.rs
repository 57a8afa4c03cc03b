//! The connecting end: a URL, one request, one response, then the same connection as a server's.

use crate::connection::{Agreed, Connection};
use crate::protocol::{Role, extension, handshake};
use crate::{Config, Error, HandshakeError, WebSocket, random};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use greenwire_net::TcpStream;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::time::Instant;

/// A response head may have this many bytes and headers.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 100;

/// Connects to `ws://host[:port]/path` with the default [`Config`].
///
/// # Errors
/// [`Error::Io`] if there is no connection to be had, [`Error::Handshake`] if the server does not
/// speak websocket there, or the URL is not one; `wss://` is not supported yet.
pub fn connect(url: &str) -> Result<WebSocket, Error> {
    Config::default().connect(url)
}

impl Config {
    /// As [`connect`], with these settings.
    ///
    /// # Errors
    /// As there.
    pub fn connect(&self, url: &str) -> Result<WebSocket, Error> {
        let target = Target::parse(url)?;
        let key = STANDARD.encode(random::bytes::<16>()?);
        let request = self.request(&target, &key)?;
        let mut stream = TcpStream::connect(target.address.as_str())?;
        stream.write_all(request.as_bytes())?;
        let (headers, early) = self.read_response(&mut stream)?;
        let ours = self.compression;
        let answer = handshake::check_response(&headers, &key, &self.protocols, ours.as_ref())
            .map_err(HandshakeError::BadResponse)?;
        let agreed = Agreed {
            protocol: answer.protocol,
            compression: answer.compression.zip(ours),
        };
        let receiver = Connection::start(stream, early, Role::Client, agreed, self.settings)?;
        Ok(WebSocket::new(receiver))
    }

    /// The request's head (RFC 6455 §4.1).
    fn request(&self, target: &Target, key: &str) -> Result<String, HandshakeError> {
        let mut head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n",
            target.path, target.host
        );
        let mut add = |name: &str, value: &str| {
            write!(head, "{name}: {value}\r\n").expect("a string takes everything");
        };
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
            add(
                name.as_str(),
                value
                    .to_str()
                    .map_err(|_| HandshakeError::Invalid("header"))?,
            );
        }
        head.push_str("\r\n");
        Ok(head)
    }

    /// The headers of the 101, and the bytes that came after its head.
    fn read_response(&self, stream: &mut TcpStream) -> Result<(HeaderMap, Vec<u8>), Error> {
        let deadline = Instant::now() + self.handshake_timeout;
        let mut bytes = Vec::new();
        loop {
            let limit = deadline.saturating_duration_since(Instant::now());
            if limit.is_zero() {
                return Err(timed_out());
            }
            stream.set_read_timeout(Some(limit))?;
            let mut chunk = [0; 2048];
            match stream.read(&mut chunk) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                Ok(n) => bytes.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(timed_out()),
                Err(error) => return Err(error.into()),
            }
            if let Some((headers, size)) = parse_response(&bytes)? {
                return Ok((headers, bytes.split_off(size)));
            }
            if bytes.len() > MAX_HEAD {
                return Err(HandshakeError::BadResponse("head too long").into());
            }
        }
    }
}

/// Where a URL points to.
struct Target {
    /// Host and port, to connect to.
    address: String,
    /// The `Host` header: without the default port.
    host: String,
    path: String,
}

impl Target {
    fn parse(url: &str) -> Result<Target, HandshakeError> {
        let uri: Uri = url.parse().map_err(|_| HandshakeError::Invalid("url"))?;
        match uri.scheme_str() {
            Some("ws") => {}
            Some(other) => return Err(HandshakeError::UnsupportedScheme(other.to_owned())),
            None => return Err(HandshakeError::Invalid("url: no scheme")),
        }
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or(HandshakeError::Invalid("url: no host"))?;
        let port = uri.port_u16().unwrap_or(80);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Target {
            address: format!("{host}:{port}"),
            host: if port == 80 {
                host.to_owned()
            } else {
                format!("{host}:{port}")
            },
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
        })
    }
}

fn timed_out() -> Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        "the server did not answer the handshake",
    )
    .into()
}

/// The headers of a 101 and the length of its head; `None` while it is incomplete.
fn parse_response(bytes: &[u8]) -> Result<Option<(HeaderMap, usize)>, HandshakeError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut fields);
    let size = match response.parse(bytes) {
        Ok(httparse::Status::Complete(size)) => size,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(HandshakeError::BadResponse("not HTTP")),
    };
    if response.code != Some(101) {
        return Err(HandshakeError::Status(response.code.unwrap_or_default()));
    }
    let mut headers = HeaderMap::new();
    for field in response.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_bytes(field.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(HandshakeError::BadResponse("invalid header"));
        };
        headers.append(name, value);
    }
    Ok(Some((headers, size)))
}

/// Whether `name` is an HTTP token, which is what a header's name is made of as well.
fn is_token(name: &str) -> bool {
    header::HeaderName::from_bytes(name.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<(&str, &str, &str), HandshakeError>) {
        let target = Target::parse(url);
        let target = target
            .as_ref()
            .map(|t| (t.address.as_str(), t.host.as_str(), t.path.as_str()));
        assert_eq!(target, expected.as_ref().copied());
    }

    #[test]
    fn urls() {
        check("ws://a.example", Ok(("a.example:80", "a.example", "/")));
        check(
            "ws://a.example:81/b?c=d",
            Ok(("a.example:81", "a.example:81", "/b?c=d")),
        );
        check("ws://[::1]:9/?q", Ok(("[::1]:9", "[::1]:9", "/?q")));
        check(
            "wss://a.example",
            Err(HandshakeError::UnsupportedScheme("wss".to_owned())),
        );
        check("/path", Err(HandshakeError::Invalid("url: no scheme")));
        check("ws://a b", Err(HandshakeError::Invalid("url")));
    }
}
