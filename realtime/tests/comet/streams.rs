//! Server-sent events and websockets.

use crate::client::Client;
use crate::{PATIENCE, SUBSCRIBED, join, serve, wait_until};
use greenwire_realtime::comet::Config;
use greenwire_runtime::time::timeout;
use greenwire_websocket::WebSocket;
use std::net::SocketAddr;
use std::time::Duration;

/// Everything up to the end of the next event, without the chunks' sizes.
fn event(client: &mut Client) -> String {
    loop {
        let size = client.read_until("\r\n");
        let chunk = client.read_until("\r\n");
        assert_eq!(
            usize::from_str_radix(size.trim(), 16).unwrap() + 2,
            chunk.len()
        );
        if !chunk.starts_with(':') {
            return chunk.trim_end().to_owned();
        }
    }
}

#[test]
fn events_come_with_the_place_to_go_on_from() {
    let (comet, addr) = serve(Config::default());
    let bob = join(&comet, "bob");
    let mut client = Client::new(addr);
    let path = format!("/events?client_id={bob}");
    client.send("GET", &path, "", "");
    let head = client.head();
    assert!(head.contains("content-type: text/event-stream\n"), "{head}");
    assert_eq!(
        event(&mut client),
        format!("data: {{\"room\": [[1, {SUBSCRIBED}, \"bob\"]]}}\nid: {{\"room\": 1}}")
    );
    comet.new_message("alice", "a\nb", "room").unwrap();
    let second = "data: {\"room\": [[2, \"a\\nb\", \"alice\"]]}\nid: {\"room\": 2}";
    assert_eq!(event(&mut client), second);
    drop(client);

    // The second was lost.
    let mut again = Client::new(addr);
    again.send("GET", &path, "Last-Event-ID: {\"room\": 1}\r\n", "");
    again.head();
    assert_eq!(event(&mut again), second);
}

#[test]
fn a_silent_stream_has_heartbeats_and_ends_with_its_client() {
    let (comet, addr) = serve(Config::default().heartbeat(Duration::from_millis(20)));
    let key = comet.create_client("bob").unwrap();
    let mut client = Client::new(addr);
    client.send("GET", &format!("/events?client_id=bob_!!_{key}"), "", "");
    client.head();
    for _ in 0..3 {
        assert_eq!(client.read_until("\n\n\r\n"), "3\r\n:\n\n\r\n");
    }
    comet.kill_client("bob").unwrap();
    client.read_until("0\r\n\r\n");
    let answer = client.get(&format!("/events?client_id=bob_!!_{key}"));
    assert_eq!((answer.status(), &*answer.body), ("404", "Not Found\r\n"));
}

fn connect(addr: SocketAddr, hello: &str) -> WebSocket {
    let ws = greenwire_websocket::connect(&format!("ws://{addr}/websocket")).unwrap();
    ws.send(hello).unwrap();
    ws
}

fn receive(ws: &mut WebSocket) -> Option<String> {
    let message = timeout(PATIENCE, || ws.receive().unwrap());
    message.unwrap().map(|message| message.into_text().unwrap())
}

#[test]
fn a_websocket_gets_the_same_updates() {
    let (comet, addr) = serve(Config::default());
    let bob = join(&comet, "bob");
    let key = bob.strip_prefix("bob_!!_").unwrap();
    let mut ws = connect(addr, &format!(r#"{{"clients": {{"bob": "{key}"}}}}"#));
    assert_eq!(receive(&mut ws).unwrap(), "{}");
    let first = format!("{{\"room\": [[1, {SUBSCRIBED}, \"bob\"]]}}");
    assert_eq!(receive(&mut ws).unwrap(), first);
    comet.new_message("alice", "hi", "room").unwrap();
    assert_eq!(
        receive(&mut ws).unwrap(),
        "{\"room\": [[2, \"hi\", \"alice\"]]}"
    );

    // Another one, that has lost all but the first.
    let hello = format!(r#"{{"clients": {{"bob": "{key}"}}, "cursors": {{"room": 1}}}}"#);
    let mut again = connect(addr, &hello);
    assert_eq!(receive(&mut again).unwrap(), "{}");
    assert_eq!(
        receive(&mut again).unwrap(),
        "{\"room\": [[2, \"hi\", \"alice\"]]}"
    );

    comet.kill_client("bob").unwrap();
    for ws in [&mut ws, &mut again] {
        assert_eq!(receive(ws), None);
        assert_eq!(ws.close_reason().unwrap().code(), 4404);
    }
}

#[test]
fn a_websocket_without_a_good_hello_is_closed() {
    let (_, addr) = serve(Config::default());
    for (hello, code) in [
        ("hello", 1008),
        (r#"{"clients": {}}"#, 1008),
        (r#"{"clients": {"bob": "0"}}"#, 4404),
    ] {
        let mut ws = connect(addr, hello);
        assert_eq!(receive(&mut ws), None);
        assert_eq!(ws.close_reason().unwrap().code(), code, "{hello}");
    }
}

#[test]
fn who_finds_no_room_to_come_back_may_try_again() {
    let config = Config::default().max_clients(1);
    let config = config.min_alive(Duration::ZERO).max_idle(Duration::ZERO);
    let (comet, addr) = serve(config.collect_every(Duration::from_millis(5)));
    let hello = |id: &str, key: &str| format!(r#"{{"clients": {{"{id}": "{key}"}}}}"#);
    let bob = comet.create_client("bob").unwrap();
    wait_until(|| comet.client_channels("bob").is_err());
    let eve = comet.create_client("eve").unwrap();
    let mut ws = connect(addr, &hello("eve", &eve));
    assert_eq!(receive(&mut ws).unwrap(), "{}", "she has the only place");
    let mut late = connect(addr, &hello("bob", &bob));
    assert_eq!(receive(&mut late), None);
    assert_eq!(late.close_reason().unwrap().code(), 1013);
    let answer = Client::new(addr).get(&format!("/events?client_id=bob_!!_{bob}"));
    assert_eq!(answer.status(), "503");
}

#[test]
fn a_poll_may_wait_for_ever() {
    let (comet, addr) = serve(Config::default().poll_timeout(Duration::MAX));
    let bob = join(&comet, "bob");
    let poll = format!("/message_updates?client_id={bob}");
    let mut client = Client::new(addr);
    assert_ne!(client.get(&poll).body, "{}");
    client.send("GET", &poll, "", "");
    comet.new_message("alice", "hi", "room").unwrap();
    assert_eq!(client.answer().body, "{\"room\": [[2, \"hi\", \"alice\"]]}");
}

#[test]
fn who_reads_by_a_stream_is_active() {
    let (comet, addr) = serve(
        Config::default()
            .min_alive(Duration::ZERO)
            .max_idle(Duration::ZERO)
            .collect_every(Duration::from_millis(5)),
    );
    let bob = join(&comet, "bob");
    let key = bob.strip_prefix("bob_!!_").unwrap();
    // By then it was collected, perhaps more than once.
    let mut ws = connect(addr, &format!(r#"{{"clients": {{"bob": "{key}"}}}}"#));
    assert_eq!(receive(&mut ws).unwrap(), "{}");
    // Eve, who does not read, shows that clients are collected meanwhile.
    join(&comet, "eve");
    wait_until(|| comet.client_channels("eve").is_err());
    assert_eq!(comet.channel_clients("room").unwrap(), ["bob"]);
    ws.close(1000, "").unwrap();
    while receive(&mut ws).is_some() {}
    wait_until(|| comet.client_channels("bob").is_err());
}
