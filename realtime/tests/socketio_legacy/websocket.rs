//! One packet for each message of a websocket.

use super::client::handshake;
use super::{PATIENCE, application, legacy, serve};
use greenwire_realtime::socketio::{Config, Legacy};
use greenwire_runtime::time::timeout;
use greenwire_websocket::{self as websocket, Message, WebSocket};
use std::net::SocketAddr;
use std::time::Duration;

fn open(addr: SocketAddr, id: &str) -> WebSocket {
    websocket::connect(&format!("ws://{addr}/socket.io/1/websocket/{id}")).unwrap()
}

/// A client that is connected.
fn connect(addr: SocketAddr) -> WebSocket {
    let mut client = open(addr, &handshake(addr));
    let mut told = next(&mut client);
    // Where hearts beat fast one may be earlier.
    while told == "2::" {
        told = next(&mut client);
    }
    assert_eq!(told, "1::");
    client
}

/// The next message; empty when there is none any more.
#[track_caller]
fn next(client: &mut WebSocket) -> String {
    let received = timeout(PATIENCE, || client.receive()).expect("something comes");
    match received.unwrap_or_default() {
        Some(Message::Text(text)) => text,
        _ => String::new(),
    }
}

#[track_caller]
fn exchange(client: &mut WebSocket, packet: &str, answer: &str) {
    client.send(packet).unwrap();
    assert_eq!(next(client), answer);
}

#[test]
fn packets() {
    let mut client = connect(serve(application(legacy())));
    exchange(&mut client, "3:::hello €", "3:::hello €");
    exchange(
        &mut client,
        r#"5:1+::{"name":"add","args":[1,2]}"#,
        "6:::1+[3]",
    );
    exchange(&mut client, "1::/chat", "1::/chat");
    exchange(&mut client, "3::/chat:x", "3::/chat:x");
    exchange(&mut client, "nonsense", "7::");
}

#[test]
fn strangers_shake_hands_first() {
    let addr = serve(application(legacy()));
    let mut client = open(addr, "nobody");
    assert_eq!(next(&mut client), "7:::1+0");
    assert_eq!(next(&mut client), "");
    // An id is good for one transport.
    let id = handshake(addr);
    let mut first = open(addr, &id);
    assert_eq!(next(&mut first), "1::");
    assert_eq!(next(&mut open(addr, &id)), "7:::1+0");
    exchange(&mut first, "3:::still here", "3:::still here");
}

#[test]
fn heartbeats() {
    let fast = Legacy::default()
        .heartbeat_interval(Duration::from_millis(20))
        .heartbeat_timeout(Duration::from_secs(300));
    let mut client = connect(serve(application(Config::default().legacy(fast))));
    client.send("2::").unwrap();
    for _ in 0..3 {
        exchange(&mut client, "2::", "2::");
    }
}

#[test]
fn the_silent_are_given_up() {
    let fast = Legacy::default()
        .heartbeat_interval(Duration::from_millis(20))
        .heartbeat_timeout(Duration::from_millis(50));
    let io = application(Config::default().legacy(fast));
    let addr = serve(io);
    let mut client = open(addr, &handshake(addr));
    let mut told = vec![next(&mut client)];
    while told.last().is_some_and(|last| !last.is_empty()) {
        told.push(next(&mut client));
    }
    // The end is no farewell, `0::`: such a client comes back.
    told.retain(|told| told != "1::");
    assert_eq!(told, ["2::", ""]);
}

#[test]
fn endings() {
    let addr = serve(application(legacy()));
    let mut client = connect(addr);
    exchange(&mut client, r#"5:::{"name":"go"}"#, "0::");
    assert_eq!(next(&mut client), "");
    let mut client = connect(addr);
    exchange(&mut client, r#"5:::{"name":"leave me"}"#, "0::");
    assert_eq!(next(&mut client), "");
    let mut client = connect(addr);
    exchange(&mut client, "0::", "");
}

#[test]
fn there_is_no_binary() {
    let mut client = connect(serve(application(legacy())));
    client.send(Message::Binary(b"3:::x".to_vec())).unwrap();
    assert_eq!(next(&mut client), "");
}
