//! What a path below a service's own means.

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Greeting,
    Info,
    Iframe,
    RawWebsocket,
    Session { id: &'a str, endpoint: Endpoint },
}

/// What is at a path of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Websocket,
    Xhr,
    XhrStreaming,
    XhrSend,
    EventSource,
    HtmlFile,
    Jsonp,
    JsonpSend,
}

impl Route<'_> {
    /// What is at `path`, from behind the service's own; `None` is nothing.
    pub(crate) fn of(path: &str) -> Option<Route<'_>> {
        match path {
            "" | "/" => return Some(Route::Greeting),
            "/info" => return Some(Route::Info),
            "/websocket" => return Some(Route::RawWebsocket),
            _ if is_iframe(path) => return Some(Route::Iframe),
            _ => {}
        }
        let mut parts = path.strip_prefix('/')?.split('/');
        let (server, id, last) = (parts.next()?, parts.next()?, parts.next()?);
        let is_name = |part: &str| !part.is_empty() && !part.contains('.');
        if parts.next().is_some() || !is_name(server) || !is_name(id) {
            return None;
        }
        let endpoint = Endpoint::of(last)?;
        Some(Route::Session { id, endpoint })
    }

    /// Whether it is for pages, of which some may not be let in.
    pub(crate) fn is_for_pages(self) -> bool {
        !matches!(self, Route::Greeting | Route::Iframe)
    }

    /// The methods that are answered, as `Allow` lists them.
    pub(crate) fn methods(self) -> &'static [&'static str] {
        match self {
            Route::Greeting | Route::Iframe => &["GET", "HEAD"],
            Route::Info => &["OPTIONS", "GET", "HEAD"],
            Route::RawWebsocket => &["GET"],
            Route::Session { endpoint, .. } => endpoint.methods(),
        }
    }
}

impl Endpoint {
    fn of(name: &str) -> Option<Endpoint> {
        Some(match name {
            "websocket" => Endpoint::Websocket,
            "xhr" => Endpoint::Xhr,
            "xhr_streaming" => Endpoint::XhrStreaming,
            "xhr_send" => Endpoint::XhrSend,
            "eventsource" => Endpoint::EventSource,
            "htmlfile" => Endpoint::HtmlFile,
            "jsonp" => Endpoint::Jsonp,
            "jsonp_send" => Endpoint::JsonpSend,
            _ => return None,
        })
    }

    fn methods(self) -> &'static [&'static str] {
        match self {
            Endpoint::Xhr | Endpoint::XhrStreaming | Endpoint::XhrSend => &["OPTIONS", "POST"],
            Endpoint::JsonpSend => &["POST"],
            _ => &["GET"],
        }
    }
}

/// `/iframe[0-9-.a-z_]*.html`
fn is_iframe(path: &str) -> bool {
    let version = path
        .strip_prefix("/iframe")
        .and_then(|rest| rest.strip_suffix(".html"));
    let allowed = |byte| matches!(byte, b'0'..=b'9' | b'-' | b'.' | b'a'..=b'z' | b'_');
    version.is_some_and(|version| version.bytes().all(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let session = |id, endpoint| Some(Route::Session { id, endpoint });
        let rows = [
            ("", Some(Route::Greeting)),
            ("/", Some(Route::Greeting)),
            ("/info", Some(Route::Info)),
            ("/websocket", Some(Route::RawWebsocket)),
            ("/iframe.html", Some(Route::Iframe)),
            ("/iframe-.html", Some(Route::Iframe)),
            ("/iframe-0.1.2abc-dirty.2144.html", Some(Route::Iframe)),
            ("/a/b/xhr", session("b", Endpoint::Xhr)),
            ("/_/_/websocket", session("_", Endpoint::Websocket)),
            (
                "/j%20/i_j-%20/jsonp_send",
                session("i_j-%20", Endpoint::JsonpSend),
            ),
        ];
        let nothing = [
            "//",
            "///",
            "/a",
            "/a.html",
            "/a/a",
            "/a/a/",
            "/info/",
            "/iframe",
            "/iframe.htm",
            "/IFRAME.HTML",
            "/iframe.HTML",
            "/iframe-/.html",
            "/a/a/send",
            "/a./a/xhr",
            "/a/a./xhr",
            "/./././xhr",
            "///xhr",
            "/a/b/c/xhr",
            "/a/b/xhr/",
        ];
        for (path, route) in rows.into_iter().chain(nothing.map(|path| (path, None))) {
            assert_eq!(Route::of(path), route, "{path}");
        }
    }
}
