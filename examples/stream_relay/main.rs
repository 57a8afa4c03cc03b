//! A relay of an upstream HTTP response that never ends: one green thread reads its lines, every browser gets them.
//!
//! ```sh
//! cargo run --example stream_relay                                # then open the address that it prints
//! cargo run --example stream_relay -- 8001 http://HOST/PATH       # another upstream: JSON, a line for each place
//! ```
//!
//! You should see the world, and news from it as they come. The upstream is this program itself, at `/feed`:
//! `curl -N` shows what it says.
//!
//! After "twitter-map" of Josh Marshall's talk "Sockets and Lies", and `twitter_stream` of gevent-socketio.

use greenwire::http::client::{self, Agent};
use greenwire::http::{self, Body, IntoResponse, Request, Response, Server, StatusCode};
use greenwire::sync::Mutex;
use greenwire::websocket::{self, Prepared, Sender, WebSocket, broadcast};
use greenwire::{thread, time::Duration};
use std::io::{self, BufRead, BufReader, Write};

const PAGE: &str = include_str!("index.html");
const FEED: &str = include_str!("feed.jsonl");

static SUBSCRIBERS: Mutex<Vec<Sender>> = Mutex::new(Vec::new());

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().unwrap_or("8081".to_owned());
    let server = Server::bind(format!("127.0.0.1:{port}"))?;
    let addr = server.local_addr()?;
    println!("open http://{addr}/");
    let upstream = arguments.next().unwrap_or(format!("http://{addr}/feed"));
    thread::spawn(move || monitor_source(&upstream));
    server.serve(|request: Request| match request.uri().path() {
        "/" => http::html(PAGE),
        "/feed" => feed(),
        "/websocket" => websocket::upgrade(request, monitor_subscriber),
        _ => StatusCode::NOT_FOUND.into_response(),
    })
}

/// Reads the upstream for ever.
fn monitor_source(upstream: &str) {
    let agent = client::agent();
    loop {
        if let Err(error) = relay(&agent, upstream) {
            eprintln!("stream_relay: {upstream}: {error}");
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn relay(agent: &Agent, upstream: &str) -> Result<(), client::Error> {
    let mut answer = agent.get(upstream).call()?;
    for line in BufReader::new(answer.body_mut().as_reader()).lines() {
        let line = Prepared::new(line?);
        let mut subscribers = SUBSCRIBERS.lock().unwrap();
        subscribers.retain(|subscriber| !subscriber.is_closed());
        broadcast(&*subscribers, &line);
    }
    Ok(())
}

fn monitor_subscriber(mut ws: WebSocket) -> Result<(), websocket::Error> {
    SUBSCRIBERS.lock().unwrap().push(ws.sender());
    while ws.receive()?.is_some() {}
    Ok(())
}

/// An upstream for those who have none: lines without end.
fn feed() -> Response {
    Response::new(Body::writer(|out| {
        for line in FEED.lines().cycle() {
            writeln!(out, "{line}")?;
            thread::sleep(Duration::from_millis(900));
        }
        Ok(())
    }))
}
