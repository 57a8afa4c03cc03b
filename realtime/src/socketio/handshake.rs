//! What a client came with.

use greenwire_http::header::ORIGIN;
use greenwire_http::{HeaderMap, Peer, Request, RequestExt};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What a client came with: the request that opened its connection, and what it showed to the namespace.
#[derive(Clone, Debug)]
pub struct Handshake {
    opening: Arc<Opening>,
    auth: Value,
    time: SystemTime,
}

/// What all namespaces of a client share.
#[derive(Debug)]
struct Opening {
    headers: HeaderMap,
    url: String,
    query: BTreeMap<String, String>,
    ip: Option<IpAddr>,
    secure: bool,
}

impl Handshake {
    pub(crate) fn new(request: &Request) -> Handshake {
        let peer = Peer::of(request);
        Handshake {
            opening: Arc::new(Opening {
                headers: request.headers().clone(),
                url: request.uri().to_string(),
                query: request.query().unwrap_or_default(),
                ip: peer.and_then(Peer::ip),
                secure: peer.is_some_and(|peer| peer.scheme() == "https"),
            }),
            auth: Value::Null,
            time: SystemTime::now(),
        }
    }

    /// The same client before a namespace.
    pub(crate) fn with(&self, auth: Value) -> Handshake {
        Handshake {
            opening: self.opening.clone(),
            auth,
            time: SystemTime::now(),
        }
    }

    /// What the client showed to be let in, an object: `auth` in its options.
    #[must_use]
    pub fn auth(&self) -> &Value {
        &self.auth
    }

    /// The headers of the request that opened the connection, with cookies.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.opening.headers
    }

    /// The parameters in its URL, those of the protocol included.
    #[must_use]
    pub fn query(&self) -> &BTreeMap<String, String> {
        &self.opening.query
    }

    /// The address of the client; `None` on a Unix socket.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.opening.ip
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.opening.secure
    }

    /// When the client came.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// As servers in JavaScript describe it to each other.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let since = self.time.duration_since(SystemTime::UNIX_EPOCH);
        let since: Duration = since.unwrap_or_default();
        let headers = self.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), Value::from(value))
        });
        json!({
            "headers": headers.collect::<Map<_, _>>(),
            "time": httpdate::fmt_http_date(self.time),
            "address": self.ip().map_or_else(String::new, |ip| ip.to_string()),
            "xdomain": self.headers().contains_key(ORIGIN),
            "secure": self.is_secure(),
            "issued": u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            "url": self.opening.url,
            "query": self.query(),
            "auth": self.auth,
        })
    }
}
