//! A chat with nicknames and rooms on Socket.IO, each client an object with methods, as in gevent-socketio.
//!
//! ```sh
//! cargo run --example socketio_chat                     # then open the address that it prints, in two windows
//! cargo run --example socketio_chat -- 8001 FOLDER      # with socket.io-client from npm's folder of it, `dist`
//! ```
//!
//! You should see two windows talk in one room, and not in another; a nickname belongs to one of them. What a method
//! gives back is the answer that the page waits for. `/debug/green` counts clients, rooms and events. Without a
//! folder browsers get socket.io-client from a public server.
//!
//! After the `chat` of gevent-socketio's examples: its `ChatNamespace(BaseNamespace, RoomsMixin, BroadcastMixin)`.

mod namespace;

use greenwire::http::{Router, Server, debug, files::Files, html};
use greenwire::realtime::socketio::Config;
use namespace::{Chat, Nicknames};
use std::io;

const PAGE: &str = include_str!("index.html");
const PUBLIC_CLIENT: &str =
    "https://cdn.jsdelivr.net/npm/socket.io-client@4.8.4/dist/socket.io.min.js";

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
    let nicknames = Nicknames::default();
    io.of("/chat")
        .serve(move |base| Chat::new(base, nicknames.clone()));
    let told = io.clone();
    let debug = debug::Config::default().figures("socketio", move || told.figures());
    let app = Router::new()
        .get("/", move |_| html(page.clone()))
        .mount("/socket.io", io)
        .mount("/debug/green", debug.green());
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}
