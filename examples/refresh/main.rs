//! "Gee, I hope someone refreshes...": the same list before and after websockets.
//!
//! ```sh
//! cargo run --example refresh             # then open the address that it prints, in two windows
//! cargo run --example refresh -- 8001     # on this port
//! ```
//!
//! You should see a change at once in the list that is told, and up to three seconds later in the one that asks.
//!
//! After the first slides of Josh Marshall's talk "Sockets and Lies": `post` is theirs, line by line.

use greenwire::http::{Error, Json, Request, RequestExt, Router, Server, StatusCode, html};
use greenwire::sync::Mutex;
use greenwire::websocket::{self, Prepared, Sender, WebSocket, broadcast};
use serde::{Deserialize, Serialize};
use serde_json::json;

const PAGE: &str = include_str!("index.html");
const NAMES: [&str; 5] = ["Ann", "Ben", "Cleo", "Dora", "Emil"];
const LONGEST_DOING: usize = 100;

static USERS: Mutex<Vec<User>> = Mutex::new(Vec::new());
static SOCKETS: Mutex<Vec<Sender>> = Mutex::new(Vec::new());

#[derive(Clone, Deserialize, Serialize)]
struct User {
    id: usize,
    name: String,
    doing: String,
}

fn post(mut request: Request) -> Result<StatusCode, Error> {
    let new: User = request.json()?;
    let mut users = USERS.lock().unwrap();
    let user = users.get_mut(new.id);
    let Some(user) = user.filter(|_| new.doing.len() <= LONGEST_DOING) else {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY);
    };
    user.doing = new.doing;
    // Before: gee, I hope someone refreshes...
    // After:
    let message = json!({"type": "updated_user", "user": user}).to_string();
    broadcast(&*SOCKETS.lock().unwrap(), &Prepared::new(message));
    Ok(StatusCode::NO_CONTENT)
}

fn subscribe(mut ws: WebSocket) -> Result<(), websocket::Error> {
    let mut sockets = SOCKETS.lock().unwrap();
    sockets.retain(|socket| !socket.is_closed());
    sockets.push(ws.sender());
    drop(sockets);
    // Only now does the page ask for the list, so it misses nothing.
    ws.send(r#"{"type": "connected"}"#)?;
    while ws.receive()?.is_some() {}
    Ok(())
}

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("8080".to_owned());
    USERS
        .lock()
        .unwrap()
        .extend((0..).zip(NAMES).map(|(id, name)| User {
            id,
            name: name.to_owned(),
            doing: "at work".to_owned(),
        }));
    let app = Router::new()
        .get("/", |_| html(PAGE))
        .get("/users", |_| Json(USERS.lock().unwrap().clone()))
        .post("/users", post)
        .get("/websocket", |request| {
            websocket::upgrade(request, subscribe)
        });
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    println!("open http://{}/", server.local_addr()?);
    server.serve_handler(app)
}
