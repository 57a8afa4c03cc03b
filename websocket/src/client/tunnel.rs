//! Tunnels through HTTP proxies (`CONNECT`, RFC 9110 §9.3.6).

use super::head::Head;
use super::target::port;
use super::{Deadline, dial};
use crate::{Error, HandshakeError};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use greenwire_net::Stream;
use http::Uri;
use percent_encoding::percent_decode_str;
use std::io::Write as _;

/// A stream to `target` by way of `proxy`.
pub(super) fn open(proxy: &str, target: &str, deadline: Deadline) -> Result<Stream, Error> {
    let Proxy {
        address,
        credentials,
    } = Proxy::parse(proxy)?;
    let stream = dial(&address, deadline)?;
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(credentials) = credentials {
        let credentials = STANDARD.encode(credentials);
        request += &format!("Proxy-Authorization: Basic {credentials}\r\n");
    }
    request += "\r\n";
    (&stream).write_all(request.as_bytes())?;
    match Head::read(&stream, deadline)? {
        (head, _) if !(200..300).contains(&head.status) => {
            Err(HandshakeError::Proxy(head.status).into())
        }
        // The server speaks second.
        (_, early) if !early.is_empty() => {
            Err(HandshakeError::BadResponse("more than a tunnel from the proxy").into())
        }
        _ => Ok(stream),
    }
}

/// Who opens tunnels.
#[derive(Debug, PartialEq, Eq)]
struct Proxy {
    address: String,
    /// `user:password`
    /// `user:password`.
    credentials: Option<Vec<u8>>,
}

impl Proxy {
    fn parse(url: &str) -> Result<Proxy, HandshakeError> {
        let uri: Uri = url
            .parse()
            .map_err(|_| HandshakeError::Invalid("proxy url"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some(other) => return Err(HandshakeError::UnsupportedScheme(other.to_owned())),
            None => return Err(HandshakeError::Invalid("proxy url: no scheme")),
        }
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or(HandshakeError::Invalid("proxy url: no host"))?;
        let port = port(&uri)?.unwrap_or(80);
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let credentials = authority.rsplit_once('@');
        let credentials = credentials.map(|(user, _)| percent_decode_str(user).collect());
        Ok(Proxy {
            address: format!("{host}:{port}"),
            credentials,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let parse = |url| {
            Proxy::parse(url).map(|proxy| (proxy.address, proxy.credentials.unwrap_or_default()))
        };
        let ok = |address: &str, credentials: &str| Ok((address.to_owned(), credentials.into()));
        assert_eq!(parse("http://p.example"), ok("p.example:80", ""));
        assert_eq!(parse("http://p.example:3128/"), ok("p.example:3128", ""));
        assert_eq!(
            parse("http://ann:secret@p.example:8080"),
            ok("p.example:8080", "ann:secret")
        );
        assert_eq!(
            parse("http://ann:p%40ss@p.example"),
            ok("p.example:80", "ann:p@ss")
        );
        assert!(parse("http://p.example:70000").is_err());
        assert!(parse("p.example:80").is_err());
        assert!(parse("socks5://p.example").is_err());
    }
}
