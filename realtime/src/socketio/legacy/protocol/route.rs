//! What a path of Socket.IO 0.9 means: `/1/` is the handshake, `/1/TRANSPORT/SESSION` all the rest.

/// What is at a path below the server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Handshake,
    Session {
        transport: Option<Transport>,
        id: &'a str,
    },
    /// Some other version of the protocol.
    OtherVersion,
}

/// How a client talks to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Websocket,
    XhrPolling,
    JsonpPolling,
}

impl Transport {
    fn of(name: &str) -> Option<Transport> {
        Some(match name {
            "websocket" => Transport::Websocket,
            "xhr-polling" => Transport::XhrPolling,
            "jsonp-polling" => Transport::JsonpPolling,
            _ => return None,
        })
    }
}

impl Route<'_> {
    /// What is at `path`; `None` if that is no path of Socket.IO 0.9.
    pub(crate) fn of(path: &str) -> Option<Route<'_>> {
        let (version, rest) = path
            .strip_prefix('/')?
            .split_once('/')
            .unwrap_or((path.strip_prefix('/')?, ""));
        if version != "1" {
            let is_version = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
            return is_version.then_some(Route::OtherVersion);
        }
        if rest.is_empty() {
            return Some(Route::Handshake);
        }
        let (transport, id) = rest.split_once('/')?;
        let id = id.strip_suffix('/').unwrap_or(id);
        let transport = Transport::of(transport);
        let is_name = !id.is_empty() && !id.contains('/');
        is_name.then_some(Route::Session { transport, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path() {
        let session = |transport| {
            Some(Route::Session {
                transport,
                id: "ab-_",
            })
        };
        let rows = [
            ("/1/", Some(Route::Handshake)),
            ("/1", Some(Route::Handshake)),
            ("/1/websocket/ab-_", session(Some(Transport::Websocket))),
            ("/1/xhr-polling/ab-_", session(Some(Transport::XhrPolling))),
            (
                "/1/jsonp-polling/ab-_/",
                session(Some(Transport::JsonpPolling)),
            ),
            ("/1/htmlfile/ab-_", session(None)),
            ("/1//ab-_/", session(None)),
            ("/0/", Some(Route::OtherVersion)),
            ("/2/websocket/ab", Some(Route::OtherVersion)),
            ("/1/websocket", None),
            ("/1/websocket/", None),
            ("/1/websocket/a/b", None),
            ("/", None),
            ("", None),
            ("1/", None),
            ("/socket.io.js", None),
        ];
        for (path, route) in rows {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
