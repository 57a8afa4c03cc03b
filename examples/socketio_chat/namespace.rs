//! What a client may say, and what comes of it.

use greenwire::realtime::socketio::Error;
use greenwire::realtime::socketio::classes::{Base, Methods, Namespace, Rooms};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

const LOBBY: &str = "lobby";
const ROOMS: [&str; 4] = [LOBBY, "music", "rust", "tea"];

/// Those that are taken.
pub(crate) type Nicknames = Arc<Mutex<BTreeSet<String>>>;

/// One client.
pub(crate) struct Chat {
    base: Base,
    nicknames: Nicknames,
    nickname: String,
    room: Option<&'static str>,
}

impl Namespace for Chat {
    fn base(&self) -> &Base {
        &self.base
    }

    fn methods(methods: &mut Methods<Chat>) {
        methods
            .on("nickname", Chat::on_nickname)
            .on("join", Chat::on_join)
            .on("user message", Chat::on_user_message);
    }

    /// Who has no nickname can only choose one.
    fn initial_acl(&self) -> Option<Vec<String>> {
        Some(vec!["on_nickname".to_owned()])
    }

    fn recv_disconnect(&mut self) {
        self.nicknames.lock().unwrap().remove(&self.nickname);
        // An error is that it is gone itself, which is known.
        let _ = self.leave_room();
    }
}

impl Chat {
    pub(crate) fn new(base: Base, nicknames: Nicknames) -> Chat {
        let (nickname, room) = (String::new(), None);
        Chat {
            base,
            nicknames,
            nickname,
            room,
        }
    }

    /// Whether it is free; then the client is in the lobby, and may do everything else.
    fn on_nickname(&mut self, nickname: String) -> Result<bool, Error> {
        let fits = (1..=20).contains(&nickname.chars().count()) && self.nickname.is_empty();
        if !fits || !self.nicknames.lock().unwrap().insert(nickname.clone()) {
            return Ok(false);
        }
        self.socket().data().set("nickname", &nickname)?;
        self.nickname = nickname;
        self.lift_acl_restrictions();
        self.on_join(LOBBY.to_owned())
    }

    /// Whether there is such a room.
    fn on_join(&mut self, room: String) -> Result<bool, Error> {
        let Some(room) = ROOMS.into_iter().find(|known| *known == room) else {
            return Ok(false);
        };
        self.leave_room()?;
        self.room = Some(room);
        self.join(room);
        self.announce(room, "has joined")?;
        Ok(true)
    }

    fn on_user_message(&mut self, text: String) -> Result<bool, Error> {
        let fits = (1..=500).contains(&text.chars().count());
        if let Some(room) = self.room.filter(|_| fits) {
            self.emit_to_room(room, "user message", (&self.nickname, text))?;
        }
        Ok(fits)
    }

    fn leave_room(&mut self) -> Result<(), Error> {
        let Some(room) = self.room.take() else {
            return Ok(());
        };
        self.leave(room);
        self.announce(room, "has left")
    }

    /// Tells the room who has come or gone, and who is there now.
    fn announce(&self, room: &str, what: &str) -> Result<(), Error> {
        self.emit_to_room(room, "announcement", format!("{} {what}", self.nickname))?;
        let room = self.socket().namespace().to(room);
        let there = room.fetch_sockets()?;
        let names: BTreeSet<_> = there
            .iter()
            .filter_map(|it| it.info().data["nickname"].as_str())
            .collect();
        room.emit("nicknames", (names,))
    }
}
