//! A chat for a conference: a room for each talk, with its topic, and a backlog for those who come late.
//!
//! ```sh
//! cargo run --example conference                                # then open the address that it prints, in two windows
//! cargo run --example conference -- 8001 FOLDER                 # with socket.io-client from npm's folder of it, `dist`
//! ```
//!
//! You should see the same rooms in both windows, and what is said in those that each has joined. Without a folder
//! browsers get socket.io-client from a public server.
//!
//! After the chat of Luke Sneeringer's talk "Make More Responsive Web Applications with SocketIO and GEvent": its
//! events `nick`, `join`, `statement`, `topic` and `leave`. Its rooms are channels of Redis.

mod room;
mod rooms;

use greenwire::http::{Router, Server, files::Files, html};
use greenwire::realtime::socketio::{Config, Error, Failure, Socket};
use room::shortened;
use rooms::Rooms;
use std::io;

const PAGE: &str = include_str!("index.html");
const PUBLIC_CLIENT: &str =
    "https://cdn.jsdelivr.net/npm/socket.io-client@4.8.4/dist/socket.io.min.js";

static ROOMS: Rooms = Rooms::new();

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or("8080".to_owned());
    let (mut config, mut client) = (Config::default(), PUBLIC_CLIENT);
    if let Some(folder) = arguments.next() {
        config = config.client_files(Files::new(folder)?);
        client = "socket.io/socket.io.min.js";
    }
    let page = PAGE.replace("{{client}}", client);
    let io = config.server();
    let chat = io.of("/chat");
    chat.on_connect(|socket| ROOMS.list(socket.namespace()));
    chat.on("nick", nick);
    chat.on("join", |socket, room: String| ROOMS.join(socket, &room));
    chat.on("statement", |socket, (room, text): (String, String)| {
        ROOMS.statement(socket, &room, &text)
    });
    chat.on("topic", |socket, (room, topic): (String, String)| {
        ROOMS.topic(socket, &room, &topic)
    });
    chat.on("leave", |socket, room: String| ROOMS.leave(socket, &room));
    chat.on_disconnecting(|socket, _| ROOMS.leave_all(socket));
    io.on_error(refuse);
    let app = Router::new()
        .get("/", move |_| html(page.clone()))
        .mount("/socket.io", io);
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}

/// The answer is the nick.
fn nick(socket: &Socket, nick: String) -> Result<String, Error> {
    let nick = shortened(&nick, 24)?;
    socket.data().set("nick", &nick)?;
    Ok(nick)
}

/// Tells a client why something has not been done.
fn refuse(socket: &Socket, failure: &Failure) {
    if let Failure::Error { error, .. } = failure {
        // An error is that it has gone.
        let _ = socket.emit("error", error.to_string());
    }
}
