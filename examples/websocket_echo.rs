//! A websocket echo server and a client that talks to it, both as plain loops.
//!
//! ```sh
//! cargo run --example websocket_echo
//! ```
//!
//! You should see three lines come back in capitals, then the program ends.

use greenwire::http::{Request, Server};
use greenwire::{thread, websocket};

fn main() -> Result<(), websocket::Error> {
    let server = Server::bind("127.0.0.1:0")?;
    let url = format!("ws://{}/", server.local_addr()?);
    thread::spawn(move || {
        server.serve(|request: Request| {
            websocket::upgrade(request, |mut ws| {
                while let Some(message) = ws.receive()? {
                    match message.as_text() {
                        Some(text) => ws.send(text.to_uppercase())?,
                        None => ws.send(message)?,
                    }
                }
                Ok(())
            })
        })
    });

    let mut ws = websocket::connect(&url)?;
    for line in ["one green thread", "per connection", "and no callbacks"] {
        ws.send(line)?;
        if let Some(answer) = ws.receive()? {
            println!("{line:20} -> {}", answer.as_text().unwrap_or("(binary)"));
        }
    }
    ws.close(websocket::code::NORMAL, "")
}
