//! A chat by comet: messages reach every browser, over a websocket, server-sent events, or polls.
//!
//! ```sh
//! cargo run --release --example comet_chat     # then open the address it prints, twice
//! ```
//!
//! You should see what both pages say, and who is there. Add `?transports=cors` to the address, or `eventsource` or
//! `jsonp`, to see it over another transport, and `?classic` for a page that loads `shaveet.js` by its old name.
//!
//! The web application is this program: it makes a client for each visitor, and sends what they say. The comet
//! server is part of it, at `/comet/`, where it also answers JSON-RPC: it might be a process of its own, and the
//! application one in any language.

use greenwire::http::{
    self, IntoResponse, Json, Request, RequestExt, Response, Router, StatusCode,
};
use greenwire::realtime::comet::{Comet, Config, Error};
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const PAGE: &str = include_str!("index.html");
const ROOM: &str = "chat-room";

const USAGE: &str = "\
usage: comet_chat [--port N]

  --port N      listen on this port of the loopback interface; 0 picks a free one (default 8082)";

/// Beyond these, names and lines are cut.
const LONGEST_NAME: usize = 32;
const LONGEST_LINE: usize = 1000;

fn main() -> ExitCode {
    let port = match port(lexopt::Parser::from_env()) {
        Ok(Some(port)) => port,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("comet_chat: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("comet_chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: u16) -> std::io::Result<()> {
    // Who closes the page without a word is gone after some seconds.
    let comet = Config::default().min_alive(Duration::from_secs(15)).start();
    let chat = Arc::new(Chat {
        comet: comet.clone(),
        visitors: AtomicU64::new(0),
    });
    let app = Router::new()
        .get("/", |_| http::html(PAGE))
        .post("/join", chat.answers(Chat::join))
        .post("/say", chat.answers(Chat::say))
        .post("/leave", chat.answers(Chat::leave))
        .mount("/comet", comet);
    let server = http::Server::bind(("127.0.0.1", port))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}

/// The web application.
struct Chat {
    comet: Comet,
    visitors: AtomicU64,
}

/// What the pages are told when something is wrong.
type Refusal = (StatusCode, &'static str);

const NOT_YOU: Refusal = (StatusCode::FORBIDDEN, "join first");

impl Chat {
    /// A handler that gives what the page has posted to `act`.
    fn answers(
        self: &Arc<Chat>,
        act: fn(&Chat, &Value) -> Result<Response, Refusal>,
    ) -> impl Fn(Request) -> Response + Send + Sync + 'static {
        let chat = self.clone();
        move |mut request| match request.json() {
            Ok(posted) => act(&chat, &posted).into_response(),
            Err(error) => error.into_response(),
        }
    }

    /// Makes a client for a visitor, whose id begins with the name and does not end there.
    fn join(&self, posted: &Value) -> Result<Response, Refusal> {
        let name = text(posted, "name", LONGEST_NAME).replace('_', " ");
        let number = self.visitors.fetch_add(1, Ordering::Relaxed);
        let client_id = format!(
            "{}_{number}",
            if name.is_empty() { "Somebody" } else { &name }
        );
        let join = || {
            let key = self.comet.create_client(&client_id)?;
            self.comet.subscribe(&client_id, ROOM)?;
            let people = self.comet.channel_clients(ROOM)?;
            Ok(json!({"client_id": client_id, "key": key, "people": people}))
        };
        join()
            .map(|joined| Json(joined).into_response())
            .map_err(full)
    }

    /// Sends a line to all, in the name of who shows the key.
    fn say(&self, posted: &Value) -> Result<Response, Refusal> {
        let client_id = self.visitor(posted)?;
        // An object: what people write cannot look like what the server says.
        let line = json!({"text": text(posted, "text", LONGEST_LINE)});
        let sent = self.comet.new_message(client_id, &line.to_string(), ROOM);
        sent.map(|()| StatusCode::NO_CONTENT.into_response())
            .map_err(full)
    }

    fn leave(&self, posted: &Value) -> Result<Response, Refusal> {
        let client_id = self.visitor(posted)?;
        // An error is that it is gone already.
        let _ = self.comet.kill_client(client_id);
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    fn visitor<'a>(&self, posted: &'a Value) -> Result<&'a str, Refusal> {
        let field = |name| posted[name].as_str().unwrap_or_default();
        let client_id = field("client_id");
        match self.comet.knows(client_id, field("key")) {
            true => Ok(client_id),
            false => Err(NOT_YOU),
        }
    }
}

fn text(posted: &Value, field: &str, longest: usize) -> String {
    let text = posted[field].as_str().unwrap_or_default().trim();
    text.chars().take(longest).collect()
}

fn full(_: Error) -> Refusal {
    (StatusCode::SERVICE_UNAVAILABLE, "the room is full")
}

/// `None` if the user asked for help.
fn port(mut arguments: lexopt::Parser) -> Result<Option<u16>, lexopt::Error> {
    use lexopt::prelude::{Long, Short, ValueExt};
    let mut port = 8082;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => port = arguments.value()?.parse()?,
            Long("help") | Short('h') => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(port))
}
