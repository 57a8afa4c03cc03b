//! Echoes every message: the server the Autobahn test suite is run against.
//!
//! ```text
//! cargo run --release -p greenwire-websocket --example autobahn_echo [127.0.0.1:9101]
//! wstest -m fuzzingclient    # with a server of url ws://127.0.0.1:9101
//! ```
//!
//! You should see 514 cases pass; 7.1.6, 7.13.1 and 7.13.2 are informational for everybody.

use greenwire_http::{Request, Server};
use greenwire_websocket::{Compression, Config};
use std::io;

fn main() -> io::Result<()> {
    let addr = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9101".to_owned());
    // Case 9 sends 16 MiB, the default limit; leave it behind.
    let config = Config::default()
        .max_message_size(64 << 20)
        .max_frame_size(64 << 20)
        .compression(Compression::dedicated().threshold(1));
    Server::bind(&addr)?.serve(move |request: Request| {
        config.upgrade(request, |mut ws| {
            while let Some(message) = ws.receive()? {
                ws.send(message)?;
            }
            Ok(())
        })
    })
}
