//! Where a URL points to.

use crate::HandshakeError;
use http::Uri;

/// Where a URL points to.
pub(super) struct Target {
    /// `wss`
    pub(super) tls: bool,
    /// The name to be found in the server's certificate.
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "only TLS asks for it")
    )]
    pub(super) name: String,
    /// Host and port, to connect to.
    pub(super) address: String,
    /// The `Host` header: without the default port.
    pub(super) host: String,
    pub(super) path: String,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Target, HandshakeError> {
        let uri: Uri = url.parse().map_err(|_| HandshakeError::Invalid("url"))?;
        let tls = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") if cfg!(feature = "tls") => true,
            Some(other) => return Err(HandshakeError::UnsupportedScheme(other.to_owned())),
            None => return Err(HandshakeError::Invalid("url: no scheme")),
        };
        let default_port = if tls { 443 } else { 80 };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or(HandshakeError::Invalid("url: no host"))?;
        let port = port(&uri)?.unwrap_or(default_port);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Target {
            tls,
            name: host.trim_matches(['[', ']']).to_owned(),
            address: format!("{host}:{port}"),
            host: if port == default_port {
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

/// The port that a URL names, which may be left empty (RFC 3986 §3.2.3).
pub(super) fn port(uri: &Uri) -> Result<Option<u16>, HandshakeError> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    match authority.rsplit_once(':') {
        None | Some((_, "")) => Ok(None),
        // The end of an IPv6 address, or a password.
        Some((_, other)) if other.contains([']', '@']) => Ok(None),
        Some((_, port)) => match port.parse() {
            Ok(port) => Ok(Some(port)),
            Err(_) => Err(HandshakeError::Invalid("url: port")),
        },
    }
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
        #[cfg(feature = "tls")]
        {
            check("wss://a.example/", Ok(("a.example:443", "a.example", "/")));
            check(
                "wss://a.example:80",
                Ok(("a.example:80", "a.example:80", "/")),
            );
        }
        check(
            "http://a.example",
            Err(HandshakeError::UnsupportedScheme("http".to_owned())),
        );
        check("/path", Err(HandshakeError::Invalid("url: no scheme")));
        check("ws://a b", Err(HandshakeError::Invalid("url")));
        check("ws://a.example:/", Ok(("a.example:80", "a.example", "/")));
        check("ws://[::1]", Ok(("[::1]:80", "[::1]", "/")));
        check(
            "ws://me:1@a.example",
            Ok(("a.example:80", "a.example", "/")),
        );
        check("ws://a:65536", Err(HandshakeError::Invalid("url: port")));
    }
}
