//! How sessions begin, and who may begin one.

use super::client::{Ws, ask};
use super::{echo, quick, steady};
use std::net::SocketAddr;

const POLLING: &str = "GET /engine.io/?EIO=4&transport=polling";

#[track_caller]
fn check_hello(text: &str, upgrades: &[&str]) {
    let hello: serde_json::Value = serde_json::from_str(text.strip_prefix('0').unwrap()).unwrap();
    let mut keys: Vec<_> = hello.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "maxPayload",
            "pingInterval",
            "pingTimeout",
            "sid",
            "upgrades"
        ]
    );
    assert_eq!(hello["upgrades"], serde_json::json!(upgrades));
    assert_eq!(hello["pingInterval"], 300);
    assert_eq!(hello["pingTimeout"], 200);
    assert_eq!(hello["maxPayload"], 1_000_000);
    assert_eq!(hello["sid"].as_str().unwrap().len(), 20);
}

#[test]
fn the_hello_says_what_there_is() {
    let addr = echo(quick());
    let answer = ask(addr, POLLING, "");
    assert_eq!(answer.status, 200);
    check_hello(&answer.body, &["websocket"]);
    assert_eq!(answer.header("content-type"), "text/plain; charset=UTF-8");
    assert_eq!(answer.header("cache-control"), "no-store");

    let url = format!("ws://{addr}/engine.io/?EIO=4&transport=websocket");
    check_hello(&Ws::connect(&url).unwrap().receive(), &[]);
    let answer = ask(echo(quick().upgrades(false)), POLLING, "");
    check_hello(&answer.body, &[]);
}

#[test]
fn what_is_no_request_for_a_session() {
    let addr = echo(steady());
    let table = [
        ("GET", "transport=polling", 5),
        ("GET", "EIO=abc&transport=polling", 5),
        ("GET", "EIO=4", 0),
        ("GET", "EIO=4&transport=abc", 0),
        ("POST", "EIO=4&transport=polling", 2),
        ("PUT", "EIO=4&transport=polling", 2),
        ("GET", "EIO=4&transport=polling&sid=abc", 1),
        ("GET", "EIO=4&transport=websocket", 3),
    ];
    for (method, query, code) in table {
        let answer = ask(addr, &format!("{method} /engine.io/?{query}"), "");
        assert_eq!(answer.refused().header("content-type"), "application/json");
        let error: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(error["code"], code, "{method} {query}");
    }
    for query in [
        "transport=websocket",
        "EIO=abc&transport=websocket",
        "EIO=4",
        "EIO=4&transport=abc",
        "EIO=4&transport=polling",
        "EIO=4&transport=websocket&sid=abc",
    ] {
        let url = format!("ws://{addr}/engine.io/?{query}");
        assert!(Ws::connect(&url).is_err(), "{query}");
    }
}

#[test]
fn who_may_come() {
    let config = steady().max_sessions(2).allow_request(|request| {
        let named = request.headers().contains_key("x-name");
        named.then_some(()).ok_or_else(|| "who are you?".to_owned())
    });
    let addr = echo(config);
    let refusal = r#"{"code":4,"message":"who are you?"}"#;
    ask(addr, POLLING, "").check(403, refusal);
    let named = format!("{POLLING}\nX-Name: Ann");
    for _ in 0..2 {
        assert_eq!(ask(addr, &named, "").status, 200);
    }
    assert_eq!(ask(addr, &named, "").status, 503);
}

fn origin_of(addr: SocketAddr, origin: &str) -> String {
    let answer = ask(addr, &format!("{POLLING}\nOrigin: {origin}"), "");
    answer.header("access-control-allow-origin").to_owned()
}

#[test]
fn pages_of_other_origins() {
    let page = "https://app.example";
    let addr = echo(steady());
    assert_eq!(origin_of(addr, page), "");
    assert_eq!(origin_of(echo(steady().allow_any_origin()), page), "*");
    let some = echo(steady().allow_origins([page]).allow_credentials());
    assert_eq!(origin_of(some, page), page);
    assert_eq!(origin_of(some, "https://other.example"), "");
    let head = format!(
        "OPTIONS /engine.io/?EIO=4&transport=polling\nOrigin: {page}\nAccess-Control-Request-Method: POST"
    );
    assert_eq!(ask(some, &head, "").status, 204);
    for (addr, status) in [(addr, "403"), (some, "101")] {
        let upgrade = format!(
            "GET /engine.io/?EIO=4&transport=websocket\nUpgrade: websocket\nConnection: Upgrade\n\
             Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nOrigin: {page}"
        );
        assert_eq!(first_status(addr, &upgrade), status);
    }
}

/// The status of an answer that may not end.
fn first_status(addr: SocketAddr, head: &str) -> String {
    use std::io::{BufRead, BufReader, Write};
    let mut stream = std::net::TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(super::PATIENCE)).unwrap();
    let head = head.replace('\n', "\r\n");
    let (line, headers) = head.split_once("\r\n").unwrap();
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: {addr}\r\n{headers}\r\n\r\n"
    )
    .unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn cookies_are_for_load_balancers() {
    let answer = ask(echo(steady().cookie("io")), POLLING, "");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("io="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert_eq!(ask(echo(steady()), POLLING, "").header("set-cookie"), "");
}
