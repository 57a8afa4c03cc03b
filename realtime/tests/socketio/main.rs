//! Engine.IO and Socket.IO on raw requests and frames: what the protocols' own suites ask of a server, and more.
//!
//! `clients.rs` lets unmodified clients ask.

mod classes;
mod client;
mod clients;
mod figures;
mod handshake;
mod heartbeat;
mod packets;
mod polling;
mod recovery;
mod server;
mod upgrade;
mod websocket;

use greenwire_http::{Handler, Router, Server};
use greenwire_realtime::{engineio, socketio};
use std::net::SocketAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a server that lives as long as the test program.
fn start(handler: impl Handler) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    std::thread::spawn(move || server.serve_handler(handler));
    addr
}

/// As the suites have it, but with so much patience that a machine that stands still for a while changes nothing.
fn steady() -> engineio::Config {
    engineio::Config::default()
        .ping_interval(Duration::from_secs(300))
        .ping_timeout(Duration::from_secs(200))
}

/// As the suites have it.
fn quick() -> engineio::Config {
    engineio::Config::default()
        .ping_interval(Duration::from_millis(300))
        .ping_timeout(Duration::from_millis(200))
}

/// Engine.IO that sends everything back, at `/engine.io/`.
fn echo(config: engineio::Config) -> SocketAddr {
    let service = config.service(|mut session| {
        while let Some(message) = session.receive() {
            session.send(message)?;
        }
        Ok(())
    });
    start(Router::new().mount("/engine.io", service))
}

/// Socket.IO as the suite wants it, at `/socket.io/`.
fn suite(config: socketio::Config) -> SocketAddr {
    let io = config.server();
    io.on_connect(|socket| {
        let _ = socket.emit("auth", socket.handshake().auth());
        socket.on("message", |socket, args: socketio::Args| {
            socket.emit("message-back", args)
        });
        socket.on("message-with-ack", |_, args: socketio::Args| args);
    });
    io.of("/custom").on_connect(|socket| {
        let _ = socket.emit("auth", socket.handshake().auth());
    });
    start(Router::new().mount("/socket.io", io))
}
