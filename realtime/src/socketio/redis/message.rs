//! What servers tell one another: the messages of `@socket.io/redis-adapter` 8 and `@socket.io/redis-emitter`.
//!
//! | channel | messages |
//! |---|---|
//! | `KEY#NAMESPACE#`, `KEY#NAMESPACE#ROOM#` | [`Broadcast`], in MessagePack |
//! | `KEY-request#NAMESPACE#` | [`Request`] to all servers; in JSON, but for broadcasts with acknowledgements |
//! | `KEY-response#NAMESPACE#`, `KEY-response#NAMESPACE#UID#` | [`Response`]; in JSON, but for acknowledgements |

use super::Malformed;
use super::fields::{self, Entries, RequestFields, ResponseFields, in_json, map, rooms, texts};
use super::msgpack::{self, decode, encode, from_args, to_args};
use crate::socketio::{Args, Flags, Room, SocketInfo, Targets};
use rmpv::Value as Packed;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::iter;
use std::time::Duration;

/// An event for the clients of other servers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Broadcast {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) args: Args,
    pub(super) to: Targets,
}

impl Broadcast {
    /// `uid` is who sends it.
    pub(super) fn encode(&self, uid: &str) -> Vec<u8> {
        encode(&Packed::Array(vec![
            uid.into(),
            self.packet(),
            options(&self.to),
        ]))
    }

    /// With who sends it: a server ignores its own.
    pub(super) fn decode(bytes: &[u8]) -> Result<(String, Broadcast), Malformed> {
        let Packed::Array(parts) = decode(bytes)? else {
            return Err(Malformed);
        };
        let [uid, packet, options] = <[Packed; 3]>::try_from(parts).map_err(|_| Malformed)?;
        let uid = uid.as_str().unwrap_or_default().to_owned();
        Ok((uid, Broadcast::of(packet, options)?))
    }

    fn of(packet: Packed, options: Packed) -> Result<Broadcast, Malformed> {
        let mut packet = Entries::of(packet)?;
        let namespace = packet.text("nsp").unwrap_or_else(|| "/".to_owned());
        let (Some(2), Packed::Array(mut data)) = (packet.number("type"), packet.take("data"))
        else {
            return Err(Malformed);
        };
        if data.is_empty() {
            return Err(Malformed);
        }
        let name = msgpack::name(&data.remove(0));
        Ok(Broadcast {
            namespace,
            name,
            args: to_args(data)?,
            to: targets(Entries::of(options)?),
        })
    }

    fn packet(&self) -> Packed {
        let mut data = vec![self.name.as_str().into()];
        data.extend(from_args(&self.args));
        map([
            ("type", 2.into()),
            ("data", Packed::Array(data)),
            ("nsp", self.namespace.as_str().into()),
        ])
    }
}

/// A request to all servers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    /// Who sends it. An emitter may leave it out.
    pub(super) uid: String,
    /// What the answers refer to.
    pub(super) id: Option<String>,
    pub(super) what: What,
}

/// What is requested.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// The ids of the sockets in any of these rooms.
    Sockets {
        rooms: Vec<Room>,
    },
    /// The names of all rooms.
    AllRooms,
    Join {
        who: Targets,
        rooms: Vec<Room>,
    },
    Leave {
        who: Targets,
        rooms: Vec<Room>,
    },
    Disconnect {
        who: Targets,
        close: bool,
    },
    Fetch {
        who: Targets,
    },
    /// An event for the servers themselves.
    ServerSideEmit {
        name: String,
        args: Args,
    },
    /// A broadcast that is acknowledged.
    Broadcast(Broadcast),
}

impl Request {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut fields = RequestFields {
            uid: self.uid.clone(),
            request_id: self.id.clone(),
            ..RequestFields::default()
        };
        match &self.what {
            What::Sockets { rooms } => fields.set(0, None, Some(rooms)),
            What::AllRooms => fields.set(1, None, None),
            What::Join { who, rooms } => fields.set(2, Some(who), Some(rooms)),
            What::Leave { who, rooms } => fields.set(3, Some(who), Some(rooms)),
            What::Disconnect { who, close } => {
                fields.set(4, Some(who), None);
                fields.close = Some(*close);
            }
            What::Fetch { who } => fields.set(5, Some(who), None),
            What::ServerSideEmit { name, args } => {
                fields.set(6, None, None);
                fields.data = event(name, args);
            }
            What::Broadcast(broadcast) => return self.encode_broadcast(broadcast),
        }
        in_json(&fields)
    }

    fn encode_broadcast(&self, broadcast: &Broadcast) -> Vec<u8> {
        encode(&map([
            ("uid", self.uid.as_str().into()),
            ("requestId", self.id.as_deref().unwrap_or_default().into()),
            ("type", 7.into()),
            ("packet", broadcast.packet()),
            ("opts", options(&broadcast.to)),
        ]))
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Request, Malformed> {
        match bytes.first() {
            Some(b'{') => Request::decode_json(bytes),
            _ => Request::decode_broadcast(decode(bytes)?),
        }
    }

    fn decode_json(bytes: &[u8]) -> Result<Request, Malformed> {
        let mut fields: RequestFields = serde_json::from_slice(bytes).map_err(|_| Malformed)?;
        let (who, rooms) = fields.whom_and_rooms();
        let what = match (fields.kind, who) {
            (0, _) => What::Sockets { rooms },
            (1, _) => What::AllRooms,
            (2, Some(who)) => What::Join { who, rooms },
            (3, Some(who)) => What::Leave { who, rooms },
            (4, Some(who)) => What::Disconnect {
                who,
                close: fields.close.unwrap_or(false),
            },
            (5, Some(who)) => What::Fetch { who },
            (6, _) => {
                let (name, args) = parts_of_event(fields.data.ok_or(Malformed)?.get())?;
                What::ServerSideEmit { name, args }
            }
            _ => return Err(Malformed),
        };
        Ok(Request {
            uid: fields.uid,
            id: fields.request_id,
            what,
        })
    }

    fn decode_broadcast(request: Packed) -> Result<Request, Malformed> {
        let mut request = Entries::of(request)?;
        if request.number("type") != Some(7) {
            return Err(Malformed);
        }
        let broadcast = Broadcast::of(request.take("packet"), request.take("opts"))?;
        Ok(Request {
            uid: request.text("uid").unwrap_or_default(),
            id: request.text("requestId"),
            what: What::Broadcast(broadcast),
        })
    }
}

/// The answer of one server, or client, to a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Response {
    /// That of the request.
    pub(super) id: String,
    pub(super) answer: Answer,
}

/// What a [`Response`] says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// The ids of sockets of one server.
    Ids(Vec<String>),
    /// The sockets of one server, as far as they are understood.
    Sockets(Vec<SocketInfo>),
    Rooms(Vec<Room>),
    /// What was requested is done.
    Done,
    /// What a server's handler of an event says: one argument.
    Emitted(Args),
    /// So many clients of one server are going to acknowledge a broadcast.
    ClientCount(u64),
    /// What one client says: one argument.
    Acknowledgement(Args),
}

impl Response {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut fields = ResponseFields {
            request_id: self.id.clone(),
            ..ResponseFields::default()
        };
        match &self.answer {
            Answer::Ids(ids) => {
                fields.sockets = Some(ids.iter().flat_map(to_raw_value).collect());
            }
            Answer::Sockets(sockets) => {
                fields.sockets = Some(sockets.iter().flat_map(to_raw_value).collect());
            }
            Answer::Rooms(rooms) => fields.rooms = Some(texts(rooms)),
            Answer::Done => {}
            Answer::Emitted(args) => {
                (fields.kind, fields.data) = (Some(6), first(args));
            }
            Answer::ClientCount(count) => {
                (fields.kind, fields.client_count) = (Some(8), Some(*count));
            }
            Answer::Acknowledgement(args) => return self.encode_acknowledgement(args),
        }
        in_json(&fields)
    }

    fn encode_acknowledgement(&self, args: &Args) -> Vec<u8> {
        let answer = from_args(args).into_iter().next();
        encode(&map([
            ("type", 9.into()),
            ("requestId", self.id.as_str().into()),
            ("packet", answer.unwrap_or(Packed::Nil)),
        ]))
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Response, Malformed> {
        match bytes.first() {
            Some(b'{') => Response::decode_json(bytes),
            _ => Response::decode_acknowledgement(decode(bytes)?),
        }
    }

    fn decode_json(bytes: &[u8]) -> Result<Response, Malformed> {
        let fields: ResponseFields = serde_json::from_slice(bytes).map_err(|_| Malformed)?;
        let answer = match (fields.kind, fields.sockets, fields.rooms) {
            (Some(6), ..) => Answer::Emitted(one_argument(fields.data)),
            (Some(8), ..) => Answer::ClientCount(fields.client_count.ok_or(Malformed)?),
            (_, Some(sockets), _) => sockets_of(&sockets),
            (_, None, Some(names)) => Answer::Rooms(rooms(names)),
            (_, None, None) => Answer::Done,
        };
        Ok(Response {
            id: fields.request_id,
            answer,
        })
    }

    fn decode_acknowledgement(response: Packed) -> Result<Response, Malformed> {
        let mut response = Entries::of(response)?;
        if response.number("type") != Some(9) {
            return Err(Malformed);
        }
        let answer = Answer::Acknowledgement(to_args(vec![response.take("packet")])?);
        let id = response.text("requestId").ok_or(Malformed)?;
        Ok(Response { id, answer })
    }
}

/// An event as an array of JSON.
fn event(name: &str, args: &Args) -> Option<Box<RawValue>> {
    let name = Value::from(name).to_string();
    let items = args.items().into_iter().map(RawValue::get);
    let items: Vec<&str> = iter::once(name.as_str()).chain(items).collect();
    RawValue::from_string(format!("[{}]", items.join(","))).ok()
}

fn parts_of_event(data: &str) -> Result<(String, Args), Malformed> {
    let items: Vec<&RawValue> = serde_json::from_str(data).map_err(|_| Malformed)?;
    let (name, args) = items.split_first().ok_or(Malformed)?;
    let name: Value = serde_json::from_str(name.get()).map_err(|_| Malformed)?;
    Ok((fields::name(name), Args::of_items(args, Vec::new())))
}

/// The first argument, which is all that one server answers another.
fn first(args: &Args) -> Option<Box<RawValue>> {
    let text = args.items().first().map_or("null", |item| item.get());
    RawValue::from_string(text.to_owned()).ok()
}

fn one_argument(value: Option<Box<RawValue>>) -> Args {
    let value = value.as_deref().unwrap_or(RawValue::NULL);
    Args::of_items(&[value], Vec::new())
}

/// Ids alone, or all that is known of the sockets. What is neither is left out.
fn sockets_of(sockets: &[Box<RawValue>]) -> Answer {
    let sockets = sockets.iter();
    let sockets = sockets.flat_map(|socket| serde_json::from_str::<Value>(socket.get()));
    let (ids, sockets): (Vec<_>, Vec<_>) = sockets.partition(Value::is_string);
    if !ids.is_empty() {
        return Answer::Ids(ids.into_iter().map(fields::name).collect());
    }
    Answer::Sockets(sockets.into_iter().flat_map(socket).collect())
}

fn socket(mut value: Value) -> Result<SocketInfo, serde_json::Error> {
    if let Some(rooms) = value.get_mut("rooms").and_then(Value::as_array_mut) {
        for room in rooms {
            *room = fields::name(room.take()).into();
        }
    }
    serde_json::from_value(value)
}

fn options(to: &Targets) -> Packed {
    let names = |rooms: &[Room]| {
        let names = rooms.iter().map(|room| Packed::from(&**room));
        Packed::Array(names.collect())
    };
    let volatile = to.flags.volatile.then_some(("volatile", true.into()));
    let timeout = to.flags.timeout.map(|timeout| {
        let timeout = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        ("timeout", timeout.into())
    });
    map([
        ("rooms", names(&to.rooms)),
        ("except", names(&to.except)),
        ("flags", map([volatile, timeout].into_iter().flatten())),
    ])
}

fn targets(mut options: Entries) -> Targets {
    let flags = Entries::of(options.take("flags")).map(|mut flags| Flags {
        volatile: flags.take("volatile").as_bool().unwrap_or(false),
        timeout: flags.number("timeout").map(Duration::from_millis),
        ..Flags::default()
    });
    Targets {
        rooms: options.rooms("rooms"),
        except: options.rooms("except"),
        flags: flags.unwrap_or_default(),
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
