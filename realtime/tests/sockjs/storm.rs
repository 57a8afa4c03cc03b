//! Many clients at once, over all kinds of transports, some of which vanish: nobody waits in vain, nothing is lost,
//! and nothing is left.

use super::client::{Stream, fresh, post};
use super::{PATIENCE, echo, start};
use greenwire_http::Router;
use greenwire_realtime::sockjs::Config;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 12;
const MESSAGES: usize = 150;

#[test]
fn every_client_gets_its_own_messages_in_order() {
    let config = |delay| {
        Config::default()
            .disconnect_delay(delay)
            .response_limit(2000)
            .max_queued(1000)
    };
    let lasting = config(Duration::from_secs(300)).service(echo);
    let short = config(Duration::from_millis(100)).service(echo);
    let addr = start(
        Router::new()
            .mount("/x", lasting)
            .mount("/short", short.clone()),
    );
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || match client % 4 {
                0 => talk(addr, poll),
                1 => talk(addr, stream),
                2 => talk_by_websocket(addr),
                _ => vanish(addr),
            });
        }
    });
    let begin = Instant::now();
    while short.sessions() > 0 {
        assert!(begin.elapsed() < PATIENCE, "{short:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends all messages, some at once, while `receive` gathers what comes.
fn talk(addr: SocketAddr, receive: fn(SocketAddr, &str, &mut String)) {
    let path = fresh("/x");
    post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
    thread::scope(|scope| {
        let path = &path;
        scope.spawn(move || {
            let numbers: Vec<usize> = (0..MESSAGES).collect();
            for some in numbers.chunk_by(|_, next| next % 7 != 0) {
                let quoted: Vec<String> = some.iter().map(|n| format!("\"{n}\"")).collect();
                let body = format!("[{}]", quoted.join(","));
                post(addr, &format!("{path}/xhr_send"), &body).check(204, "");
            }
        });
        let mut got = String::new();
        while got.matches('"').count() < 2 * MESSAGES {
            receive(addr, path, &mut got);
        }
        let expected: Vec<String> = (0..MESSAGES).map(|n| format!("\"{n}\"")).collect();
        assert_eq!(
            got.replace("]\na[", ","),
            format!("a[{}]\n", expected.join(","))
        );
    });
}

fn poll(addr: SocketAddr, path: &str, got: &mut String) {
    got.push_str(&post(addr, &format!("{path}/xhr"), "").body);
}

/// One streaming response, as far as it goes or is needed.
fn stream(addr: SocketAddr, path: &str, got: &mut String) {
    let mut stream = Stream::open(addr, &format!("POST {path}/xhr_streaming"), "");
    stream.chunk();
    while got.matches('"').count() < 2 * MESSAGES
        && let Some(frame) = stream.chunk()
    {
        got.push_str(&frame);
    }
}

fn talk_by_websocket(addr: SocketAddr) {
    let url = format!("ws://{addr}{}/websocket", fresh("/x"));
    let mut ws = greenwire_websocket::connect(&url).unwrap();
    assert_eq!(ws.receive().unwrap(), Some("o".into()));
    for number in 0..MESSAGES {
        ws.send(format!("[\"{number}\"]")).unwrap();
    }
    for number in 0..MESSAGES {
        assert_eq!(
            ws.receive().unwrap(),
            Some(format!("a[\"{number}\"]").into())
        );
    }
}

/// Begins sessions and leaves them in the middle of something.
fn vanish(addr: SocketAddr) {
    for round in 0..20 {
        let path = fresh("/short");
        let endpoint = ["xhr_streaming", "xhr"][round % 2];
        let stream = Stream::send(addr, &format!("POST {path}/{endpoint}"), "");
        let send = Stream::send(addr, &format!("POST {path}/xhr_send"), "[\"x\"]");
        drop(stream);
        drop(send);
    }
}
