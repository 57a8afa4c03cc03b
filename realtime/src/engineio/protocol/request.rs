//! What a request asks for, by its query and method.

use crate::engineio::Transport;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A new session.
    Open(Transport),
    /// To receive.
    Poll(String),
    /// To send.
    Post(String),
    /// To go on over a websocket.
    Upgrade(String),
}

/// Why a request is refused, with the codes and texts that clients of the protocol know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    UnknownTransport,
    UnknownSession,
    BadMethod,
    BadRequest,
    UnsupportedVersion,
}

impl Refusal {
    pub(crate) fn code(self) -> u8 {
        match self {
            Refusal::UnknownTransport => 0,
            Refusal::UnknownSession => 1,
            Refusal::BadMethod => 2,
            Refusal::BadRequest => 3,
            Refusal::UnsupportedVersion => 5,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Refusal::UnknownTransport => "Transport unknown",
            Refusal::UnknownSession => "Session ID unknown",
            Refusal::BadMethod => "Bad handshake method",
            Refusal::BadRequest => "Bad request",
            Refusal::UnsupportedVersion => "Unsupported protocol version",
        }
    }
}

/// What a request asks for. `upgrades` is whether it is a websocket's handshake.
pub(crate) fn asked(method: &str, query: &str, upgrades: bool) -> Result<Asked, Refusal> {
    let (mut version, mut transport, mut sid) = (None, None, None);
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            "EIO" => version = version.or(Some(value)),
            "transport" => transport = transport.or(Some(value)),
            "sid" => sid = sid.or(Some(value)),
            _ => {}
        }
    }
    let transport = match transport {
        Some("polling") => Transport::Polling,
        Some("websocket") => Transport::Websocket,
        _ => return Err(Refusal::UnknownTransport),
    };
    if version != Some("4") {
        return Err(Refusal::UnsupportedVersion);
    }
    if upgrades != (transport == Transport::Websocket) {
        return Err(Refusal::BadRequest);
    }
    match (sid, transport, method) {
        (None, transport, "GET") => Ok(Asked::Open(transport)),
        (None, ..) => Err(Refusal::BadMethod),
        (Some(sid), Transport::Websocket, _) => Ok(Asked::Upgrade(sid.to_owned())),
        (Some(sid), Transport::Polling, "GET") => Ok(Asked::Poll(sid.to_owned())),
        (Some(sid), Transport::Polling, "POST") => Ok(Asked::Post(sid.to_owned())),
        (Some(_), ..) => Err(Refusal::BadMethod),
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Refusal, asked};
    use crate::engineio::Transport;

    #[test]
    fn the_query_says_what_is_asked_for() {
        let sid = || "x".to_owned();
        let table = [
            (
                "GET",
                "EIO=4&transport=polling",
                false,
                Ok(Asked::Open(Transport::Polling)),
            ),
            (
                "GET",
                "t=1&EIO=4&transport=polling&b64=1",
                false,
                Ok(Asked::Open(Transport::Polling)),
            ),
            (
                "GET",
                "EIO=4&transport=websocket",
                true,
                Ok(Asked::Open(Transport::Websocket)),
            ),
            (
                "GET",
                "EIO=4&transport=polling&sid=x",
                false,
                Ok(Asked::Poll(sid())),
            ),
            (
                "POST",
                "EIO=4&transport=polling&sid=x",
                false,
                Ok(Asked::Post(sid())),
            ),
            (
                "GET",
                "EIO=4&transport=websocket&sid=x",
                true,
                Ok(Asked::Upgrade(sid())),
            ),
            (
                "GET",
                "transport=polling",
                false,
                Err(Refusal::UnsupportedVersion),
            ),
            (
                "GET",
                "EIO=abc&transport=polling",
                false,
                Err(Refusal::UnsupportedVersion),
            ),
            (
                "GET",
                "EIO=3&transport=polling",
                false,
                Err(Refusal::UnsupportedVersion),
            ),
            ("GET", "EIO=4", false, Err(Refusal::UnknownTransport)),
            (
                "GET",
                "EIO=4&transport=abc",
                false,
                Err(Refusal::UnknownTransport),
            ),
            ("GET", "", false, Err(Refusal::UnknownTransport)),
            (
                "POST",
                "EIO=4&transport=polling",
                false,
                Err(Refusal::BadMethod),
            ),
            (
                "PUT",
                "EIO=4&transport=polling",
                false,
                Err(Refusal::BadMethod),
            ),
            (
                "PUT",
                "EIO=4&transport=polling&sid=x",
                false,
                Err(Refusal::BadMethod),
            ),
            (
                "GET",
                "EIO=4&transport=websocket",
                false,
                Err(Refusal::BadRequest),
            ),
            (
                "GET",
                "EIO=4&transport=polling",
                true,
                Err(Refusal::BadRequest),
            ),
        ];
        for (method, query, upgrades, expected) in table {
            assert_eq!(asked(method, query, upgrades), expected, "{method} {query}");
        }
    }
}
