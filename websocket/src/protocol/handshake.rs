//! The opening handshake (RFC 6455 §4), both ends, on parsed heads.

use super::extension::{self, Agreement};
use crate::Compression;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header::{self, AsHeaderName, HeaderMap, HeaderName};
use sha1::{Digest as _, Sha1};

/// Which `Origin`s a browser may connect from. Other programs send none and are let in.
#[derive(Clone, Debug, Default)]
pub(crate) enum Origins {
    /// Only the origin whose host and port are those of the `Host` header.
    #[default]
    Same,
    /// These, compared without regard to case, and the same origin.
    Listed(Vec<String>),
    /// All.
    Any,
}

/// Why a server refuses the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400, with the reason.
    Bad(&'static str),
    /// 426, with `Sec-WebSocket-Version: 13`.
    Version,
    /// 403.
    Origin,
}

/// What a server answers an acceptable request with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Acceptance {
    pub(crate) key: String,
    pub(crate) protocol: Option<String>,
    /// What it comes to, and the header that says so.
    pub(crate) compression: Option<(Agreement, String)>,
}

/// What a client takes from a server's answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Confirmation {
    pub(crate) protocol: Option<String>,
    pub(crate) compression: Option<Agreement>,
}

/// Checks a request as a server (RFC 6455 §4.2.1); picks the first of `protocols` that it offers, and
/// the first compression that it offers and we can do.
pub(crate) fn check_request<B>(
    request: &http::Request<B>,
    origins: &Origins,
    protocols: &[String],
    compression: Option<&Compression>,
) -> Result<Acceptance, Refusal> {
    let headers = request.headers();
    require(request.method() == http::Method::GET, "method is not GET")?;
    require(request.version() == http::Version::HTTP_11, "not HTTP/1.1")?;
    let host = only(headers, header::HOST).ok_or(Refusal::Bad("no single Host"))?;
    require(
        has_token(headers, header::UPGRADE, "websocket"),
        "no Upgrade to websocket",
    )?;
    require(
        has_token(headers, header::CONNECTION, "upgrade"),
        "no Connection: upgrade",
    )?;
    if only(headers, header::SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(Refusal::Version);
    }
    let key = only(headers, header::SEC_WEBSOCKET_KEY)
        .filter(|key| STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16))
        .ok_or(Refusal::Bad("no Sec-WebSocket-Key of 16 bytes"))?;
    check_origin(headers, host, origins)?;
    let protocol = protocols
        .iter()
        .find(|ours| tokens(headers, header::SEC_WEBSOCKET_PROTOCOL).any(|t| t == *ours));
    Ok(Acceptance {
        key: accept_key(key),
        protocol: protocol.cloned(),
        compression: compression.and_then(|ours| extension::accept(extensions(headers), ours)),
    })
}

/// Checks a server's 101 as a client that sent `key` and offered `protocols` and `compression`
/// (RFC 6455 §4.1).
pub(crate) fn check_response(
    headers: &HeaderMap,
    key: &str,
    protocols: &[String],
    compression: Option<&Compression>,
) -> Result<Confirmation, &'static str> {
    if !has_token(headers, header::UPGRADE, "websocket") {
        return Err("no upgrade to websocket");
    }
    if !has_token(headers, header::CONNECTION, "upgrade") {
        return Err("no connection: upgrade");
    }
    if only(headers, header::SEC_WEBSOCKET_ACCEPT) != Some(&accept_key(key)) {
        return Err("wrong accept key");
    }
    Ok(Confirmation {
        protocol: check_protocol(headers, protocols)?,
        compression: extension::check_answer(extensions(headers), compression)?,
    })
}

/// The subprotocol that a server chose.
fn check_protocol(
    headers: &HeaderMap,
    protocols: &[String],
) -> Result<Option<String>, &'static str> {
    if !headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        return Ok(None);
    }
    only(headers, header::SEC_WEBSOCKET_PROTOCOL)
        .filter(|chosen| protocols.iter().any(|ours| ours == chosen))
        .map(|chosen| Some(chosen.to_owned()))
        .ok_or("subprotocol that was not offered")
}

/// The answer to a `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
pub(crate) fn accept_key(key: &str) -> String {
    const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

fn require(condition: bool, reason: &'static str) -> Result<(), Refusal> {
    if condition {
        Ok(())
    } else {
        Err(Refusal::Bad(reason))
    }
}

/// The value of a header that must come exactly once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    value.to_str().ok().map(str::trim)
}

/// The headers that list extensions. One that is no text lists none that we know.
fn extensions(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers
        .get_all(header::SEC_WEBSOCKET_EXTENSIONS)
        .into_iter();
    values.filter_map(|value| value.to_str().ok())
}

/// The comma-separated tokens of all headers called `name`.
fn tokens(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|t| t.eq_ignore_ascii_case(token))
}

/// Lets a request without `Origin` in: it does not come from a browser.
fn check_origin(headers: &HeaderMap, host: &str, origins: &Origins) -> Result<(), Refusal> {
    if matches!(origins, Origins::Any) || !headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    let origin = only(headers, header::ORIGIN).ok_or(Refusal::Origin)?;
    let listed = match origins {
        Origins::Listed(list) => list.iter().any(|o| o.eq_ignore_ascii_case(origin)),
        _ => false,
    };
    if listed || is_same_origin(origin, host) {
        Ok(())
    } else {
        Err(Refusal::Origin)
    }
}

/// Whether `origin` names `host`. Browsers leave out the scheme's default port in both.
fn is_same_origin(origin: &str, host: &str) -> bool {
    origin
        .split_once("://")
        .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "host: a.example:81\nupgrade: foo, WebSocket\nconnection: keep-alive, Upgrade\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\nsec-websocket-version: 13\n";

    fn request(method: &str, version: http::Version, lines: &str) -> http::Request<()> {
        let mut builder = http::Request::builder()
            .method(method)
            .uri("/")
            .version(version);
        for (name, value) in lines.lines().filter_map(|line| line.split_once(": ")) {
            builder = builder.header(name, value);
        }
        builder.body(()).unwrap()
    }

    fn refusal(lines: &str) -> Option<Refusal> {
        let request = request("GET", http::Version::HTTP_11, lines);
        check_request(&request, &Origins::Same, &[], None).err()
    }

    #[track_caller]
    fn check(change: (&str, &str), expected: Option<Refusal>) {
        assert!(GOOD.contains(change.0));
        assert_eq!(
            refusal(&GOOD.replace(change.0, change.1)),
            expected,
            "{change:?}"
        );
    }

    #[test]
    fn the_key_of_the_rfc() {
        assert_eq!(
            accept_key("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn requests() {
        check(("", ""), None);
        check(
            ("host: a.example:81\n", ""),
            Some(Refusal::Bad("no single Host")),
        );
        check(
            ("foo, WebSocket", "h2c"),
            Some(Refusal::Bad("no Upgrade to websocket")),
        );
        check(
            ("keep-alive, Upgrade", "close"),
            Some(Refusal::Bad("no Connection: upgrade")),
        );
        check(("version: 13", "version: 8"), Some(Refusal::Version));
        check(("sec-websocket-version: 13\n", ""), Some(Refusal::Version));
        let bad_key = Some(Refusal::Bad("no Sec-WebSocket-Key of 16 bytes"));
        check(("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), bad_key);
        check(("dGhlIHNhbXBsZSBub25jZQ==", "!"), bad_key);
        check(
            ("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\n", ""),
            bad_key,
        );
    }

    #[test]
    fn methods_and_versions() {
        for (method, version) in [
            ("POST", http::Version::HTTP_11),
            ("GET", http::Version::HTTP_10),
        ] {
            let request = request(method, version, GOOD);
            let refused = check_request(&request, &Origins::Any, &[], None).unwrap_err();
            assert!(matches!(refused, Refusal::Bad(_)), "{refused:?}");
        }
    }

    #[test]
    fn origins() {
        let with = |origin: &str, origins: Origins| {
            let lines = format!("{GOOD}origin: {origin}\n");
            let request = request("GET", http::Version::HTTP_11, &lines);
            check_request(&request, &origins, &[], None).is_ok()
        };
        let listed = || Origins::Listed(vec!["https://b.example".to_owned()]);
        assert!(with("http://A.example:81", Origins::Same));
        assert!(!with("http://a.example", Origins::Same));
        assert!(!with("null", Origins::Same));
        assert!(!with("http://b.example", listed()));
        assert!(with("https://B.example", listed()));
        assert!(with("http://a.example:81", listed()));
        assert!(with("null", Origins::Any));
    }

    #[test]
    fn the_servers_first_choice_among_the_offered() {
        let lines = format!("{GOOD}sec-websocket-protocol: a, b\nsec-websocket-protocol: c\n");
        let request = request("GET", http::Version::HTTP_11, &lines);
        let choose = |ours: &[&str]| {
            let ours: Vec<String> = ours.iter().map(|&p| p.to_owned()).collect();
            check_request(&request, &Origins::Same, &ours, None)
                .unwrap()
                .protocol
        };
        assert_eq!(choose(&["x", "c", "a"]).as_deref(), Some("c"));
        assert_eq!(choose(&["x"]), None);
        assert_eq!(choose(&[]), None);
    }

    #[test]
    fn responses() {
        let check = |extra: &str, expected| {
            let lines = format!(
                "upgrade: websocket\nconnection: Upgrade\n\
                 sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n{extra}"
            );
            let head = request("GET", http::Version::HTTP_11, &lines);
            let offered = ["a".to_owned()];
            let result = check_response(head.headers(), "dGhlIHNhbXBsZSBub25jZQ==", &offered, None);
            assert_eq!(result.map(|answer| answer.protocol), expected, "{extra}");
        };
        check("", Ok(None));
        check("sec-websocket-protocol: a", Ok(Some("a".to_owned())));
        check(
            "sec-websocket-protocol: b",
            Err("subprotocol that was not offered"),
        );
        check(
            "sec-websocket-extensions: x",
            Err("extension that was not offered"),
        );
        check("sec-websocket-accept: other", Err("wrong accept key"));
    }
}
