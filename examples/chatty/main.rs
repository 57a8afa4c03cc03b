//! A chat in half duplex: each connection waits for a message, sends it to everybody, and waits again.
//!
//! ```sh
//! cargo run --example chatty             # then open the address that it prints, in two windows
//! cargo run --example chatty -- 8001     # on this port
//! ```
//!
//! You should see what either window says in both.
//!
//! After "chatty" of Josh Marshall's talk "Sockets and Lies": the blocking style with one direction at a time.
//! `full_duplex` is what the talk goes on to.

use greenwire::http::{self, IntoResponse, Request, Server, StatusCode};
use greenwire::sync::Mutex;
use greenwire::websocket::{self, Config, Prepared, Sender, WebSocket, broadcast};

const PAGE: &str = include_str!("index.html");
/// In bytes.
const LONGEST_MESSAGE: usize = 4096;

/// Everybody who is here.
static MEMBERS: Mutex<Vec<Sender>> = Mutex::new(Vec::new());

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let config = Config::default().max_message_size(LONGEST_MESSAGE);
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve(move |request: Request| match request.uri().path() {
        "/" => http::html(PAGE),
        "/websocket" => config.upgrade(request, chat),
        _ => StatusCode::NOT_FOUND.into_response(),
    })
}

fn chat(mut ws: WebSocket) -> Result<(), websocket::Error> {
    MEMBERS.lock().unwrap().push(ws.sender());
    while let Some(message) = ws.receive()? {
        let mut members = MEMBERS.lock().unwrap();
        members.retain(|member| !member.is_closed());
        // To the one who said it, too; nobody is waited for.
        broadcast(&*members, &Prepared::new(message));
    }
    Ok(())
}
