//! Handshakes, paths, and how clients end.

use super::client::{Asked, Polling, ask, handshake};
use super::{PATIENCE, application, closed, legacy, serve};
use greenwire_realtime::engineio;
use greenwire_realtime::socketio::{Config, Legacy};
use greenwire_runtime::thread;
use std::time::{Duration, Instant};

#[test]
fn a_handshake() {
    let addr = serve(application(legacy()));
    let answer = ask(addr, "GET /socket.io/1/?t=1", "");
    answer.has("content-type", "text/plain; charset=UTF-8");
    answer.has("cache-control", "no-store");
    let (id, rest) = answer.body.split_once(':').unwrap();
    assert_eq!((answer.status, id.len()), (200, 20), "{answer:?}");
    assert_eq!(rest, "60:60:websocket,xhr-polling,jsonp-polling");
    assert_ne!(handshake(addr), handshake(addr));
    let posted = ask(addr, "POST /socket.io/1/?t=1", "");
    assert!(posted.body.ends_with(rest), "{posted:?}");
}

#[test]
fn a_handshake_in_a_script() {
    let addr = serve(application(legacy()));
    let answer = ask(addr, "GET /socket.io/1/?t=1&jsonp=3", "");
    answer.has("content-type", "text/javascript; charset=UTF-8");
    assert!(answer.body.starts_with("io.j[3](\""), "{answer:?}");
    assert!(
        answer
            .body
            .ends_with(":60:60:websocket,xhr-polling,jsonp-polling\");")
    );
    // No page can have another function called.
    let answer = ask(addr, "GET /socket.io/1/?jsonp=alert(1)", "");
    assert!(answer.body.starts_with("io.j[0](\""), "{answer:?}");
}

#[test]
fn without_jsonp_there_are_no_scripts() {
    let addr = serve(application(Config::default().legacy(Legacy::default())));
    let answer = ask(addr, "GET /socket.io/1/?t=1&jsonp=3", "");
    assert!(
        answer.body.ends_with(":60:60:websocket,xhr-polling"),
        "{answer:?}"
    );
    let path = format!("GET /socket.io/1/jsonp-polling/{}?i=0", handshake(addr));
    ask(addr, &path, "").check(400, "7:::0");
}

#[test]
fn who_may_not_come_has_no_handshake() {
    let engine = engineio::Config::default().allow_request(|_| Err("no".to_owned()));
    let addr = serve(application(legacy().engine(engine)));
    ask(addr, "GET /socket.io/1/", "").check(403, "handshake unauthorized");
    let script = r#"io.j[1](new Error("handshake unauthorized"));"#;
    ask(addr, "GET /socket.io/1/?jsonp=1", "").check(200, script);
}

#[test]
fn there_are_not_more_clients_than_allowed() {
    let engine = engineio::Config::default().max_sessions(1);
    let addr = serve(application(legacy().engine(engine)));
    let client = Polling::connect(addr);
    ask(addr, "GET /socket.io/1/", "").check(503, "service unavailable");
    client.post("0::").check(200, "1");
    let start = Instant::now();
    while ask(addr, "GET /socket.io/1/", "").status != 200 {
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn other_paths() {
    let addr = serve(application(legacy()));
    ask(addr, "GET /socket.io/0/", "").check(500, "Protocol version not supported.");
    let id = handshake(addr);
    ask(addr, &format!("GET /socket.io/1/htmlfile/{id}"), "").check(400, "7:::0");
    ask(addr, &format!("PUT /socket.io/1/xhr-polling/{id}"), "").check(405, "");
    ask(addr, "GET /socket.io/1/xhr-polling/nobody", "").check(200, "7:::1+0");
    ask(addr, "POST /socket.io/1/xhr-polling/nobody", "2::").check(400, "7:::1+0");
    // Today's clients are served as ever.
    let modern = ask(addr, "GET /socket.io/?EIO=4&transport=polling", "");
    assert!(modern.body.starts_with("0{"), "{modern:?}");
    // Without the setting there is no other protocol.
    let addr = serve(application(Config::default()));
    assert_ne!(ask(addr, "GET /socket.io/1/", "").status, 200);
}

#[test]
fn pages_of_other_origins() {
    let ours = "https://app.example";
    let engine = engineio::Config::default()
        .allow_origins([ours])
        .allow_credentials();
    let addr = serve(application(legacy().engine(engine)));
    let asked_by = |origin: &str| {
        let head = format!("GET /socket.io/1/?t=1\nOrigin: {origin}");
        ask(addr, &head, "")
    };
    let allowed = asked_by(ours);
    allowed.has("access-control-allow-origin", ours);
    allowed.has("access-control-allow-credentials", "true");
    asked_by("https://evil.example").has("access-control-allow-origin", "");
}

#[test]
fn a_client_that_says_good_bye() {
    let addr = serve(application(legacy()));
    for farewell in ["0::", "0"] {
        let client = Polling::connect(addr);
        client.post(farewell).check(200, "1");
        client.get().check(200, "7:::1+0");
    }
    // By a request that browsers make when a page closes; a poll that waits is told.
    let client = Polling::connect(addr);
    let poll = Asked::send(addr, &format!("GET {}", client.path), "");
    let id = client.path.rsplit('/').next().unwrap();
    ask(addr, &format!("GET /socket.io/1//{id}/?disconnect=1"), "").check(200, "");
    let told = poll.answer().body;
    assert!(told == "0::" || told == "7:::1+0", "{told}: it may be late");
    client.get().check(200, "7:::1+0");
}

#[test]
fn a_client_that_is_put_out() {
    let addr = serve(application(legacy()));
    for name in ["leave me", "go"] {
        let client = Polling::connect(addr);
        client.exchange(&format!(r#"5:::{{"name":"{name}"}}"#), "0::");
        client.get().check(200, "7:::1+0");
    }
}

#[test]
fn a_client_that_is_not_let_in() {
    let addr = serve(closed());
    let client = Polling {
        addr,
        path: format!("/socket.io/1/xhr-polling/{}", handshake(addr)),
    };
    let mut told = client.get().body;
    if !told.contains("0::") {
        told += &client.get().body;
    }
    assert!(told.contains("7:::2") && told.contains("0::"), "{told}");
    client.get().check(200, "7:::1+0");
}

#[test]
fn a_client_that_stays_away_is_gone() {
    // Long enough for a first poll.
    let short = Legacy::default().close_timeout(Duration::from_secs(2));
    let io = application(Config::default().legacy(short));
    let addr = serve(io.clone());
    let client = Polling::connect(addr);
    let start = Instant::now();
    while io.clients() > 0 {
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(5));
    }
    client.get().check(200, "7:::1+0");
}
