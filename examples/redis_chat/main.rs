//! A chat of many processes that remembers: Redis tells everybody, and keeps what was said.
//!
//! ```sh
//! cargo run --example redis_chat --features redis                              # needs a redis-server
//! cargo run --example redis_chat --features redis -- 8001 redis://127.0.0.1/   # and another process
//! ```
//!
//! You should see what the page of one process says in that of the other; stop both, and what was said is still there.
//!
//! After gevent-socketio's `pyramid_backbone_redis_chat_persistence`, which keeps the lines in a database.

mod log;

use greenwire::http::{IntoResponse, Json, Router, Server, StatusCode, html};
use greenwire::realtime::pubsub::{Event, Redis, Subscription};
use greenwire::thread;
use greenwire::websocket::{self, Config, Receiver, Sender, WebSocket};
use log::Log;
use std::{env, error::Error};

const PAGE: &str = include_str!("index.html");
/// In bytes.
const LONGEST_LINE: usize = 4096;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let port = arguments.next().unwrap_or("8080".to_owned());
    let url = arguments.next();
    let url = url.as_deref().unwrap_or("redis://127.0.0.1/");
    let (redis, log) = (Redis::connect(url)?, Log::open(url)?);
    let speakers_log = log.clone();
    let config = Config::default().max_message_size(LONGEST_LINE);
    let app = Router::new()
        .get("/", |_| html(PAGE))
        .get("/get_log", move |_| match log.lines() {
            Ok(lines) => Json(lines).into_response(),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        })
        .get("/websocket", move |request| {
            let (feed, log) = (redis.subscribe(log::CHANNEL), speakers_log.clone());
            config.upgrade(request, move |ws| chat(ws, feed, &log))
        });
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    Ok(server.serve_handler(app)?)
}

fn chat(ws: WebSocket, feed: Subscription<Vec<u8>>, log: &Log) -> Result<(), websocket::Error> {
    let (sender, receiver) = ws.split();
    // Only now does the page ask for the log, so it misses nothing.
    sender.send(r#"{"connected": true}"#)?;
    let listener = thread::spawn({
        let sender = sender.clone();
        move || listen(&feed, &sender)
    });
    let ended = speak(receiver, &sender, log);
    let _ = listener.cancel(); // unless it has ended already
    ended
}

fn speak(mut receiver: Receiver, sender: &Sender, log: &Log) -> Result<(), websocket::Error> {
    while let Some(message) = receiver.receive()? {
        if let Err(error) = log.say(message.as_bytes()) {
            sender.send(log::problem(&error.to_string()))?;
        }
    }
    Ok(())
}

fn listen(feed: &Subscription<Vec<u8>>, sender: &Sender) -> Result<(), websocket::Error> {
    for event in feed {
        match event {
            Event::Message(line) => sender.send(line.as_text().unwrap_or_default())?,
            Event::Disconnected => sender.send(log::problem("Redis is gone"))?,
            // The page asks for what it has missed.
            _ => sender.send(r#"{"connected": true}"#)?,
        }
    }
    Ok(())
}
