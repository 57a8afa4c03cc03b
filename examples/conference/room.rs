//! A room: its topic, and what has been said in it.

use greenwire::realtime::socketio::{Error, Socket};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

const BACKLOG: usize = 50;

#[derive(Default, Serialize)]
pub(crate) struct Room {
    pub(crate) topic: String,
    backlog: VecDeque<Value>,
}

impl Room {
    /// Tells everybody in the room, and those who come later.
    pub(crate) fn announce(
        &mut self,
        socket: &Socket,
        name: &str,
        kind: &str,
        text: &str,
    ) -> Result<(), Error> {
        let event = json!({
            "room": name, "type": kind, "user": nick_of(socket)?, "message": text, "timestamp": now(),
        });
        self.backlog.push_back(event.clone());
        if self.backlog.len() > BACKLOG {
            self.backlog.pop_front();
        }
        let everybody = socket.namespace().to(channel(name));
        everybody.emit(&format!("{name}_event"), event)
    }
}

/// Not the name itself, or one could join what is for a single client.
pub(crate) fn channel(room: &str) -> String {
    format!("room_{room}")
}

pub(crate) fn nick_of(socket: &Socket) -> Result<String, Error> {
    let nick = socket.data().get("nick")?;
    nick.ok_or_else(|| Error::refused("say your nick first"))
}

/// What a client says, without blanks around it and not too long.
pub(crate) fn shortened(text: &str, longest: usize) -> Result<String, Error> {
    let text: String = text.trim().chars().take(longest).collect();
    match text.is_empty() {
        true => Err(Error::refused("say something")),
        false => Ok(text),
    }
}

/// In milliseconds, as JavaScript counts.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
