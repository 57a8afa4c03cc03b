//! Server-sent events, byte by byte.

mod common;

use common::{Client, exchange, start};
use greenwire_http::sse::{self, Event, Gone, Sender};
use greenwire_http::{Config, Request, Response};
use greenwire_runtime::sync::mpsc;
use std::net::{Shutdown, SocketAddr};
use std::sync::Mutex;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\
    x-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(20);

fn serve(answer: impl Fn(Request) -> Response + Send + Sync + 'static) -> SocketAddr {
    start(Config::default(), answer)
}

/// The data of all chunks.
fn unchunked(answer: &str) -> String {
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let chunks = body.split("\r\n").skip(1).step_by(2);
    chunks.collect()
}

#[test]
fn events_come_as_fields() {
    let addr = serve(|_| {
        sse::stream(|events| {
            events.send("plain")?;
            events.send(Event::new("a\r\nb\nc\rd").name("lines").id("x\ny"))?;
            events.send(Event::new("").retry(Duration::from_millis(1500)))
        })
    });
    let answer = exchange(addr, GET);
    assert!(answer.starts_with(HEAD), "{answer}");
    assert_eq!(
        unchunked(&answer),
        "data: plain\n\n\
         data: a\ndata: b\ndata: c\ndata: d\nevent: lines\nid: xy\n\n\
         data: \nretry: 1500\n\n"
    );
}

#[test]
fn an_event_is_sent_when_it_is_there() {
    let (sender, receiver) = mpsc::channel::<String>();
    let receiver = Mutex::new(Some(receiver));
    let addr = serve(move |_| {
        let feed = receiver.lock().unwrap().take().unwrap();
        sse::stream(move |events| feed.iter().try_for_each(|item| events.send(item)))
    });
    let mut client = Client::new(addr);
    client.send(GET);
    assert_eq!(client.read_until("\r\n\r\n"), HEAD);
    for item in ["one", "two"] {
        sender.send(item.to_owned()).unwrap();
        assert_eq!(
            client.read_until("\n\n\r\n"),
            format!("b\r\ndata: {item}\n\n\r\n")
        );
    }
    drop(sender);
    assert_eq!(client.read_until("\r\n\r\n"), "0\r\n\r\n");
}

#[test]
fn a_client_that_comes_back_says_what_it_had() {
    let addr = serve(|request| {
        let last = sse::last_event_id(&request).unwrap_or("nothing").to_owned();
        sse::Config::default()
            .retry(Duration::from_secs(2))
            .stream(move |events| events.send(last))
    });
    let answer = exchange(addr, GET);
    assert_eq!(unchunked(&answer), "retry: 2000\n\ndata: nothing\n\n");
    let again = "GET / HTTP/1.1\r\nHost: h\r\nLast-Event-ID: 41\r\n\r\n";
    let answer = exchange(addr, again);
    assert_eq!(unchunked(&answer), "retry: 2000\n\ndata: 41\n\n");
}

#[test]
fn silence_is_broken_by_comments() {
    let addr = serve(|_| {
        let config = sse::Config::default().heartbeat(Duration::from_millis(5));
        config.stream(|_events| {
            greenwire_runtime::thread::park();
            Ok(())
        })
    });
    let mut client = Client::new(addr);
    client.send(GET);
    client.read_until("\r\n\r\n");
    for _ in 0..3 {
        assert_eq!(client.read_until("\n\n\r\n"), "3\r\n:\n\n\r\n");
    }
}

/// Tells when it is dropped, with the stack that it stands on.
struct Told(std_mpsc::Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// A stream whose function runs `wait`, and whose end is told.
fn told_end(wait: fn(&Sender) -> Result<(), Gone>) -> (SocketAddr, std_mpsc::Receiver<()>) {
    let (sender, ended) = std_mpsc::channel();
    let sender = Mutex::new(sender);
    let config = Config::default().write_timeout(Duration::from_millis(200));
    let addr = start(config, move |_: Request| {
        let told = Told(sender.lock().unwrap().clone());
        let heartbeat = sse::Config::default().heartbeat(Duration::from_millis(5));
        heartbeat.stream(move |events| {
            let _told = told;
            wait(&events)
        })
    });
    (addr, ended)
}

#[test]
fn a_lost_reader_ends_a_function_that_waits_for_something_else() {
    let (addr, ended) = told_end(|_| {
        greenwire_runtime::thread::park();
        Ok(())
    });
    let mut client = Client::new(addr);
    client.send(GET);
    client.read_until(":\n\n");
    drop(client);
    ended.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_slow_reader_ends_a_function_that_sends() {
    let (addr, ended) = told_end(|events| {
        loop {
            events.send("x".repeat(100_000))?;
        }
    });
    let mut client = Client::new(addr);
    client.send(GET);
    client.read_until("\r\n\r\n");
    ended.recv_timeout(PATIENCE).unwrap();
    client.0.shutdown(Shutdown::Both).unwrap();
}

#[test]
fn a_panic_does_not_look_like_an_end() {
    let addr = serve(|_| {
        sse::stream(|events| {
            events.send("before")?;
            panic!("on purpose");
        })
    });
    let answer = exchange(addr, GET);
    assert!(answer.ends_with("\r\ndata: before\n\n\r\n"), "{answer}");
}
