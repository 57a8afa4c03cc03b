//! A slide deck that everybody turns: what one browser does, all others do.
//!
//! ```sh
//! cargo run --example slides             # then open the address that it prints, in two windows
//! cargo run --example slides -- 8001     # on this port
//! ```
//!
//! You should see both windows turn the page when one of them does.
//!
//! After "slidetroller" of Josh Marshall's talk "Sockets and Lies", which runs on Tornado's callbacks. Who comes late
//! begins at the first slide there; here it is told where the others are.

use greenwire::http::{self, IntoResponse, Request, Server, StatusCode};
use greenwire::sync::Mutex;
use greenwire::websocket::{self, Config, Prepared, Sender, WebSocket, broadcast};

const PAGE: &str = include_str!("index.html");
/// In bytes.
const LONGEST_TURN: usize = 5;

static DECK: Mutex<Deck> = Mutex::new(Deck {
    viewers: Vec::new(),
    arrivals: 0,
    slide: 0,
});

struct Deck {
    /// By the number of their arrival.
    viewers: Vec<(u64, Sender)>,
    arrivals: u64,
    /// The one that is shown, from 0.
    slide: u16,
}

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("8082".to_owned());
    let config = Config::default().max_message_size(LONGEST_TURN);
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve(move |request: Request| match request.uri().path() {
        "/" => http::html(PAGE),
        "/websocket" => config.upgrade(request, watch),
        _ => StatusCode::NOT_FOUND.into_response(),
    })
}

fn watch(mut ws: WebSocket) -> Result<(), websocket::Error> {
    let (viewer, slide) = DECK.lock().unwrap().enter(ws.sender());
    ws.send(slide.to_string())?;
    while let Some(message) = ws.receive()? {
        if let Some(slide) = message.as_text().and_then(|text| text.parse().ok()) {
            DECK.lock().unwrap().turn(slide, viewer);
        }
    }
    Ok(())
}

impl Deck {
    fn enter(&mut self, sender: Sender) -> (u64, u16) {
        self.viewers.retain(|(_, sender)| !sender.is_closed());
        self.arrivals += 1;
        self.viewers.push((self.arrivals, sender));
        (self.arrivals, self.slide)
    }

    /// Tells all but the one who has turned the page.
    fn turn(&mut self, slide: u16, turner: u64) {
        self.slide = slide;
        let others = self.viewers.iter().filter(|(viewer, _)| *viewer != turner);
        let message = Prepared::new(slide.to_string());
        broadcast(others.map(|(_, sender)| sender), &message);
    }
}
