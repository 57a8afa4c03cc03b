//! `websocket`, with SockJS's frames and without.

use super::client::{ask, fresh, get, post};
use super::{PATIENCE, echo, serve, services, steady};
use greenwire_runtime::time;
use greenwire_websocket::{self as websocket, Error, Message, WebSocket, code};
use std::net::SocketAddr;
use std::time::Duration;

fn connect(addr: SocketAddr, path: &str) -> WebSocket {
    websocket::connect(&format!("ws://{addr}{path}/websocket")).unwrap()
}

#[track_caller]
fn expect(ws: &mut WebSocket, text: &str) {
    let got = time::timeout(PATIENCE, || ws.receive().unwrap()).expect("it comes");
    assert_eq!(got, Some(Message::from(text)));
}

/// How the server has ended the connection.
fn end(ws: &mut WebSocket) -> (u16, String) {
    let got = time::timeout(PATIENCE, || ws.receive())
        .expect("it comes")
        .unwrap();
    assert_eq!(got, None);
    let reason = ws.close_reason().unwrap();
    (reason.code(), reason.reason().to_owned())
}

#[test]
fn frames() {
    let addr = services();
    let mut ws = connect(addr, &fresh("/echo"));
    expect(&mut ws, "o");
    // What has no messages is ignored.
    for sent in ["", "[]", r#"["a","b"]"#, r#""alone""#] {
        ws.send(sent).unwrap();
    }
    for text in [r#"a["a"]"#, r#"a["b"]"#, r#"a["alone"]"#] {
        expect(&mut ws, text);
    }
}

#[test]
fn two_websockets_may_have_the_name_of_a_session() {
    let addr = services();
    let name = fresh("/echo");
    post(addr, &format!("{name}/xhr"), "").check(200, "o\n");
    let mut both = [connect(addr, &name), connect(addr, &name)];
    for (at, ws) in both.iter_mut().enumerate() {
        expect(ws, "o");
        ws.send(format!("[\"{at}\"]")).unwrap();
        expect(ws, &format!("a[\"{at}\"]"));
    }
    drop(both);
    expect(&mut connect(addr, &name), "o");
}

#[test]
fn closing() {
    let addr = services();
    let mut ws = connect(addr, &fresh("/close"));
    expect(&mut ws, "o");
    expect(&mut ws, r#"c[3000,"Go away!"]"#);
    assert_eq!(end(&mut ws).0, code::NORMAL);
}

#[test]
fn broken_json_ends_the_connection() {
    let addr = services();
    for broken in ["[\"a", "7", "x"] {
        let mut ws = connect(addr, &fresh("/echo"));
        expect(&mut ws, "o");
        ws.send(broken).unwrap();
        assert_eq!(end(&mut ws).0, code::INVALID_DATA, "{broken}");
    }
}

#[test]
fn without_frames() {
    let addr = services();
    let mut ws = connect(addr, "/echo");
    for text in ["Hello world!\u{ffff}", "", "[]"] {
        ws.send(text).unwrap();
        expect(&mut ws, text);
    }
    ws.send(&b"bytes"[..]).unwrap();
    assert_eq!(end(&mut ws).0, code::UNSUPPORTED_DATA);
    let close = end(&mut connect(addr, "/close"));
    assert_eq!(close, (3000, "Go away!".to_owned()));
}

#[test]
fn what_is_no_handshake() {
    let addr = services();
    assert_eq!(get(addr, "/echo/0/0/websocket").status, 400);
    let closing = "GET /echo/0/0/websocket\nUpgrade: WebSocket\nConnection: close";
    assert_eq!(ask(addr, closing, "").status, 400);
    for head in ["", "\nUpgrade: WebSocket\nConnection: Upgrade"] {
        ask(addr, &format!("POST /echo/0/0/websocket{head}"), "")
            .check(405, "")
            .has("allow", "GET")
            .has("content-type", "");
    }
    assert_eq!(
        get(addr, "/disabled_websocket_echo/0/0/websocket").status,
        404
    );
}

#[test]
fn heartbeats() {
    let addr = serve(steady().heartbeat(Duration::from_millis(20)).service(echo));
    let mut ws = connect(addr, &fresh("/x"));
    expect(&mut ws, "o");
    expect(&mut ws, "h");
    expect(&mut ws, "h");
    let mut raw = connect(addr, "/x");
    expect(&mut ws, "h");
    expect(&mut ws, "h");
    // A raw one has none.
    raw.send("first").unwrap();
    expect(&mut raw, "first");
}

#[test]
fn a_message_too_long_ends_the_session() {
    let addr = serve(steady().max_message_size(100).service(echo));
    let mut ws = connect(addr, &fresh("/x"));
    expect(&mut ws, "o");
    ws.send("x".repeat(101)).unwrap();
    let end = time::timeout(PATIENCE, || ws.receive()).expect("it comes");
    assert!(matches!(end, Ok(None) | Err(Error::Io(_))), "{end:?}");
}
