//! Where a URL points to.

use crate::HandshakeError;
use http::Uri;

/// Where a URL points to.
pub(super) struct Target {
    /// Host and port, to connect to.
    pub(super) address: String,
    /// The `Host` header: without the default port.
    pub(super) host: String,
    pub(super) path: String,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Target, HandshakeError> {
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
