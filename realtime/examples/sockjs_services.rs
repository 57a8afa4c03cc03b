//! The services that SockJS's own test suites talk to: sockjs-protocol's, and sockjs-client's.
//!
//! ```sh
//! cargo run -p greenwire-realtime --example sockjs_services [127.0.0.1:8081]
//! SOCKJS_URL=http://127.0.0.1:8081 python2.7 sockjs-protocol.py    # in a checkout of sockjs-protocol
//! ```
//!
//! You should see 67 of 68 tests pass; `test_haproxy` is about a draft of websockets before RFC 6455.

use greenwire_http::{Router, Server};
use greenwire_realtime::sockjs::{self, Config, Error, Prepared, Sender, Session, Transport};
use greenwire_runtime::thread;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1);
    let server = Server::bind(address.as_deref().unwrap_or("127.0.0.1:8081"))?;
    println!("serving on http://{}", server.local_addr()?);
    server.serve_handler(services())
}

fn services() -> Router {
    // Small, so that a test sees its end.
    let config = || Config::default().response_limit(4096);
    let subscribers = Arc::new(Mutex::new(Vec::new()));
    Router::new()
        .mount("/echo", config().service(echo))
        .mount(
            "/disabled_websocket_echo",
            config().disable(Transport::Websocket).service(echo),
        )
        .mount("/cookie_needed_echo", config().cookie(true).service(echo))
        .mount(
            "/close",
            sockjs::service(|session| session.close(3000, "Go away!")),
        )
        .mount("/ticker", sockjs::service(tick))
        .mount("/amplify", sockjs::service(amplify))
        .mount(
            "/broadcast",
            sockjs::service(move |session| broadcast(session, &subscribers)),
        )
}

fn echo(mut session: Session) -> Result<(), Error> {
    while let Some(message) = session.receive()? {
        session.send(message)?;
    }
    Ok(())
}

fn tick(session: Session) -> Result<(), Error> {
    loop {
        session.send("tick!")?;
        thread::sleep(Duration::from_secs(1));
    }
}

/// Answers a number with so many doublings of a letter.
fn amplify(mut session: Session) -> Result<(), Error> {
    while let Some(message) = session.receive()? {
        let doublings = message.trim().parse().unwrap_or(1_u32).min(19);
        session.send("x".repeat(1 << doublings))?;
    }
    Ok(())
}

fn broadcast(mut session: Session, subscribers: &Mutex<Vec<Sender>>) -> Result<(), Error> {
    let list = || subscribers.lock().expect("nobody panics while holding it");
    list().push(session.sender());
    while let Some(message) = session.receive()? {
        let mut subscribers = list();
        subscribers.retain(|subscriber| !subscriber.is_closed());
        sockjs::broadcast(&*subscribers, &Prepared::new(message));
    }
    Ok(())
}
