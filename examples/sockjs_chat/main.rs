//! A chat over SockJS: whatever transport a browser has, it is in the room.
//!
//! Shows a service made of objects that are told what happens (`chat.rs`), mounted beside a page.
//!
//! ```sh
//! cargo run --example sockjs_chat                              # then open the address that it prints
//! cargo run --example sockjs_chat -- --client sockjs.min.js    # with sockjs-client from a file of yours
//! ```
//!
//! You should see everybody who is here, what they say, and by which transport you are connected; the page can be
//! told to use another one. Without `--client` browsers get sockjs-client from a public server.

#![allow(
    unreachable_pub,
    reason = "`pub` is easier on the reader, and nothing leaves a program"
)]

mod chat;

use chat::Room;
use greenwire::http::{self, Router, Server};
use greenwire::realtime::sockjs;
use std::path::PathBuf;
use std::process::ExitCode;

const PAGE: &str = include_str!("index.html");
const PUBLIC_CLIENT: &str = "https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js";
const OWN_CLIENT: &str = "/sockjs.min.js";

const USAGE: &str = "\
usage: sockjs_chat [--port N] [--client FILE]

  --port N        listen on this port of the loopback interface; 0 picks a free one (default 8081)
  --client FILE   serve sockjs-client from this file";

fn main() -> ExitCode {
    let served = Flags::parse(lexopt::Parser::from_env())
        .map_err(|error| format!("{error}\n\n{USAGE}"))
        .and_then(|flags| serve(flags).map_err(|error| error.to_string()));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sockjs_chat: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(flags: Flags) -> std::io::Result<()> {
    let (client_url, client) = match flags.client {
        Some(file) => (OWN_CLIENT, greenwire::fs::read_to_string(file)?),
        None => (PUBLIC_CLIENT, String::new()),
    };
    let room = Room::default();
    let chat = sockjs::Config::default()
        .max_message_size(chat::LONGEST_COMMAND)
        .client_url(client_url)
        .application(move |sender| room.enter(sender));
    let page = PAGE.replace("{{client}}", client_url);
    let app = Router::new()
        .get("/", move |_| http::html(page.clone()))
        .get(OWN_CLIENT, move |_| {
            (
                [("content-type", "text/javascript; charset=utf-8")],
                client.clone(),
            )
        })
        .mount("/chat", chat);
    let server = Server::bind(("127.0.0.1", flags.port))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}

/// What the command line says.
struct Flags {
    port: u16,
    client: Option<PathBuf>,
}

impl Flags {
    fn parse(mut arguments: lexopt::Parser) -> Result<Flags, lexopt::Error> {
        use lexopt::prelude::{Long, ValueExt};
        let mut flags = Flags {
            port: 8081,
            client: None,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("port") => flags.port = arguments.value()?.parse()?,
                Long("client") => flags.client = Some(arguments.value()?.into()),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(flags)
    }
}
