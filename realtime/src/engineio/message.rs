//! Messages, and those that are encoded once for many clients.

use super::protocol::packet::{SEPARATOR, write_part};
use bytes::Bytes;
use greenwire_websocket as websocket;
use std::sync::{Arc, OnceLock};

/// A message, in either direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
        }
    }

    /// Roughly what it takes in memory; also an empty one takes something.
    pub(crate) fn cost(&self) -> usize {
        64 + self.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Message {
        Message::Text(text.to_owned())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Message {
        Message::Text(text)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Message {
        Message::Binary(bytes.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Message {
        Message::Binary(bytes)
    }
}

/// One or more messages that stay together, encoded at most once for each transport, for any number of clients.
/// Clones are the same.
#[derive(Clone, Debug)]
pub struct Prepared(Arc<Encoded>);

#[derive(Debug)]
struct Encoded {
    messages: Vec<Message>,
    size: usize,
    body: OnceLock<Arc<str>>,
    frames: OnceLock<websocket::Prepared>,
}

impl Prepared {
    /// One message.
    #[must_use]
    pub fn new(message: impl Into<Message>) -> Prepared {
        Prepared::sequence(vec![message.into()])
    }

    /// Messages between which no other gets.
    #[must_use]
    pub fn sequence(messages: Vec<Message>) -> Prepared {
        Prepared(Arc::new(Encoded {
            size: messages.iter().map(Message::cost).sum(),
            messages,
            body: OnceLock::new(),
            frames: OnceLock::new(),
        }))
    }

    /// Roughly what it takes in memory.
    pub(crate) fn size(&self) -> usize {
        self.0.size
    }

    /// As a part of a body.
    pub(crate) fn as_body(&self) -> &Arc<str> {
        self.0.body.get_or_init(|| {
            let mut body = String::with_capacity(self.0.size + self.0.messages.len());
            for (at, message) in self.0.messages.iter().enumerate() {
                if at > 0 {
                    body.push(SEPARATOR);
                }
                write_part(message, &mut body);
            }
            body.into()
        })
    }

    /// As frames of a websocket.
    pub(crate) fn as_frames(&self) -> &websocket::Prepared {
        self.0.frames.get_or_init(|| {
            let frame = |message: &Message| match message {
                Message::Text(text) => websocket::Prepared::new(format!("4{text}")),
                Message::Binary(bytes) => websocket::Prepared::new(&bytes[..]),
            };
            match &self.0.messages[..] {
                [message] => frame(message),
                messages => websocket::Prepared::sequence(messages.iter().map(frame)),
            }
        })
    }
}

impl<M: Into<Message>> From<M> for Prepared {
    fn from(message: M) -> Prepared {
        Prepared::new(message)
    }
}
