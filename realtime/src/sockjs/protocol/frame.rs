//! What a server sends: `o`, `h`, `a[…]`, `c[…]`; and messages that are encoded once for many clients.

use super::json::quote;
use greenwire_websocket as websocket;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// A frame, before its transport wraps it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Open,
    Heartbeat,
    /// Messages as strings of JSON.
    Messages(Vec<Arc<str>>),
    Close(Close),
}

impl Frame {
    pub(crate) fn encode(&self) -> String {
        match self {
            Frame::Open => "o".to_owned(),
            Frame::Heartbeat => "h".to_owned(),
            Frame::Messages(messages) => format!("a[{}]", messages.join(",")),
            Frame::Close(close) => {
                let mut frame = format!("c[{},", close.code);
                quote(&close.reason, &mut frame);
                frame.push(']');
                frame
            }
        }
    }
}

/// Why a session is closed, as its client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) code: u16,
    pub(crate) reason: Cow<'static, str>,
}

impl Close {
    /// The handler has returned.
    pub(crate) const GO_AWAY: Close = Close::of(3000, "Go away!");
    /// The handler has failed.
    pub(crate) const FAILED: Close = Close::of(1011, "Internal error");
    /// The client hung up instead of waiting for the end of a response.
    pub(crate) const INTERRUPTED: Close = Close::of(1002, "Connection interrupted");
    /// The client has not come back in time.
    pub(crate) const TIMED_OUT: Close = Close::of(1006, "Session timed out");
    /// Messages could not be kept any longer for a client that takes none.
    pub(crate) const TOO_SLOW: Close = Close::of(1013, "Reads too slowly");
    /// The session has a receiver already.
    pub(crate) const ANOTHER: Close = Close::of(2010, "Another connection still open");
    /// Somebody else knows the session's name.
    pub(crate) const OTHER_IP: Close =
        Close::of(2010, "Attempted to connect to session from different IP");

    const fn of(code: u16, reason: &'static str) -> Close {
        Close {
            code,
            reason: Cow::Borrowed(reason),
        }
    }
}

/// A message that is encoded once for any number of sessions, whatever their transports. Clones are the same
/// message.
///
/// ```
/// use greenwire_realtime::sockjs::{Prepared, Sender, broadcast};
///
/// fn tell_all(chatters: &[Sender], news: &str) -> usize {
///     broadcast(chatters, &Prepared::new(news))
/// }
/// # assert_eq!(tell_all(&[], "nobody listens"), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Prepared(Arc<Encodings>);

/// Each is made when a session first needs it.
#[derive(Debug)]
struct Encodings {
    text: String,
    json: OnceLock<Arc<str>>,
    framed: OnceLock<websocket::Prepared>,
    raw: OnceLock<websocket::Prepared>,
}

impl Prepared {
    /// A message to be sent to many.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Prepared {
        Prepared(Arc::new(Encodings {
            text: text.into(),
            json: OnceLock::new(),
            framed: OnceLock::new(),
            raw: OnceLock::new(),
        }))
    }

    /// The message.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// As a string of JSON.
    pub(crate) fn json(&self) -> &Arc<str> {
        self.0.json.get_or_init(|| {
            let mut json = String::with_capacity(self.0.text.len() + 2);
            quote(&self.0.text, &mut json);
            json.into()
        })
    }

    /// As a message of a websocket that speaks SockJS.
    pub(crate) fn framed(&self) -> &websocket::Prepared {
        let frame = || websocket::Prepared::new(format!("a[{}]", self.json()));
        self.0.framed.get_or_init(frame)
    }

    /// As a message of a raw websocket.
    pub(crate) fn raw(&self) -> &websocket::Prepared {
        let frame = || websocket::Prepared::new(&self.0.text);
        self.0.raw.get_or_init(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_look_as_the_protocol_says() {
        let messages = ["x", "\u{2028}"].map(|text| Prepared::new(text).json().clone());
        let frames = [
            (Frame::Open, "o"),
            (Frame::Heartbeat, "h"),
            (Frame::Messages(messages.into()), r#"a["x","\u2028"]"#),
            (Frame::Close(Close::GO_AWAY), r#"c[3000,"Go away!"]"#),
            (
                Frame::Close(Close::ANOTHER),
                r#"c[2010,"Another connection still open"]"#,
            ),
        ];
        for (frame, expected) in frames {
            assert_eq!(frame.encode(), expected);
        }
    }
}
