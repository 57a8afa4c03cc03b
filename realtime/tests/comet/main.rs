//! A comet server over sockets: what polls, events and websockets get, byte by byte.

mod calls;
mod client;
mod polls;
mod streams;

use greenwire_http::Server;
use greenwire_realtime::comet::{Comet, Config};
use greenwire_runtime::thread;
use std::net::SocketAddr;
use std::time::Duration;

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(30);

const SUBSCRIBED: &str = r#""{\"type\": \"subscribe\"}""#;
const COLLECTED: &str = r#""{\"type\": \"unsubscribe\", \"gc\": true}""#;

/// A server with these settings, and its address.
fn serve(config: Config) -> (Comet, SocketAddr) {
    let comet = config.start();
    let server = Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    let handler = comet.clone();
    thread::spawn(move || server.serve_handler(handler));
    (comet, addr)
}

/// A client that is subscribed to the channel `room`: its `ID_!!_KEY`.
fn join(comet: &Comet, id: &str) -> String {
    loop {
        let key = comet.create_client(id).unwrap();
        // With some settings it may have been collected already.
        if comet.subscribe(id, "room").is_ok() {
            return format!("{id}_!!_{key}");
        }
    }
}

/// Waits for what another thread does.
fn wait_until(condition: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "it does not happen");
        thread::sleep(Duration::from_millis(2));
    }
}
