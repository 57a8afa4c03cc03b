//! Two Socket.IO servers as one: this one and one in Node, on one Redis.
//!
//! ```sh
//! cargo run --example cross_cluster --features redis                                    # needs a redis-server
//! cargo run --example cross_cluster --features redis -- 8080 redis://127.0.0.1/ FOLDER  # FOLDER: socket.io-client's `dist`
//! cd examples/cross_cluster && npm install --no-save socket.io @socket.io/redis-adapter redis
//! node server.cjs 8081 redis://127.0.0.1/                                               # the other one
//! ```
//!
//! You should see the pages of both servers show the same people and what they say, to all or to their side. A side is
//! a room with members at both servers; the roll call asks every browser, and "servers" every other server.

mod people;

use greenwire::http::{Router, Server, files::Files, html};
use greenwire::realtime::pubsub::Redis;
use greenwire::realtime::socketio::{Config, RedisAdapter};
use std::error::Error;

/// Both servers have this page.
const PAGE: &str = include_str!("index.html");
const PUBLIC_CLIENT: &str =
    "https://cdn.jsdelivr.net/npm/socket.io-client@4.8.4/dist/socket.io.min.js";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or("8080".to_owned());
    let redis = arguments.next().unwrap_or("redis://127.0.0.1/".to_owned());
    let redis = Redis::connect(redis)?;
    let mut config = Config::default().adapter(RedisAdapter::new(redis));
    let mut client = PUBLIC_CLIENT;
    if let Some(folder) = arguments.next() {
        config = config.client_files(Files::new(folder)?);
        client = "socket.io/socket.io.min.js";
    }
    let page = PAGE.replace("{{client}}", client);
    let page = page.replace("{{server}}", people::SERVER);
    let io = config.server();
    people::serve(&io.of("/"));
    let app = Router::new()
        .get("/", move |_| html(page.clone()))
        .mount("/socket.io", io);
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)?;
    Ok(())
}
