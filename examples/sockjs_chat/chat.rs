//! The room, and one object for each who is in it.
//!
//! ```text
//!   browser: {"join": NAME}   {"say": TEXT}
//!   room:    {"people": [NAME, …]}   {"said": {"who": NAME, "text": TEXT, "at": MILLISECONDS}}   {"news": TEXT}
//! ```

use greenwire::http::Json;
use greenwire::realtime::sockjs::{Application, Error, Prepared, Sender, broadcast};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// In bytes.
pub const LONGEST_COMMAND: usize = 16 << 10;
const LONGEST_NAME: usize = 32;
const LONGEST_TEXT: usize = 2000;
/// How many lines who comes late is shown.
const REMEMBERED: usize = 50;

/// Everybody who is here. Clones are the same room.
#[derive(Clone, Default)]
pub struct Room(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    members: Vec<(u64, String, Sender)>,
    last_number: u64,
    said: VecDeque<Prepared>,
}

/// One browser in the room, by the number that it got when it said its name.
pub struct Chatter {
    room: Room,
    sender: Sender,
    joined: Option<(u64, String)>,
}

impl Room {
    pub fn enter(&self, sender: Sender) -> Chatter {
        Chatter {
            room: self.clone(),
            sender,
            joined: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Encoded once for all; nobody is waited for.
    fn tell_all(&self, message: &Prepared) {
        broadcast(self.members.iter().map(|(_, _, sender)| sender), message);
    }

    fn tell_who_is_here(&self, news: &str) {
        let people: Vec<&String> = self.members.iter().map(|(_, name, _)| name).collect();
        self.tell_all(&Prepared::new(json!({ "people": people }).to_string()));
        self.tell_all(&Prepared::new(json!({ "news": news }).to_string()));
    }
}

impl Application for Chatter {
    fn on_message(&mut self, message: String) -> Result<(), Error> {
        let command = Json::from_bytes(message.as_bytes());
        let command: Value = command.map(|Json(value)| value).unwrap_or_default();
        if let Some(name) = text(&command, "join", LONGEST_NAME) {
            self.join(name);
        } else if let Some(text) = text(&command, "say", LONGEST_TEXT) {
            self.say(&text);
        }
        Ok(())
    }

    fn on_close(&mut self) {
        if let Some((number, name)) = self.joined.take() {
            let mut room = self.room.lock();
            room.members.retain(|(member, ..)| *member != number);
            room.tell_who_is_here(&format!("{name} has left"));
        }
    }
}

impl Chatter {
    fn join(&mut self, name: String) {
        if self.joined.is_some() {
            return;
        }
        let mut room = self.room.lock();
        for line in &room.said {
            // Not by `send`, which may wait: nobody waits with the room in hand.
            broadcast([&self.sender], line);
        }
        room.last_number += 1;
        let number = room.last_number;
        room.members
            .push((number, name.clone(), self.sender.clone()));
        room.tell_who_is_here(&format!("{name} is here"));
        self.joined = Some((number, name));
    }

    fn say(&self, text: &str) {
        if let Some((_, who)) = &self.joined {
            let said = json!({ "said": { "who": who, "text": text, "at": now() } });
            let said = Prepared::new(said.to_string());
            let mut room = self.room.lock();
            room.tell_all(&said);
            room.said.push_back(said);
            if room.said.len() > REMEMBERED {
                room.said.pop_front();
            }
        }
    }
}

/// The text of a command, without blanks around it and not too long.
fn text(command: &Value, name: &str, longest: usize) -> Option<String> {
    let text: String = command[name]
        .as_str()?
        .trim()
        .chars()
        .take(longest)
        .collect();
    (!text.is_empty()).then_some(text)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
