//! The fields of messages: in JSON all that there may be, in MessagePack taken by name.

use super::Malformed;
use super::msgpack;
use crate::socketio::{Room, Targets};
use rmpv::Value as Packed;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A request in JSON: all fields of all of them.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RequestFields {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) opts: Option<Selection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close: Option<bool>,
    #[serde(deserialize_with = "some_names")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rooms: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Box<RawValue>>,
    /// In place of `opts`, by those who speak as version 5 did.
    #[serde(skip_serializing)]
    pub(super) sid: Option<String>,
    #[serde(skip_serializing)]
    pub(super) room: Option<String>,
}

/// [`Targets`] without flags.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Selection {
    #[serde(deserialize_with = "names")]
    rooms: Vec<String>,
    #[serde(deserialize_with = "names")]
    except: Vec<String>,
}

impl RequestFields {
    pub(super) fn set(&mut self, kind: u8, who: Option<&Targets>, rooms: Option<&Vec<Room>>) {
        self.kind = kind;
        self.opts = who.map(|who| Selection {
            rooms: texts(&who.rooms),
            except: texts(&who.except),
        });
        self.rooms = rooms.map(|rooms| texts(rooms));
    }

    /// Whom it concerns, if it says so, and the rooms that it is about.
    pub(super) fn whom_and_rooms(&mut self) -> (Option<Targets>, Vec<Room>) {
        let one = self.sid.take().map(|sid| Selection {
            rooms: vec![sid],
            except: Vec::new(),
        });
        let who = self.opts.take().or(one).map(|selection| Targets {
            rooms: rooms(selection.rooms),
            except: rooms(selection.except),
            ..Targets::default()
        });
        let one = self.room.take().into_iter();
        let names = self.rooms.take().unwrap_or_else(|| one.collect());
        (who, rooms(names))
    }
}

/// A response in JSON: all fields of all of them.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ResponseFields {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<u8>,
    pub(super) request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sockets: Option<Vec<Box<RawValue>>>,
    #[serde(deserialize_with = "some_names")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rooms: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Box<RawValue>>,
}

pub(super) fn in_json(fields: &impl Serialize) -> Vec<u8> {
    // What is in there can all be written, to a vector.
    serde_json::to_vec(fields).unwrap_or_default()
}

/// The entries of a map in MessagePack, to be taken by name.
pub(super) struct Entries(Vec<(Packed, Packed)>);

impl Entries {
    pub(super) fn of(map: Packed) -> Result<Entries, Malformed> {
        match map {
            Packed::Map(entries) => Ok(Entries(entries)),
            _ => Err(Malformed),
        }
    }

    /// `Nil` if there is none.
    pub(super) fn take(&mut self, name: &str) -> Packed {
        let at = self
            .0
            .iter()
            .position(|(key, _)| key.as_str() == Some(name));
        at.map_or(Packed::Nil, |at| self.0.swap_remove(at).1)
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).as_str().map(str::to_owned)
    }

    pub(super) fn number(&mut self, name: &str) -> Option<u64> {
        self.take(name).as_u64()
    }

    pub(super) fn rooms(&mut self, name: &str) -> Vec<Room> {
        let names = self.take(name);
        let names = names.as_array().map(Vec::as_slice).unwrap_or_default();
        rooms(names.iter().map(msgpack::name).collect())
    }
}

/// A map in MessagePack.
pub(super) fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Packed)>) -> Packed {
    let entries = entries.into_iter();
    Packed::Map(entries.map(|(name, value)| (name.into(), value)).collect())
}

/// The name of a room or an event, which in JavaScript may also be a number.
pub(super) fn name(value: Value) -> String {
    match value {
        Value::String(name) => name,
        other => other.to_string(),
    }
}

pub(super) fn rooms(names: Vec<String>) -> Vec<Room> {
    names.into_iter().map(Room::from).collect()
}

pub(super) fn texts(rooms: &[Room]) -> Vec<String> {
    rooms.iter().map(|room| room.to_string()).collect()
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<Value>::deserialize(deserializer)?;
    Ok(names.into_iter().map(name).collect())
}

fn some_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    names(deserializer).map(Some)
}
