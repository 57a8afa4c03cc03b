//! The methods: their names, their parameters, and what they do.

use crate::comet::{Comet, Error, json};
use serde_json::{Value, json};
use std::fmt;

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    NoJson,
    NoCall,
    BadBatch { most: usize },
    NoSuchMethod,
    BadParams(String),
    Failed(Error),
}

impl Fault {
    /// As JSON-RPC 2.0 numbers it (section 5.1).
    pub(super) fn code(&self) -> i64 {
        match self {
            Fault::NoJson => -32700,
            Fault::NoCall | Fault::BadBatch { .. } => -32600,
            Fault::NoSuchMethod => -32601,
            Fault::BadParams(_) => -32602,
            Fault::Failed(error) => error.code(),
        }
    }

    /// As version 1 names it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Fault::Failed(error) => error.name(),
            _ => "JSONRPCError",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoJson => f.write_str("the body is no JSON"),
            Fault::NoCall => f.write_str("a call is an object with a method"),
            Fault::BadBatch { most } => write!(f, "a batch has 1 to {most} calls"),
            Fault::NoSuchMethod => f.write_str("no such method"),
            Fault::BadParams(why) => f.write_str(why),
            Fault::Failed(error) => error.fmt(f),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Failed(error)
    }
}

/// What Shaveet's methods return that return nothing.
const NOTHING: u32 = 200;

struct Method {
    name: &'static str,
    params: &'static [&'static str],
    call: fn(&Comet, &Params<'_>) -> Result<Value, Fault>,
}

const METHODS: &[Method] = &[
    Method {
        name: "create_client",
        params: &["client_id"],
        call: |comet, params| Ok(comet.create_client(params.text(0)?)?.into()),
    },
    Method {
        name: "get_channel_clients",
        params: &["channel_name"],
        call: |comet, params| Ok(comet.channel_clients(params.text(0)?)?.into()),
    },
    Method {
        name: "get_client_channels",
        params: &["client_id"],
        call: |comet, params| Ok(comet.client_channels(params.text(0)?)?.into()),
    },
    Method {
        name: "kill_client",
        params: &["client_id"],
        call: |comet, params| done(comet.kill_client(params.text(0)?), NOTHING),
    },
    Method {
        name: "new_message",
        params: &["client_id", "message", "channel_name", "system"],
        call: |comet, params| {
            let message = json::message(params.value(1)?);
            done(
                comet.new_message(params.text(0)?, &message, params.text(2)?),
                1,
            )
        },
    },
    Method {
        name: "subscribe",
        params: &["client_id", "channel_name"],
        call: |comet, params| done(comet.subscribe(params.text(0)?, params.text(1)?), 1),
    },
    Method {
        name: "subscribe_many",
        params: &["channels"],
        call: |comet, params| {
            let mut pairs = params.pairs(0)?.into_iter();
            done(
                pairs.try_for_each(|(channel, id)| comet.subscribe(id, channel)),
                NOTHING,
            )
        },
    },
    Method {
        name: "system.describe",
        params: &[],
        call: |_, _| {
            Ok(json!({
                "sdversion": "1.0",
                "name": "greenwire comet",
                "summary": "clients, channels and messages, as Shaveet has them",
                "procs": procedures(),
            }))
        },
    },
    Method {
        name: "system.list_methods",
        params: &[],
        call: |_, _| Ok(procedures()),
    },
    Method {
        name: "unsubscribe",
        params: &["client_id", "channel_name"],
        call: |comet, params| done(comet.unsubscribe(params.text(0)?, params.text(1)?), 1),
    },
    Method {
        name: "unsubscribe_all_channel",
        params: &["channel_name", "exclude"],
        call: |comet, params| {
            done(
                comet.unsubscribe_all(params.text(0)?, &params.texts(1)?),
                NOTHING,
            )
        },
    },
    Method {
        name: "unsubscribe_many",
        params: &["channels"],
        call: |comet, params| {
            let mut pairs = params.pairs(0)?.into_iter();
            done(
                pairs.try_for_each(|(channel, id)| comet.unsubscribe(id, channel)),
                NOTHING,
            )
        },
    },
];

/// The parameter that need not be given: it changes nothing.
const OPTIONAL: &str = "system";

/// Calls a method with its parameters, by place or by name.
pub(super) fn call(comet: &Comet, name: &str, params: &Value) -> Result<Value, Fault> {
    let method = METHODS.iter().find(|method| method.name == name);
    let method = method.ok_or(Fault::NoSuchMethod)?;
    (method.call)(comet, &Params::new(method.params, params)?)
}

fn done(result: Result<(), Error>, value: u32) -> Result<Value, Fault> {
    Ok(result.map(|()| value.into())?)
}

fn procedures() -> Value {
    let describe = |method: &Method| json!({"name": method.name, "params": method.params});
    METHODS.iter().map(describe).collect()
}

/// The parameters of a call, in the order of the method's.
struct Params<'a> {
    names: &'static [&'static str],
    values: Vec<Option<&'a Value>>,
}

impl<'a> Params<'a> {
    fn new(names: &'static [&'static str], given: &'a Value) -> Result<Params<'a>, Fault> {
        let values: Vec<Option<&Value>> = match given {
            Value::Null => vec![None; names.len()],
            Value::Array(list) => {
                let count = list.len().max(names.len());
                (0..count).map(|place| list.get(place)).collect()
            }
            Value::Object(map) => {
                if let Some(other) = map.keys().find(|name| !names.contains(&name.as_str())) {
                    return Err(bad(format!("there is no parameter {other}")));
                }
                names.iter().map(|name| map.get(*name)).collect()
            }
            _ => return Err(bad("params are a list or an object".to_owned())),
        };
        if values.len() > names.len() {
            return Err(bad(format!("there are {} parameters", names.len())));
        }
        let missing = names
            .iter()
            .zip(&values)
            .find(|(name, value)| value.is_none() && **name != OPTIONAL);
        match missing {
            Some((name, _)) => Err(bad(format!("{name} is missing"))),
            None => Ok(Params { names, values }),
        }
    }

    fn value(&self, place: usize) -> Result<&'a Value, Fault> {
        let value = self.values.get(place).copied().flatten();
        value.ok_or_else(|| self.wrong(place, "there"))
    }

    fn text(&self, place: usize) -> Result<&'a str, Fault> {
        let text = self.value(place)?.as_str();
        text.ok_or_else(|| self.wrong(place, "a string"))
    }

    fn texts(&self, place: usize) -> Result<Vec<&'a str>, Fault> {
        texts(self.value(place)?).ok_or_else(|| self.wrong(place, "a list of strings"))
    }

    /// Of `{channel: [client, …], …}` the channels with each of their clients.
    fn pairs(&self, place: usize) -> Result<Vec<(&'a str, &'a str)>, Fault> {
        let wrong = || self.wrong(place, "an object {channel: [client, …]}");
        let channels = self.value(place)?.as_object().ok_or_else(wrong)?;
        let mut pairs = Vec::new();
        for (channel, clients) in channels {
            let clients = texts(clients).ok_or_else(wrong)?;
            pairs.extend(clients.into_iter().map(|id| (channel.as_str(), id)));
        }
        Ok(pairs)
    }

    fn wrong(&self, place: usize, wanted: &str) -> Fault {
        bad(format!("{} is not {wanted}", self.names[place]))
    }
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

fn bad(why: String) -> Fault {
    Fault::BadParams(why)
}
