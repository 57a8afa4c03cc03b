//! Tic-tac-toe: who wants to play is paired with the next one, and both see every move.
//!
//! ```sh
//! cargo run --example tictactoe                     # then open the address that it prints, in two windows
//! cargo run --example tictactoe -- 8001 FOLDER      # with socket.io-client from npm's folder of it, `dist`
//! ```
//!
//! You should see two windows play against each other. The server has the only board that counts. Without a folder
//! browsers get socket.io-client from a public server.
//!
//! After Sontek's `django-tictactoe`, on gevent-socketio: its `game_started`, `opponent_moved` and `game_over` are
//! events here, and Redis's channels are rooms.

mod game;
mod lobby;

use greenwire::http::{Router, Server, files::Files, html};
use greenwire::realtime::socketio::{Config, Failure, Socket};
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
    let players = io.of("/");
    players.on_connect(tell_how_many);
    players.on("play", lobby::play);
    players.on("move", lobby::make_move);
    players.on_disconnect(|player, _| {
        lobby::leave(player);
        tell_how_many(player);
    });
    io.on_error(refuse);
    let app = Router::new()
        .get("/", move |_| html(page.clone()))
        .mount("/socket.io", io);
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}

fn tell_how_many(player: &Socket) {
    let players = player.namespace();
    // An error is that none is left.
    let _ = players.emit("people", players.len());
}

/// Tells a player why something has not been done.
fn refuse(player: &Socket, failure: &Failure) {
    if let Failure::Error { error, .. } = failure {
        // An error is that they have gone.
        let _ = player.emit("refused", error.to_string());
    }
}
