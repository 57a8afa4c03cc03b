//! A websocket echo in Bottle's style: one function that looks at the path, and a page beside it.
//!
//! ```sh
//! cargo run --example bottle_echo             # then open the address that it prints
//! cargo run --example bottle_echo -- 8001     # on this port
//! ```
//!
//! You should see what you say come back, and how long it took.
//!
//! After the first program of Michael Irani's talk "Real Time Web sans Node", for Bottle, gevent and gevent-websocket.
//! Its view aborts with 400 where there is no `wsgi.websocket`; `upgrade` does so by itself.

use greenwire::http::{self, IntoResponse, Request, Server, StatusCode};
use greenwire::websocket::{self, WebSocket};

const INDEX: &str = include_str!("index.html");

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve(|request: Request| match request.uri().path() {
        "/" => http::html(INDEX),
        "/websocket" => websocket::upgrade(request, handle_websocket),
        _ => StatusCode::NOT_FOUND.into_response(),
    })
}

/// Serves one page, on a green thread of its own.
fn handle_websocket(mut ws: WebSocket) -> Result<(), websocket::Error> {
    while let Some(message) = ws.receive()? {
        let text = message.as_text().unwrap_or("not text");
        ws.send(format!("Your message was: {text}"))?;
    }
    Ok(())
}
