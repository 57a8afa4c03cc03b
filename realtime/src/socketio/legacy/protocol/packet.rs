//! One packet: `type:id[+]:endpoint[:data]`.

pub(crate) use crate::engineio::protocol::packet::Malformed;
use crate::socketio::Args;
use greenwire_http::Json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt::{self, Write};

/// A packet of Socket.IO 0.9, from either side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packet {
    /// The namespace; empty is the one that everybody is in.
    pub(crate) endpoint: String,
    pub(crate) body: Body,
}

/// What a packet says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Disconnect,
    /// With a query, that of the client's URL.
    Connect(String),
    Heartbeat,
    Message(String, Option<Wanted>),
    /// With one argument.
    Json(Args, Option<Wanted>),
    Event {
        name: String,
        args: Args,
        wanted: Option<Wanted>,
    },
    Ack {
        id: u64,
        args: Args,
    },
    Error(Option<Reason>, Option<Advice>),
    Noop,
}

/// The acknowledgement that a sender wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// At once, to know that it came: `5:1:`.
    Receipt(u64),
    /// With what the handler says: `5:1+:`.
    Answer(u64),
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    TransportNotSupported,
    NotHandshaken,
    Unauthorized,
}

/// What a client is to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    Reconnect,
}

/// The data of an event.
#[derive(Deserialize)]
struct Call {
    name: String,
    args: Option<Box<RawValue>>,
}

impl Packet {
    pub(crate) fn new(endpoint: &str, body: Body) -> Packet {
        Packet {
            endpoint: endpoint.to_owned(),
            body,
        }
    }

    /// Understands a packet. What it lacks is taken for empty where that has a meaning, as the first
    /// implementation did.
    pub(crate) fn decode(text: &str) -> Result<Packet, Malformed> {
        let mut parts = text.splitn(4, ':');
        let kind = parts.next().unwrap_or_default();
        let id = parts.next().unwrap_or_default();
        let endpoint = parts.next().unwrap_or_default();
        let data = parts.next().unwrap_or_default();
        let wanted = Wanted::decode(id)?;
        let body = match kind {
            "0" => Body::Disconnect,
            "1" => Body::Connect(data.to_owned()),
            "2" => Body::Heartbeat,
            "3" => Body::Message(data.to_owned(), wanted),
            "4" => {
                let value: Box<RawValue> = json(data)?;
                Body::Json(Args::of_items(&[&*value], Vec::new()), wanted)
            }
            "5" => event(data, wanted)?,
            "6" => ack(data)?,
            "7" => error(data)?,
            "8" => Body::Noop,
            _ => return Err(Malformed),
        };
        Ok(Packet::new(endpoint, body))
    }

    /// The text of the packet.
    pub(crate) fn encode(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, wanted) = self.body.head();
        write!(f, "{kind}:")?;
        match wanted {
            None => {}
            Some(Wanted::Receipt(id)) => write!(f, "{id}")?,
            Some(Wanted::Answer(id)) => write!(f, "{id}+")?,
        }
        write!(f, ":{}", self.endpoint)?;
        self.body.write_data(f)
    }
}

impl Body {
    /// The type, and the acknowledgement that is wanted.
    fn head(&self) -> (u8, Option<Wanted>) {
        match self {
            Body::Disconnect => (0, None),
            Body::Connect(_) => (1, None),
            Body::Heartbeat => (2, None),
            Body::Message(_, wanted) => (3, *wanted),
            Body::Json(_, wanted) => (4, *wanted),
            Body::Event { wanted, .. } => (5, *wanted),
            Body::Ack { .. } => (6, None),
            Body::Error(..) => (7, None),
            Body::Noop => (8, None),
        }
    }

    /// Writes the data behind its colon. Without data there is none.
    fn write_data(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Disconnect | Body::Heartbeat | Body::Noop => Ok(()),
            Body::Connect(text) | Body::Message(text, _) if text.is_empty() => Ok(()),
            Body::Connect(text) | Body::Message(text, _) => write!(f, ":{text}"),
            Body::Json(args, _) => {
                let value = args.items().first().map_or("null", |item| item.get());
                write!(f, ":{value}")
            }
            Body::Event { name, args, .. } => {
                write!(f, r#":{{"name":{}"#, Value::from(name.as_str()))?;
                if !args.is_empty() {
                    write!(f, r#","args":{}"#, args.as_json())?;
                }
                f.write_char('}')
            }
            Body::Ack { id, args } if args.is_empty() => write!(f, ":{id}"),
            Body::Ack { id, args } => write!(f, ":{id}+{}", args.as_json()),
            Body::Error(None, None) => Ok(()),
            Body::Error(reason, advice) => {
                f.write_char(':')?;
                reason.map_or(Ok(()), |reason| write!(f, "{}", reason as u8))?;
                advice.map_or(Ok(()), |advice| write!(f, "+{}", advice as u8))
            }
        }
    }
}

impl Wanted {
    fn decode(text: &str) -> Result<Option<Wanted>, Malformed> {
        Ok(match text.strip_suffix('+') {
            None if text.is_empty() => None,
            None => Some(Wanted::Receipt(number(text)?)),
            // A plus without an id asks for nothing.
            Some("") => None,
            Some(id) => Some(Wanted::Answer(number(id)?)),
        })
    }
}

fn event(data: &str, wanted: Option<Wanted>) -> Result<Body, Malformed> {
    let Call { name, args } = json(data)?;
    Ok(Body::Event {
        name,
        args: arguments(args.as_deref().map_or("", RawValue::get))?,
        wanted,
    })
}

fn ack(data: &str) -> Result<Body, Malformed> {
    let (id, args) = data.split_once('+').unwrap_or((data, ""));
    Ok(Body::Ack {
        id: number(id)?,
        args: arguments(args)?,
    })
}

/// An array of JSON, or nothing.
fn arguments(text: &str) -> Result<Args, Malformed> {
    let items: Vec<Box<RawValue>> = match text {
        "" => Vec::new(),
        text => json(text)?,
    };
    let items: Vec<&RawValue> = items.iter().map(|item| &**item).collect();
    Ok(Args::of_items(&items, Vec::new()))
}

fn error(data: &str) -> Result<Body, Malformed> {
    let (reason, advice) = data.split_once('+').unwrap_or((data, ""));
    let reason = match reason {
        "" => None,
        "0" => Some(Reason::TransportNotSupported),
        "1" => Some(Reason::NotHandshaken),
        "2" => Some(Reason::Unauthorized),
        _ => return Err(Malformed),
    };
    let advice = match advice {
        "" => None,
        "0" => Some(Advice::Reconnect),
        _ => return Err(Malformed),
    };
    Ok(Body::Error(reason, advice))
}

/// Digits alone: `parse` would take a sign, too.
fn number(text: &str) -> Result<u64, Malformed> {
    let are_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| are_digits).ok_or(Malformed)
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, Malformed> {
    let read = Json::from_bytes(text.as_bytes());
    read.map(|Json(value)| value).map_err(|_| Malformed)
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
