//! Packets of Socket.IO 0.9 as the server's own, and back.
//!
//! | 0.9 | here |
//! |---|---|
//! | endpoint ``, `/x` | namespace `/`, `/x` |
//! | message, JSON message | event `message` with one argument, text or not |
//! | id with `+` | id of an event that wants an answer |
//! | id without `+` | a receipt, which is given at once |
//! | query of a connect packet | `auth` of the handshake |
//! | - | bytes: as text in base64 |

use super::encoded::Encoded;
use super::protocol::packet::{Body, Packet as Legacy, Reason, Wanted};
use crate::socketio::Args;
use crate::socketio::attachments::placeholder;
use crate::socketio::packet::{Content, Packet};
use crate::socketio::protocol::decode::RESERVED;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The event that messages without a name are.
const MESSAGE: &str = "message";

/// What a packet of a client means.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// For the server, once the receipt has been given.
    Packet(Packet, Option<Legacy>),
    /// The client goes.
    Farewell,
    /// That it lives, or nothing.
    Nothing,
}

/// What a packet of a client means.
pub(super) fn understand(packet: Legacy) -> Meaning {
    let namespace = namespace_of(&packet.endpoint);
    let (content, wanted) = match packet.body {
        Body::Disconnect if packet.endpoint.is_empty() => return Meaning::Farewell,
        Body::Disconnect => (Content::Disconnect, None),
        // Its client is in there from the beginning.
        Body::Connect(_) if packet.endpoint.is_empty() => return Meaning::Nothing,
        Body::Connect(query) => (Content::Connect(auth_of(&query)), None),
        Body::Message(text, wanted) => (message(args_of_text(&text), wanted), wanted),
        Body::Json(args, wanted) => (message(args, wanted), wanted),
        Body::Event { name, .. } if RESERVED.contains(&&*name) => return Meaning::Nothing,
        Body::Event { name, args, wanted } => (event(&name, args, wanted), wanted),
        Body::Ack { id, args } => (Content::Ack { id, args }, None),
        Body::Heartbeat | Body::Error(..) | Body::Noop => return Meaning::Nothing,
    };
    let receipt = match wanted {
        Some(Wanted::Receipt(id)) => {
            let args = Args::default();
            Some(Legacy::new(&packet.endpoint, Body::Ack { id, args }))
        }
        _ => None,
    };
    Meaning::Packet(Packet { namespace, content }, receipt)
}

fn message(args: Args, wanted: Option<Wanted>) -> Content {
    event(MESSAGE, args, wanted)
}

fn event(name: &str, args: Args, wanted: Option<Wanted>) -> Content {
    let id = match wanted {
        Some(Wanted::Answer(id)) => Some(id),
        Some(Wanted::Receipt(_)) | None => None,
    };
    let name = name.into();
    Content::Event { name, args, id }
}

/// What the server says, for clients of 0.9.
pub(crate) fn encode(packet: &Packet) -> Encoded {
    Encoded::new(&tell(packet))
}

fn tell(packet: &Packet) -> Legacy {
    let body = match &packet.content {
        Content::Connect(_) => Body::Connect(String::new()),
        Content::Refuse(_) => Body::Error(Some(Reason::Unauthorized), None),
        Content::Disconnect => Body::Disconnect,
        Content::Event { name, args, id } => {
            let wanted = id.map(Wanted::Answer);
            tell_of_event(name, without_bytes(args), wanted)
        }
        Content::Ack { id, args } => Body::Ack {
            id: *id,
            args: without_bytes(args),
        },
    };
    Legacy::new(endpoint_of(&packet.namespace), body)
}

fn tell_of_event(name: &str, args: Args, wanted: Option<Wanted>) -> Body {
    if name == MESSAGE && args.len() == 1 {
        return match args.get::<String>(0) {
            Ok(text) => Body::Message(text, wanted),
            Err(_) => Body::Json(args, wanted),
        };
    }
    let name = name.to_owned();
    Body::Event { name, args, wanted }
}

pub(super) fn namespace_of(endpoint: &str) -> Arc<str> {
    match endpoint {
        "" => "/".into(),
        name => name.into(),
    }
}

fn endpoint_of(namespace: &str) -> &str {
    match namespace {
        "/" => "",
        name => name,
    }
}

fn args_of_text(text: &str) -> Args {
    // A text can always be JSON.
    Args::new(text).unwrap_or_default()
}

/// A query as an object.
fn auth_of(query: &str) -> Value {
    let query = query.strip_prefix('?').unwrap_or(query);
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let pairs = pairs.into_iter().map(|(name, value)| (name, value.into()));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// The arguments with texts in the places of bytes, which the protocol does not know.
fn without_bytes(args: &Args) -> Args {
    if args.attachments().is_empty() {
        return args.clone();
    }
    let mut values = Value::Array(args.to_values());
    put_texts(&mut values, args.attachments());
    // These are values of JSON.
    Args::from_json(&values.to_string(), Vec::new()).unwrap_or_default()
}

fn put_texts(value: &mut Value, attachments: &[Bytes]) {
    if let Some(Ok(index)) = placeholder(value, attachments.len()) {
        *value = STANDARD.encode(&attachments[index]).into();
        return;
    }
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| put_texts(item, attachments)),
        Value::Object(items) => {
            items
                .values_mut()
                .for_each(|item| put_texts(item, attachments));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of a client in the server's words.
    fn understood(text: &str) -> String {
        match understand(Legacy::decode(text).unwrap()) {
            Meaning::Farewell => "farewell".to_owned(),
            Meaning::Nothing => "nothing".to_owned(),
            Meaning::Packet(packet, receipt) => {
                let Packet { namespace, content } = packet;
                let what = match content {
                    Content::Connect(auth) => format!("connect {auth}"),
                    Content::Refuse(why) => format!("refuse {why}"),
                    Content::Disconnect => "disconnect".to_owned(),
                    Content::Event { name, args, id } => {
                        format!("{name} {} {id:?}", args.as_json())
                    }
                    Content::Ack { id, args } => format!("ack {id} {}", args.as_json()),
                };
                let receipt = receipt.map(|receipt| receipt.encode()).unwrap_or_default();
                format!("{namespace} {what} {receipt}").trim().to_owned()
            }
        }
    }

    #[test]
    fn what_clients_say() {
        let rows = [
            ("0::", "farewell"),
            ("0::/x", "/x disconnect"),
            ("1::", "nothing"),
            ("1::/x", "/x connect {}"),
            (
                "1::/x:?token=a%20b&n=1",
                r#"/x connect {"n":"1","token":"a b"}"#,
            ),
            ("2::", "nothing"),
            ("3:::hi", r#"/ message ["hi"] None"#),
            ("3:1:/x:hi", r#"/x message ["hi"] None 6::/x:1"#),
            ("3:1+::hi", r#"/ message ["hi"] Some(1)"#),
            (
                r#"4:2::{"z":1,"a":2}"#,
                r#"/ message [{"z":1,"a":2}] None 6:::2"#,
            ),
            (r#"5::/x:{"name":"e","args":[1]}"#, "/x e [1] None"),
            (r#"5:7+::{"name":"e"}"#, "/ e [] Some(7)"),
            (r#"5:7::{"name":"e"}"#, "/ e [] None 6:::7"),
            (r#"5:7+::{"name":"disconnect"}"#, "nothing"),
            ("6:::3+[4]", "/ ack 3 [4]"),
            ("6::/x:3", "/x ack 3 []"),
            ("7:::1", "nothing"),
            ("8::", "nothing"),
        ];
        for (text, expected) in rows {
            assert_eq!(understood(text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_server_says() {
        let args = |json: &str| Args::from_json(json, Vec::new()).unwrap();
        let event = |name: &str, args: Args, id: Option<u64>| Content::Event {
            name: name.into(),
            args,
            id,
        };
        let bytes = r#"[{"a":{"_placeholder":true,"num":0}}]"#;
        let bytes = Args::from_json(bytes, vec![Bytes::from_static(&[255, 0])]).unwrap();
        let rows = [
            ("/", Content::Connect(Value::Null), "1::"),
            ("/x", Content::Connect(Value::Null), "1::/x"),
            ("/x", Content::Refuse(Value::Null), "7::/x:2"),
            ("/x", Content::Disconnect, "0::/x"),
            ("/", event("message", args(r#"["a:b"]"#), None), "3:::a:b"),
            ("/x", event("message", args("[1]"), Some(2)), "4:2+:/x:1"),
            (
                "/",
                event("message", args("[1,2]"), None),
                r#"5:::{"name":"message","args":[1,2]}"#,
            ),
            (
                "/x",
                event("e", args(r#"[{"z":1,"a":2}]"#), Some(9)),
                r#"5:9+:/x:{"name":"e","args":[{"z":1,"a":2}]}"#,
            ),
            (
                "/",
                event("e", bytes, None),
                r#"5:::{"name":"e","args":[{"a":"/wA="}]}"#,
            ),
            (
                "/x",
                Content::Ack {
                    id: 4,
                    args: args("[1]"),
                },
                "6::/x:4+[1]",
            ),
        ];
        for (namespace, content, expected) in rows {
            let packet = Packet::new(&namespace.into(), content);
            assert_eq!(tell(&packet).encode(), expected);
        }
    }
}
