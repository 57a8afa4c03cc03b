//! Clients that lose their connections and come back.

use super::client::Ws;
use super::{start, steady};
use greenwire_http::Router;
use greenwire_realtime::socketio::{Config, Recovery, Server};
use greenwire_runtime::thread;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const PATH: &str = "/socket.io/";

fn server(recovery: Recovery) -> (Server, SocketAddr) {
    let io = Config::default()
        .engine(steady())
        .recovery(recovery)
        .server();
    let addr = start(Router::new().mount("/socket.io", io.clone()));
    (io, addr)
}

/// A client that remembers.
struct Returning {
    addr: SocketAddr,
    ws: Ws,
    id: String,
    pid: String,
    offset: String,
    /// The numbers of the events that it got.
    got: Vec<u64>,
}

impl Returning {
    fn new(addr: SocketAddr) -> Returning {
        let mut ws = Ws::open(addr, PATH);
        let reply = ws.send("40").receive();
        let (id, pid) = ids(&reply);
        Returning {
            addr,
            ws,
            id,
            pid,
            offset: String::new(),
            got: Vec::new(),
        }
    }

    /// Takes events until one has this number.
    #[track_caller]
    fn expect(&mut self, number: u64) {
        while self.got.last() != Some(&number) {
            let text = self.ws.receive();
            self.take(&text);
        }
    }

    #[track_caller]
    fn take(&mut self, text: &str) {
        let event: (String, u64, String) = serde_json::from_str(&text[2..]).expect(text);
        self.got.push(event.1);
        self.offset = event.2;
    }

    /// Comes back on another connection; whether it is who it was.
    fn come_back(&mut self) -> bool {
        self.ws = Ws::open(self.addr, PATH);
        let auth = serde_json::json!({"pid": self.pid, "offset": self.offset});
        self.ws.send(&format!("40{auth}"));
        loop {
            let text = self.ws.receive();
            if text.starts_with("40") {
                let (id, pid) = ids(&text);
                let same = id == self.id;
                assert_eq!(pid == self.pid, same);
                (self.id, self.pid) = (id, pid);
                return same;
            }
            self.take(&text);
        }
    }
}

/// Waits until the server knows that nobody is there.
fn until_empty(io: &Server) {
    let start = std::time::Instant::now();
    while !io.of("/").is_empty() {
        assert!(start.elapsed() < super::PATIENCE);
        thread::sleep(Duration::from_millis(1));
    }
}

fn ids(reply: &str) -> (String, String) {
    let ids: serde_json::Value = serde_json::from_str(&reply[2..]).expect(reply);
    let id = |name: &str| ids[name].as_str().unwrap().to_owned();
    (id("sid"), id("pid"))
}

#[test]
fn one_that_comes_back_is_who_it_was() {
    let (io, addr) = server(Recovery::default());
    let root = io.of("/");
    root.on_connect(|socket| {
        if !socket.is_recovered() {
            socket.data().set("name", "Ann").unwrap();
            socket.join("red");
        }
    });
    let mut ann = Returning::new(addr);
    root.to("red").emit("n", 1).unwrap();
    ann.expect(1);
    // The server need not have noticed that the old connection is of no use any more.
    assert!(ann.come_back());
    root.to("red").emit("n", 2).unwrap();
    ann.expect(2);
    ann.ws = Ws::open(addr, PATH);
    root.to("red").emit("n", 3).unwrap();
    root.to("blue").emit("n", 4).unwrap();
    root.except("red").emit("n", 5).unwrap();
    root.all().volatile().emit("n", 6).unwrap();
    root.to(&ann.id).emit("n", 7).unwrap();
    root.emit("n", 8).unwrap();
    assert!(ann.come_back());
    assert_eq!(ann.got, [1, 2, 3, 7, 8]);
    let socket = root.socket(&ann.id).unwrap();
    assert_eq!(socket.data().get("name").unwrap(), Some("Ann".to_owned()));
    assert_eq!(socket.rooms().len(), 2);
}

#[test]
fn one_that_left_does_not_come_back() {
    let (io, addr) = server(Recovery::default());
    let mut ann = Returning::new(addr);
    io.emit("n", 1).unwrap();
    ann.expect(1);
    ann.ws.send("41");
    until_empty(&io);
    assert!(!ann.come_back());
    io.emit("n", 2).unwrap();
    ann.expect(2);
    ann.offset = "ffffff".to_owned();
    assert!(!ann.come_back());
    ann.pid = "somebody else".to_owned();
    assert!(!ann.come_back());
}

#[test]
fn what_is_too_old_is_forgotten() {
    let (io, addr) = server(Recovery::default().max_bytes(1000));
    let mut ann = Returning::new(addr);
    io.emit("n", 1).unwrap();
    ann.expect(1);
    ann.ws = Ws::open(addr, PATH);
    for number in 2..100 {
        io.emit("n", number).unwrap();
    }
    assert!(!ann.come_back());

    let (io, addr) = server(Recovery::default().max_disconnection(Duration::from_millis(20)));
    let mut ann = Returning::new(addr);
    io.emit("n", 1).unwrap();
    ann.expect(1);
    ann.ws = Ws::open(addr, PATH);
    until_empty(&io);
    thread::sleep(Duration::from_millis(50));
    assert!(!ann.come_back());
}

#[test]
fn more_than_fits_into_a_queue_comes_back_too() {
    let (io, addr) = server(Recovery::default());
    let mut ann = Returning::new(addr);
    io.emit("n", 1).unwrap();
    ann.expect(1);
    ann.ws = Ws::open(addr, PATH);
    let count = 60_000;
    for number in 2..=count {
        io.emit("n", number).unwrap();
    }
    assert!(ann.come_back());
    ann.expect(count);
    assert!(ann.got.iter().copied().eq(1..=count));
}

#[test]
fn a_thousand_reconnect_at_once_and_miss_nothing() {
    const CLIENTS: usize = 1000;
    let (io, addr) = server(Recovery::default());
    let root = io.of("/");
    let mut joining: Vec<_> = (0..CLIENTS)
        .map(|_| thread::spawn(move || Returning::new(addr)))
        .collect();
    let clients: Vec<_> = joining
        .drain(..)
        .map(|joined| joined.join().unwrap())
        .collect();
    root.emit("n", 1).unwrap();

    // They are told numbers all the time: one for every ten times that one comes back, which each does twice.
    let last = 2 * CLIENTS as u64 / 10;
    let returns = Arc::new(AtomicU64::new(0));
    let teller = thread::spawn({
        let returns = returns.clone();
        move || {
            for number in 2..=last {
                root.emit("n", number).unwrap();
                while returns.load(Ordering::Relaxed) < 10 * number {
                    thread::sleep(Duration::from_millis(1));
                }
            }
        }
    });
    let back: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            let returns = returns.clone();
            thread::spawn(move || {
                client.expect(1);
                for _ in 0..2 {
                    assert!(client.come_back());
                    returns.fetch_add(1, Ordering::Relaxed);
                }
                client
            })
        })
        .collect();
    let back: Vec<_> = back
        .into_iter()
        .map(|client| client.join().unwrap())
        .collect();
    teller.join().unwrap();
    for mut client in back {
        client.expect(last);
        assert!(client.got.iter().copied().eq(1..=last), "{:?}", client.got);
    }
}
