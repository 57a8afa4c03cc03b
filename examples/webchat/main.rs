//! A chat by long polling: who asks for news waits, on a green thread, until there are some.
//!
//! ```sh
//! cargo run --example webchat             # then open the address that it prints, in two windows
//! cargo run --example webchat -- 8000     # on this port
//! ```
//!
//! You should see what you say in one window at once in the other. `/debug/green` shows who waits.
//!
//! After gevent's `examples/webchat`, where an `Event` wakes all requests that wait; here it is a `Condvar`. There
//! the session remembers what a browser has seen; here the browser says so.

use greenwire::http::{Error, Json, Request, RequestExt, Router, Server, StatusCode, debug, html};
use greenwire::sync::{Condvar, Mutex};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

const PAGE: &str = include_str!("index.html");

/// How many messages a newcomer gets to see.
const KEPT: usize = 200;
/// How long a request for news waits: less than what proxies bear.
const PATIENCE: Duration = Duration::from_secs(25);

/// All that was said lately. Messages are numbered from 1.
#[derive(Default)]
struct Room {
    messages: Mutex<VecDeque<Message>>,
    said: Condvar,
}

#[derive(Clone, Deserialize, Serialize)]
struct Message {
    #[serde(default)]
    number: u64,
    name: String,
    text: String,
}

impl Room {
    /// Adds a message, and wakes all who wait for one.
    fn say(&self, mut message: Message) {
        let mut messages = self.messages.lock().unwrap();
        message.number = last(&messages) + 1;
        messages.push_back(message);
        if messages.len() > KEPT {
            messages.pop_front();
        }
        self.said.notify_all();
    }

    /// What was said after the message of this number; nothing if nobody speaks for a while.
    fn news(&self, after: u64) -> Vec<Message> {
        let messages = self.messages.lock().unwrap();
        let is_silent = |messages: &mut VecDeque<Message>| last(messages) <= after;
        let waited = self.said.wait_timeout_while(messages, PATIENCE, is_silent);
        let (messages, _) = waited.unwrap();
        let news = messages.iter().filter(|message| message.number > after);
        news.cloned().collect()
    }
}

fn last(messages: &VecDeque<Message>) -> u64 {
    messages.back().map_or(0, |message| message.number)
}

#[derive(Deserialize)]
struct Seen {
    after: u64,
}

fn news(room: &Room, request: &Request) -> Result<Json<Vec<Message>>, Error> {
    let seen: Seen = request.query()?;
    Ok(Json(room.news(seen.after)))
}

fn say(room: &Room, mut request: Request) -> Result<StatusCode, Error> {
    let message: Message = request.json()?;
    if message.name.len() > 100 || !(1..=2000).contains(&message.text.len()) {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY);
    }
    room.say(message);
    Ok(StatusCode::CREATED)
}

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let listeners_room = Arc::new(Room::default());
    let speakers_room = listeners_room.clone();
    let app = Router::new()
        .get("/", |_| html(PAGE))
        .get("/news", move |request| news(&listeners_room, &request))
        .post("/say", move |request| say(&speakers_room, request))
        .mount("/debug/green", debug::green());
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}
