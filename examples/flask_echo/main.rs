//! A websocket echo in Flask's style: a table of routes, each with its view.
//!
//! ```sh
//! cargo run --example flask_echo             # then open the address that it prints
//! cargo run --example flask_echo -- 8001     # on this port
//! ```
//!
//! You should see the page of `bottle_echo`: what you say comes back. Ask for `/websocket` without a websocket, and
//! see which error that is.
//!
//! After the second program of Michael Irani's talk "Real Time Web sans Node", for Flask, gevent and gevent-websocket.

use greenwire::http::{self, Request, Response, Router, Server};
use greenwire::websocket;

const INDEX: &str = include_str!("../bottle_echo/index.html");

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let app = Router::new()
        .get("/", index)
        .get("/websocket", handle_websocket);
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}

fn index(_: Request) -> Response {
    http::html(INDEX)
}

fn handle_websocket(request: Request) -> Response {
    websocket::upgrade(request, |mut ws| {
        while let Some(message) = ws.receive()? {
            let text = message.as_text().unwrap_or("not text");
            ws.send(format!("Your message was: {text}"))?;
        }
        Ok(())
    })
}
