//! All rooms, and what clients do in them.

use crate::room::{Room, channel, nick_of, shortened};
use greenwire::realtime::socketio::{Error, Namespace, Socket};
use greenwire::sync::Mutex;
use serde_json::json;
use std::collections::BTreeMap;

const MOST_ROOMS: usize = 100;
const LONGEST_NAME: usize = 40;
const LONGEST_TEXT: usize = 1000;

pub(crate) struct Rooms(Mutex<BTreeMap<String, Room>>);

impl Rooms {
    pub(crate) const fn new() -> Rooms {
        Rooms(Mutex::new(BTreeMap::new()))
    }

    /// Tells all clients which rooms there are.
    pub(crate) fn list(&self, chat: &Namespace) {
        let rooms = self.0.lock().unwrap();
        // An error is that nobody is there.
        let _ = chat.emit("rooms", (rooms.keys().collect::<Vec<_>>(),));
    }

    pub(crate) fn join(&self, socket: &Socket, name: &str) -> Result<(), Error> {
        let name = shortened(name, LONGEST_NAME)?;
        nick_of(socket)?;
        let mut rooms = self.0.lock().unwrap();
        if rooms.len() == MOST_ROOMS && !rooms.contains_key(&name) {
            return Err(Error::refused("there are rooms enough"));
        }
        let room = rooms.entry(name.clone()).or_default();
        // To a room of its own, which waits for nobody, as one must not with the rooms in hand.
        let newcomer = socket.namespace().to(socket.id());
        newcomer.emit("room_joined", json!({"name": name, "room": room}))?;
        socket.join(channel(&name));
        room.announce(socket, &name, "join", "")?;
        drop(rooms);
        self.list(socket.namespace());
        Ok(())
    }

    pub(crate) fn statement(&self, socket: &Socket, name: &str, text: &str) -> Result<(), Error> {
        let text = shortened(text, LONGEST_TEXT)?;
        self.within(socket, name, |room| {
            room.announce(socket, name, "statement", &text)
        })
    }

    pub(crate) fn topic(&self, socket: &Socket, name: &str, topic: &str) -> Result<(), Error> {
        let topic = shortened(topic, LONGEST_NAME)?;
        self.within(socket, name, |room| {
            room.topic.clone_from(&topic);
            room.announce(socket, name, "topic", &topic)
        })
    }

    pub(crate) fn leave(&self, socket: &Socket, name: &str) -> Result<(), Error> {
        self.within(socket, name, |room| {
            room.announce(socket, name, "leave", "")?;
            socket.leave(channel(name));
            Ok(())
        })
    }

    pub(crate) fn leave_all(&self, socket: &Socket) {
        let names: Vec<String> = self.0.lock().unwrap().keys().cloned().collect();
        for name in names {
            let _ = self.leave(socket, &name); // unless it is not there
        }
    }

    /// Does something in a room that the client is in.
    fn within(
        &self,
        socket: &Socket,
        name: &str,
        act: impl FnOnce(&mut Room) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rooms = self.0.lock().unwrap();
        let is_in = socket.rooms().iter().any(|room| **room == channel(name));
        let room = rooms.get_mut(name).filter(|_| is_in);
        act(room.ok_or_else(|| Error::refused(format!("join {name} first")))?)
    }
}
