//! Messages as packets. What is not exactly one is refused: the connection ends.

use crate::engineio::Message;
use crate::engineio::protocol::packet::Malformed;
use crate::socketio::Args;
use crate::socketio::attachments::are_all_there;
use crate::socketio::packet::{Content, Packet};
use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;

/// No names for events: what means something else on one of both sides.
pub(crate) const RESERVED: [&str; 6] = [
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
];

/// Puts packets together from the messages of one client.
#[derive(Debug)]
pub(crate) struct Decoder {
    max_attachments: usize,
    partial: Option<Partial>,
}

/// A packet some of whose attachments are still to come.
#[derive(Debug)]
struct Partial {
    head: Head,
    attachments: Vec<Bytes>,
}

/// The text of a packet.
#[derive(Debug, PartialEq)]
struct Head {
    kind: u8,
    attachments: usize,
    namespace: Arc<str>,
    id: Option<u64>,
    json: String,
}

impl Decoder {
    pub(crate) fn new(max_attachments: usize) -> Decoder {
        Decoder {
            max_attachments,
            partial: None,
        }
    }

    /// A message has come; the packet that it completes.
    pub(crate) fn take(&mut self, message: Message) -> Result<Option<Packet>, Malformed> {
        match (message, &mut self.partial) {
            (Message::Text(text), None) => {
                let head = Head::parse(&text, self.max_attachments)?;
                if head.attachments > 0 {
                    let attachments = Vec::with_capacity(head.attachments);
                    self.partial = Some(Partial { head, attachments });
                    return Ok(None);
                }
                head.packet(Vec::new()).map(Some)
            }
            (Message::Binary(bytes), Some(partial)) => {
                partial.attachments.push(bytes);
                if partial.attachments.len() < partial.head.attachments {
                    return Ok(None);
                }
                let complete = self.partial.take().ok_or(Malformed)?;
                complete.head.packet(complete.attachments).map(Some)
            }
            _ => Err(Malformed),
        }
    }
}

impl Head {
    /// `<type>[<attachments>-][<namespace>,][<id>][JSON]`
    fn parse(text: &str, max_attachments: usize) -> Result<Head, Malformed> {
        let kind = text
            .bytes()
            .next()
            .filter(|kind| (b'0'..=b'6').contains(kind));
        let kind = kind.ok_or(Malformed)?;
        let mut rest = &text[1..];
        let mut attachments = 0;
        if let b'5' | b'6' = kind {
            let (count, after) = rest.split_once('-').ok_or(Malformed)?;
            attachments = number(count).ok_or(Malformed)?;
            rest = after;
            if attachments == 0 || attachments > max_attachments {
                return Err(Malformed);
            }
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, json) = rest.split_at(digits);
        Ok(Head {
            kind,
            attachments,
            namespace: namespace.into(),
            // One that is too large belongs to nothing that anybody has asked.
            id: (digits > 0).then(|| id.parse().unwrap_or(u64::MAX)),
            json: json.to_owned(),
        })
    }

    fn packet(self, attachments: Vec<Bytes>) -> Result<Packet, Malformed> {
        let content = match self.kind {
            b'0' => Content::Connect(credentials(&self.json)?),
            b'1' if self.json.is_empty() => Content::Disconnect,
            b'2' | b'5' => event(&self.json, self.id, attachments)?,
            b'3' | b'6' => Content::Ack {
                id: self.id.ok_or(Malformed)?,
                args: Args::of_items(&items(&self.json, attachments.len())?, attachments),
            },
            // Clients refuse nobody.
            _ => return Err(Malformed),
        };
        Ok(Packet {
            namespace: self.namespace,
            content,
        })
    }
}

/// Digits only, and few.
fn number(text: &str) -> Option<usize> {
    let fits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| fits)
}

fn credentials(json: &str) -> Result<Value, Malformed> {
    if json.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let value: Value = serde_json::from_str(json).map_err(|_| Malformed)?;
    value.is_object().then_some(value).ok_or(Malformed)
}

fn event(json: &str, id: Option<u64>, attachments: Vec<Bytes>) -> Result<Content, Malformed> {
    let items = items(json, attachments.len())?;
    let (name, args) = items.split_first().ok_or(Malformed)?;
    let name = match serde_json::from_str(name.get()) {
        Ok(Value::String(name)) if !RESERVED.contains(&name.as_str()) => name,
        Ok(Value::Number(name)) => name.to_string(),
        _ => return Err(Malformed),
    };
    let args = Args::of_items(args, attachments);
    let name = name.into();
    Ok(Content::Event { name, args, id })
}

/// The items of an array whose placeholders are right.
fn items(json: &str, attachments: usize) -> Result<Vec<&RawValue>, Malformed> {
    if attachments > 0 {
        let value: Value = serde_json::from_str(json).map_err(|_| Malformed)?;
        if !are_all_there(&value, attachments) {
            return Err(Malformed);
        }
    }
    serde_json::from_str(json).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::Decoder;
    use crate::engineio::Message;
    use crate::engineio::protocol::packet::Malformed;
    use crate::socketio::packet::Content;
    use crate::socketio::protocol::encode::encode;

    /// Texts between `|`, and `*` for an attachment.
    fn decode(messages: &str) -> Result<String, Malformed> {
        let mut decoder = Decoder::new(10);
        let mut packet = None;
        for message in messages.split('|') {
            let message = match message {
                "*" => Message::from(vec![1, 2, 3]),
                text => Message::from(text),
            };
            packet = decoder.take(message)?;
        }
        let packet = packet.ok_or(Malformed)?;
        let encoded = encode(&packet).into_iter().map(|message| match message {
            Message::Text(text) => text,
            Message::Binary(_) => "*".to_owned(),
        });
        Ok(encoded.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn packets_are_written_as_they_are_read() {
        let table = [
            "0{}",
            "0/custom,{\"token\":\"abc\"}",
            "1",
            "1/custom,",
            r#"2["message",1,"2",{"3":[true]}]"#,
            r#"2["b",{"b":1,"a":1.50}]"#,
            "2[\"x\"]",
            "2/custom,12[\"x\"]",
            "3456[1,\"2\"]",
            "37[]",
            r#"52-["m",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]|*|*"#,
            r#"61-/a,789[{"_placeholder":true,"num":0}]|*"#,
        ];
        for text in table {
            assert_eq!(decode(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_clients_may_leave_out() {
        assert_eq!(decode("0").as_deref(), Ok("0{}"));
        assert_eq!(decode("0/custom").as_deref(), Ok("0/custom,{}"));
        assert_eq!(decode("2[5,1]").as_deref(), Ok("2[\"5\",1]"));
        let mut decoder = Decoder::new(10);
        let huge = decoder.take(Message::from("399999999999999999999999[]"));
        let huge = huge.unwrap().unwrap().content;
        assert!(matches!(huge, Content::Ack { id: u64::MAX, .. }));
    }

    #[test]
    fn what_is_refused() {
        let table = [
            "",
            "abc",
            "7",
            "2",
            "2{}",
            "2[]",
            "2[{}]",
            "2[\"connect\"]",
            "2[\"disconnecting\",1]",
            "2[\"x\"",
            "2[\"x\"] ]",
            "2abc[\"x\"]",
            "0[]",
            "0\"x\"",
            "1{}",
            "3[]",
            "4{\"message\":\"no\"}",
            "45",
            "5[\"x\"]",
            "50-[\"x\"]",
            "511-[\"x\"]",
            "5-1-[\"x\"]",
            "51-[\"x\"]|text",
            "*",
            "2[\"x\"]|*",
            r#"51-["x",{"_placeholder":true,"num":1}]|*"#,
            r#"51-["x",{"_placeholder":true,"num":-1}]|*"#,
            r#"51-["x",{"_placeholder":true,"num":"0"}]|*"#,
            r#"51-["x",{"_placeholder":true}]|*"#,
        ];
        for text in table {
            assert_eq!(decode(text), Err(Malformed), "{text}");
        }
    }
}
