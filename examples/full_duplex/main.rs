//! Full duplex, as on the slide: one green thread relays from a source to all, and each connection's own acts on what
//! comes from there.
//!
//! ```sh
//! cargo run --release --example full_duplex             # then open the address that it prints, in two windows
//! cargo run --release --example full_duplex -- 8001     # on this port
//! ```
//!
//! You should see a ball fly about, in both windows alike; click to kick it.
//!
//! After `monitor_source` and `monitor_subscriber` of Josh Marshall's talk "Sockets and Lies", whose source "can be
//! twitter, redis, whatever". Here it is the ball (`ball.rs`).

mod ball;

use ball::Ball;
use greenwire::http::{self, IntoResponse, Request, Server, StatusCode};
use greenwire::sync::Mutex;
use greenwire::thread;
use greenwire::websocket::{self, Config, Prepared, Sender, WebSocket, broadcast};

const PAGE: &str = include_str!("index.html");
/// In bytes.
const LONGEST_KICK: usize = 256;

static SUBSCRIBERS: Mutex<Vec<Sender>> = Mutex::new(Vec::new());

fn monitor_source(source: &Ball) {
    loop {
        let people = SUBSCRIBERS.lock().unwrap().len();
        let message = Prepared::new(source.receive(people));
        let mut subscribers = SUBSCRIBERS.lock().unwrap();
        // Nobody is waited for. Who is too slow misses a move, and who has gone is forgotten.
        broadcast(&*subscribers, &message);
        subscribers.retain(|subscriber| !subscriber.is_closed());
    }
}

fn monitor_subscriber(websocket: WebSocket, source: &Ball) -> Result<(), websocket::Error> {
    let (sender, mut receiver) = websocket.split();
    SUBSCRIBERS.lock().unwrap().push(sender);
    while let Some(message) = receiver.receive()? {
        // perform user action
        source.kick(&message);
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    static BALL: Ball = Ball::new();
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    let config = Config::default().max_message_size(LONGEST_KICK);
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    thread::spawn(|| monitor_source(&BALL));
    server.serve(move |request: Request| match request.uri().path() {
        "/" => http::html(PAGE),
        "/websocket" => config.upgrade(request, |websocket| monitor_subscriber(websocket, &BALL)),
        _ => StatusCode::NOT_FOUND.into_response(),
    })
}
