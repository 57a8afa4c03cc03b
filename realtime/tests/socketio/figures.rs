//! What a server tells about itself on `/debug/green`, from raw requests.

use super::client::{Asking, Ws};
use super::{PATIENCE, start, steady};
use greenwire_http::{Router, debug};
use greenwire_realtime::socketio::{Args, Config, Server};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Instant;

fn server() -> SocketAddr {
    let io = Config::default().engine(steady()).server();
    io.on_connect(|socket| {
        socket.join("all");
        socket.on("ask", |_, args: Args| args);
        socket.on("say", |socket, ()| {
            socket.namespace().to("all").emit("said", ())
        });
        socket.on("leave", |socket, ()| socket.leave("all"));
    });
    io.of_pattern("/game-*");
    start(app(io))
}

fn app(io: Server) -> Router {
    let told = io.clone();
    let debug = debug::Config::default().figures("socketio", move || told.figures());
    let router = Router::new().mount("/socket.io", io);
    router.mount("/debug/green", debug.green())
}

fn figures(addr: SocketAddr) -> Value {
    let answer = Asking::new(addr, "GET /debug/green/json?limit=0", "").answer();
    let snapshot: Value = serde_json::from_str(&answer.body).unwrap();
    snapshot["figures"]["socketio"].clone()
}

/// Some of them change a moment after the client has its answer.
#[track_caller]
fn expect(addr: SocketAddr, expected: &Value) {
    let deadline = Instant::now() + PATIENCE;
    while figures(addr) != *expected {
        assert!(Instant::now() < deadline, "{} {expected}", figures(addr));
    }
}

fn join(addr: SocketAddr, namespace: &str) -> Ws {
    let mut ws = Ws::open(addr, "/socket.io/");
    ws.send(&format!("40{namespace}")).receive();
    ws
}

#[test]
fn clients_rooms_and_events_are_counted() {
    let addr = server();
    let none = json!({
        "clients": 0, "sockets": {"/": 0}, "rooms": {"/": 0}, "events_received": 0, "events_sent": 0,
    });
    assert_eq!(figures(addr), none);

    let mut ann = join(addr, "");
    let mut ben = join(addr, "");
    let _cid = join(addr, "/game-7\"");
    ann.send(r#"421["ask"]"#).expect("431[]");
    ben.send(r#"421["ask"]"#).expect("431[]");
    ann.send(r#"42["say"]"#).expect(r#"42["said"]"#);
    ben.expect(r#"42["said"]"#);
    // Answers are no events.
    let some = json!({
        "clients": 3, "sockets": {"/": 2, "/game-7\"": 1}, "rooms": {"/": 1, "/game-7\"": 0},
        "events_received": 3, "events_sent": 2,
    });
    expect(addr, &some);
    let text = Asking::new(addr, "GET /debug/green/metrics", "")
        .answer()
        .body;
    for line in [
        "# TYPE greenwire_socketio_clients gauge",
        "greenwire_socketio_clients 3",
        r#"greenwire_socketio_sockets{namespace="/"} 2"#,
        r#"greenwire_socketio_sockets{namespace="/game-7\""} 1"#,
        r#"greenwire_socketio_rooms{namespace="/"} 1"#,
        "# TYPE greenwire_socketio_events_received_total counter",
        "greenwire_socketio_events_received_total 3",
        "greenwire_socketio_events_sent_total 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }

    ann.send(r#"42["leave"]"#)
        .send(r#"421["ask"]"#)
        .expect("431[]");
    drop(ben);
    let fewer = json!({
        "clients": 2, "sockets": {"/": 1, "/game-7\"": 1}, "rooms": {"/": 0, "/game-7\"": 0},
        "events_received": 5, "events_sent": 2,
    });
    expect(addr, &fewer);
}

#[test]
fn many_namespaces_are_not_all_told() {
    let io = Server::new();
    for number in 0..120 {
        io.of(&format!("/{number}"));
    }
    let addr = start(app(io));
    let figures = figures(addr);
    let sockets = figures["sockets"].as_object().unwrap();
    // With "other".
    assert_eq!(sockets.len(), 101);
    assert_eq!(sockets["other"], 0);
}
