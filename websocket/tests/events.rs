//! The event style: objects that are told what happens.

mod common;

use common::{DEADLINE, Raw, expect, frame};
use greenwire_http::Server;
use greenwire_runtime::thread;
use greenwire_websocket::{
    Application, CloseReason, Config, Error, Message, Resource, Sender, code,
};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

/// Notes what it is told, and whether it is told one thing while it is busy with another.
struct Diary {
    sender: Sender,
    notes: Vec<String>,
    publish: mpsc::Sender<Vec<String>>,
}

impl Application for Diary {
    fn on_open(&mut self) -> Result<(), Error> {
        self.notes.push("open".to_owned());
        self.sender.send("welcome")
    }

    fn on_message(&mut self, message: Message) -> Result<(), Error> {
        let text = message.into_text().unwrap_or_default();
        self.notes.push(format!("{text} begins"));
        // Others run now; the next message has come already.
        thread::sleep(Duration::from_millis(1));
        self.notes.push(format!("{text} ends"));
        match text.as_str() {
            "fail" => Err(Error::Closed),
            "close" => self.sender.close(4000, "as asked"),
            "panic" => panic!("as asked"),
            _ => self.sender.send(text),
        }
    }

    fn on_close(&mut self, reason: Option<&CloseReason>) {
        let code = reason.map(CloseReason::code);
        self.notes.push(format!("closed {code:?}"));
    }
}

impl Drop for Diary {
    fn drop(&mut self) {
        let _ = self.publish.send(std::mem::take(&mut self.notes));
    }
}

fn serve_diaries() -> (SocketAddr, mpsc::Receiver<Vec<String>>) {
    let (publish, published) = mpsc::channel();
    let resource = Resource::new()
        .config(Config::default().subprotocols(["diary"]))
        .route("/", move |sender| Diary {
            sender,
            notes: Vec::new(),
            publish: publish.clone(),
        })
        .otherwise(|request: greenwire_http::Request| request.uri().path().to_owned());
    let server = Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    thread::spawn(move || server.serve_handler(resource));
    (addr, published)
}

#[test]
fn one_after_the_other_from_open_to_close() {
    let (addr, published) = serve_diaries();
    let mut raw = Raw::connect(addr);
    let all = [
        frame(0x81, b"a"),
        frame(0x81, b"b"),
        frame(0x88, b"\x0f\xa1"),
    ];
    raw.write(&all.concat());
    assert_eq!(raw.read_frame(), (1, b"welcome".to_vec()));
    assert_eq!(raw.read_frame(), (1, b"a".to_vec()));
    assert_eq!(raw.read_frame(), (1, b"b".to_vec()));
    assert_eq!(raw.read_close(), 4001);
    let notes = published.recv_timeout(DEADLINE).unwrap();
    let expected = [
        "open",
        "a begins",
        "a ends",
        "b begins",
        "b ends",
        "closed Some(4001)",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn however_it_ends() {
    for (message, code, last) in [
        ("fail", code::INTERNAL_ERROR, "closed None"),
        ("close", 4000, "closed Some(4000)"),
        ("panic", code::INTERNAL_ERROR, "panic ends"),
    ] {
        let (addr, published) = serve_diaries();
        let mut ws = common::connect(addr);
        assert_eq!(expect(&mut ws).as_text(), Some("welcome"));
        ws.send(message).unwrap();
        assert_eq!(ws.receive().unwrap(), None);
        assert_eq!(ws.close_reason().map(CloseReason::code), Some(code));
        let notes = published.recv_timeout(DEADLINE).unwrap();
        assert_eq!(notes.last().unwrap(), last);
    }
}

#[test]
fn a_peer_that_vanishes_is_told_of_too() {
    let (addr, published) = serve_diaries();
    drop(Raw::connect(addr));
    let notes = published.recv_timeout(DEADLINE).unwrap();
    assert_eq!(notes, ["open", "closed None"]);
}

#[test]
fn other_paths_and_settings() {
    let (addr, _published) = serve_diaries();
    let url = format!("ws://{addr}");
    let ws = Config::default()
        .subprotocols(["diary"])
        .connect(&url)
        .unwrap();
    assert_eq!(ws.protocol(), Some("diary"));
    assert!(greenwire_websocket::connect(&format!("{url}/elsewhere")).is_err());
}
