//! A relay of many processes: what one publishes to Redis, the browsers of all of them see.
//!
//! Shows topics that processes share, and full duplex: each browser has a loop that relays what comes from Redis,
//! and one that publishes what the browser says.
//!
//! ```sh
//! cargo run --release --example redis_relay --features redis                 # needs a redis-server
//! cargo run --release --example redis_relay --features redis -- --port 8001  # and another one
//! redis-cli publish relay.weather "it rains"
//! ```
//!
//! You should see the page of each process show what the other one's says, and the weather. Stop the Redis
//! server, and start it again: the pages tell.

use greenwire::http::{self, IntoResponse, Json, Request, Response, StatusCode};
use greenwire::realtime::pubsub::{Event, Options, Redis, Subscription, pattern};
use greenwire::websocket::{self, Message, Sender, WebSocket};
use greenwire::{runtime, thread};
use serde_json::{Value, json};
use std::error::Error;
use std::process::ExitCode;

const PAGE: &str = include_str!("index.html");

const USAGE: &str = "\
usage: redis_relay [--port N] [--redis URL] [--threads]

  --port N      listen on this port of the loopback interface; 0 picks a free one (default 8000)
  --redis URL   the Redis server (default redis://127.0.0.1:6379/)
  --threads     no green threads: one OS thread for each, for comparison";

/// What browsers say is published here; they see all topics that begin with `relay.`.
const CHAT: &str = "relay.chat";

/// A message of a browser has at most this many bytes; a longer one closes its connection.
const LONGEST_MESSAGE: usize = 4096;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("redis_relay: {error}\n\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse()?;
    runtime::Builder::new().os_threads(flags.threads).start()?;
    let redis = Redis::connect(flags.redis)?;
    let server = http::Server::bind(("127.0.0.1", flags.port))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve(move |request: Request| answer(request, &redis))?;
    Ok(())
}

/// One request, on a green thread of its own.
fn answer(request: Request, redis: &Redis) -> Response {
    match request.uri().path() {
        "/" => http::html(PAGE),
        "/relay" => {
            let redis = redis.clone();
            websocket::Config::default()
                .max_message_size(LONGEST_MESSAGE)
                .upgrade(request, move |ws| monitor_subscriber(ws, &redis))
        }
        _ => (StatusCode::NOT_FOUND, "there is only / and /relay\n").into_response(),
    }
}

/// Serves one browser: starts its relaying loop, then publishes what it says.
fn monitor_subscriber(ws: WebSocket, redis: &Redis) -> Result<(), websocket::Error> {
    let (sender, mut receiver) = ws.split();
    let feed = redis.subscribe_with(pattern("relay.*"), &Options::default().capacity(100));
    sender.send(json!({"connected": redis.is_connected()}).to_string())?;
    let relay = thread::spawn({
        let sender = sender.clone();
        move || monitor_source(&feed, &sender)
    });
    let mut publish = || -> Result<(), websocket::Error> {
        while let Some(message) = receiver.receive()? {
            if let Err(why) = say(&message, redis) {
                sender.send(json!({"error": why}).to_string())?;
            }
        }
        Ok(())
    };
    let ended = publish();
    // An error is an OS thread, which ends with the next thing that it cannot send.
    let _ = relay.cancel();
    ended
}

/// Relays what comes from Redis to one browser, until the connection ends.
fn monitor_source(feed: &Subscription<Vec<u8>>, sender: &Sender) {
    for event in feed {
        let told = match event {
            Event::Message(message) => {
                let text = String::from_utf8_lossy(message.payload());
                json!({"topic": message.topic(), "text": text})
            }
            Event::Missed(count) => json!({"missed": count}),
            Event::Disconnected => json!({"connected": false}),
            Event::Reconnected => json!({"connected": true}),
            _ => continue,
        };
        if sender.send(told.to_string()).is_err() {
            return;
        }
    }
}

/// Publishes what a browser says. The error is a sentence for whoever said it.
fn say(message: &Message, redis: &Redis) -> Result<(), String> {
    let said = Json::<Value>::from_bytes(message.as_bytes());
    let Json(said) = said.map_err(|_| "that is not JSON")?;
    let name = said["name"].as_str().unwrap_or("somebody").trim();
    let text = said["text"].as_str().unwrap_or_default().trim();
    if text.is_empty() {
        return Err("say something".to_owned());
    }
    let published = redis.publish(CHAT, format!("{name}: {text}"));
    published.map_err(|error| format!("nobody has heard that: {error}"))?;
    Ok(())
}

/// What the command line says.
struct Flags {
    port: u16,
    redis: String,
    threads: bool,
}

impl Flags {
    fn parse() -> Result<Flags, lexopt::Error> {
        use lexopt::prelude::{Long, ValueExt};
        let mut flags = Flags {
            port: 8000,
            redis: "redis://127.0.0.1:6379/".to_owned(),
            threads: false,
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("port") => flags.port = arguments.value()?.parse()?,
                Long("redis") => flags.redis = arguments.value()?.string()?,
                Long("threads") => flags.threads = true,
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(flags)
    }
}
