//! Packets, and how they are written: one to a websocket frame, or many to a body.
//!
//! <https://socket.io/docs/v4/engine-io-protocol/>, "Packet encoding".

use crate::engineio::Message;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What separates packets in a body.
pub(crate) const SEPARATOR: char = '\x1e';

/// What a client may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Close,
    /// A ping, whose text only an upgrade looks at.
    Ping(String),
    Pong,
    Message(Message),
    Upgrade,
    Noop,
}

/// Bytes that are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Packet {
    /// The packet of a text frame.
    pub(crate) fn of_text(text: &str) -> Result<Packet, Malformed> {
        let mut rest = text.chars();
        match rest.next().ok_or(Malformed)? {
            '1' => Ok(Packet::Close),
            '2' => Ok(Packet::Ping(rest.as_str().to_owned())),
            '3' => Ok(Packet::Pong),
            '4' => Ok(Packet::Message(Message::Text(rest.as_str().to_owned()))),
            '5' => Ok(Packet::Upgrade),
            '6' => Ok(Packet::Noop),
            _ => Err(Malformed),
        }
    }

    /// The packet between two separators.
    fn of_part(part: &str) -> Result<Packet, Malformed> {
        match part.strip_prefix('b') {
            Some(bytes) => {
                let bytes = STANDARD.decode(bytes).map_err(|_| Malformed)?;
                Ok(Packet::Message(Message::Binary(bytes.into())))
            }
            None => Packet::of_text(part),
        }
    }
}

/// The packets of a body.
pub(crate) fn packets(body: &str) -> impl Iterator<Item = Result<Packet, Malformed>> {
    body.split(SEPARATOR).map(Packet::of_part)
}

/// Writes a message as a part of a body.
pub(crate) fn write_part(message: &Message, body: &mut String) {
    match message {
        Message::Text(text) => {
            body.push('4');
            body.push_str(text);
        }
        Message::Binary(bytes) => {
            body.push('b');
            STANDARD.encode_string(bytes, body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, Packet, packets, write_part};
    use crate::engineio::Message;

    fn text(text: &str) -> Packet {
        Packet::Message(Message::Text(text.to_owned()))
    }

    #[test]
    fn a_frame_is_a_digit_and_text() {
        let table: [(&str, Result<Packet, Malformed>); 11] = [
            ("1", Ok(Packet::Close)),
            ("2", Ok(Packet::Ping(String::new()))),
            ("2probe", Ok(Packet::Ping("probe".to_owned()))),
            ("3", Ok(Packet::Pong)),
            ("4", Ok(text(""))),
            ("4hello €", Ok(text("hello €"))),
            ("5", Ok(Packet::Upgrade)),
            ("6", Ok(Packet::Noop)),
            ("", Err(Malformed)),
            ("abc", Err(Malformed)),
            ("0{}", Err(Malformed)),
        ];
        for (frame, packet) in table {
            assert_eq!(Packet::of_text(frame), packet, "{frame:?}");
        }
    }

    #[test]
    fn a_body_has_packets_between_separators() {
        let parse = |body| packets(body).collect::<Result<Vec<_>, _>>();
        let bytes = Packet::Message(Message::from(vec![1, 2, 3, 4]));
        assert_eq!(parse("4hello\x1ebAQIDBA=="), Ok(vec![text("hello"), bytes]));
        assert_eq!(
            parse("4a\x1e3\x1e4b"),
            Ok(vec![text("a"), Packet::Pong, text("b")])
        );
        for broken in ["", "abc", "4a\x1e", "4a\x1e\x1e4b", "b!", "bAQID BA=="] {
            assert_eq!(parse(broken), Err(Malformed), "{broken:?}");
        }
    }

    #[test]
    fn parts_are_written_as_they_are_read() {
        let mut body = String::new();
        write_part(&Message::Text("é".to_owned()), &mut body);
        write_part(&Message::from(vec![1, 2, 3, 4]), &mut body);
        assert_eq!(body, "4ébAQIDBA==");
    }
}
