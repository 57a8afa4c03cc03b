//! A chat on Socket.IO, as simple as can be: nicknames, announcements, and what people say.
//!
//! ```sh
//! cargo run --example simple_chat                     # then open the address that it prints, in two windows
//! cargo run --example simple_chat -- 8001 FOLDER      # with socket.io-client from npm's folder of it, `dist`
//! ```
//!
//! You should see who is here, and what they say. Without a folder browsers get socket.io-client from a public server.
//!
//! After `simple_chat` of gevent-socketio: a method of its namespace for each event is a function here.

use greenwire::http::{Router, Server, files::Files, html};
use greenwire::realtime::socketio::{Config, Error, Reason, Socket};
use greenwire::sync::Mutex;
use std::collections::BTreeSet;
use std::io;

const PAGE: &str = include_str!("index.html");
const PUBLIC_CLIENT: &str =
    "https://cdn.jsdelivr.net/npm/socket.io-client@4.8.4/dist/socket.io.min.js";
const ROOM: &str = "main_room";
const LONGEST_NICKNAME: usize = 100;

static NICKNAMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

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
    let chat = io.of("/");
    chat.on("nickname", on_nickname);
    chat.on("user message", on_user_message);
    chat.on_disconnect(on_disconnect);
    let app = Router::new()
        .get("/", move |_| html(page.clone()))
        .mount("/socket.io", io);
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}

/// The answer is whether the nickname was free.
fn on_nickname(socket: &Socket, nickname: String) -> Result<bool, Error> {
    let mut nicknames = NICKNAMES.lock().unwrap();
    let is_new = socket.data().get::<String>("nickname")?.is_none();
    let fits = (1..=LONGEST_NICKNAME).contains(&nickname.len());
    if !is_new || !fits || !nicknames.insert(nickname.clone()) {
        return Ok(false);
    }
    socket.data().set("nickname", &nickname)?;
    socket.join(ROOM);
    let everybody = socket.namespace();
    everybody.emit("announcement", format!("{nickname} has connected"))?;
    everybody.emit("nicknames", (&*nicknames,))?;
    Ok(true)
}

fn on_user_message(socket: &Socket, text: String) -> Result<(), Error> {
    match socket.data().get::<String>("nickname")? {
        Some(nickname) => socket.to(ROOM).emit("msg_to_room", (nickname, text)),
        None => Err(Error::refused("nobody without a nickname")),
    }
}

fn on_disconnect(socket: &Socket, _: Reason) {
    if let Ok(Some(nickname)) = socket.data().get::<String>("nickname") {
        let mut nicknames = NICKNAMES.lock().unwrap();
        nicknames.remove(&nickname);
        let everybody = socket.namespace();
        // An error is that nobody is left.
        let _ = everybody.emit("announcement", format!("{nickname} has disconnected"));
        let _ = everybody.emit("nicknames", (&*nicknames,));
    }
}
