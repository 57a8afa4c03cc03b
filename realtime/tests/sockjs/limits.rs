//! What clients cannot do.

use super::client::{Stream, fresh, post};
use super::{PATIENCE, echo, serve, steady};
use greenwire_http::Router;
use greenwire_realtime::sockjs::{Config, Session, SlowReader, Transport};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

#[test]
fn there_are_only_so_many_sessions() {
    let service = Config::default()
        .max_sessions(3)
        .disconnect_delay(Duration::from_millis(100))
        .service(echo);
    let addr = super::start(Router::new().mount("/x", service.clone()));
    let mut kept: Vec<Stream> = Vec::new();
    for _ in 0..2 {
        let mut stream = Stream::open(addr, &format!("POST {}/xhr_streaming", fresh("/x")), "");
        stream.chunk();
        stream.expect("o\n");
        kept.push(stream);
    }
    let url = format!("ws://{addr}{}/websocket", fresh("/x"));
    let mut ws = greenwire_websocket::connect(&url).unwrap();
    assert_eq!(ws.receive().unwrap(), Some("o".into()));
    assert_eq!(service.sessions(), 3);
    post(addr, &format!("{}/xhr", fresh("/x")), "").check(503, "no more sessions at the moment");
    assert!(greenwire_websocket::connect(&url).is_err());

    // Those that end make room.
    kept.clear();
    drop(ws);
    let begin = Instant::now();
    while service.sessions() > 0 {
        assert!(begin.elapsed() < PATIENCE, "{service:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
    post(addr, &format!("{}/xhr", fresh("/x")), "").check(200, "o\n");
}

#[test]
fn a_handler_that_does_not_end_keeps_its_place() {
    let (go_on, may_go_on) = channel::<()>();
    let may_go_on = Mutex::new(Some(may_go_on));
    let config = Config::default()
        .max_sessions(2)
        .disconnect_delay(Duration::from_millis(20));
    let service = config.service(move |_| {
        let first = may_go_on.lock().unwrap().take();
        if let Some(may_go_on) = first {
            greenwire_runtime::unblock(move || may_go_on.recv().unwrap_err());
        }
        Ok(())
    });
    let addr = super::start(Router::new().mount("/x", service.clone()));
    let path = fresh("/x");
    // It does not expire before its stream ends.
    let mut stream = Stream::open(addr, &format!("POST {path}/xhr_streaming"), "");
    stream.chunk();
    stream.expect("o\n");
    post(addr, &format!("{path}/xhr_send"), "[]").check(204, "");
    drop(stream);
    // Without its name it is still there.
    let begin = Instant::now();
    while post(addr, &format!("{path}/xhr_send"), "[]").status != 404 {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(service.sessions(), 1);
    post(addr, &format!("{}/xhr", fresh("/x")), "").check(200, "o\n");
    drop(go_on);
    while service.sessions() > 0 {
        assert!(begin.elapsed() < PATIENCE, "{service:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_body_too_long() {
    let addr = serve(steady().max_message_size(100).service(echo));
    let path = fresh("/x");
    post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
    let long = format!("[\"{}\"]", "x".repeat(100));
    let answer = post(addr, &format!("{path}/xhr_send"), &long);
    assert_eq!(answer.status, 413);
    answer.has("access-control-allow-origin", "*");
    post(addr, &format!("{path}/xhr_send"), "[\"short\"]").check(204, "");
    post(addr, &format!("{path}/xhr"), "").check(200, "a[\"short\"]\n");
}

#[test]
fn what_waits_for_a_handler_is_bounded() {
    let (go_on, may_go_on) = channel::<()>();
    let may_go_on = Mutex::new(Some(may_go_on));
    let addr = serve(
        steady()
            .max_queued(1000)
            .service(move |mut session: Session| {
                let Some(may_go_on) = may_go_on.lock().unwrap().take() else {
                    return echo(session);
                };
                greenwire_runtime::unblock(move || may_go_on.recv().unwrap_err());
                for _ in 0..3 {
                    let message = session.receive()?.unwrap();
                    session.send(&message[..1])?;
                }
                Ok(())
            }),
    );
    let path = fresh("/x");
    post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
    let send = format!("POST {path}/xhr_send");
    let body = |letter: &str| format!("[\"{}\"]", letter.repeat(1000));
    post(addr, &format!("{path}/xhr_send"), &body("a")).check(204, "");
    // The second one waits until the handler takes the first; others of the service do not.
    let waiting = Stream::send(addr, &format!("{send}\nConnection: close"), &body("b"));
    post(addr, &format!("{}/xhr", fresh("/x")), "").check(200, "o\n");
    drop(go_on);
    assert!(waiting.rest().starts_with("HTTP/1.1 204 "));
    post(addr, &format!("{path}/xhr_send"), "[\"c\"]").check(204, "");
    let mut all = String::new();
    while !all.contains("Go away!") {
        all += &post(addr, &format!("{path}/xhr"), "").body;
    }
    assert!(
        all.replace("]\na[", ",")
            .starts_with("a[\"a\",\"b\",\"c\"]\n"),
        "{all}"
    );
}

#[test]
fn what_waits_for_a_client_is_bounded() {
    let policies = [(SlowReader::DropOldest, 99), (SlowReader::DropNewest, 0)];
    for (policy, survivor) in policies {
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        let config = steady().max_queued(300).slow_reader(policy);
        let addr = serve(config.service(move |mut session: Session| {
            for number in 0..100 {
                session.send(number.to_string())?;
            }
            let tell = tell.lock().unwrap().clone();
            tell.send(session.sender().dropped()).unwrap();
            session.receive().map(drop)
        }));
        let path = format!("{}/xhr", fresh("/x"));
        post(addr, &path, "").check(200, "o\n");
        let dropped = told.recv_timeout(PATIENCE).unwrap();
        assert!((50..100).contains(&dropped), "{dropped}");
        let got = post(addr, &path, "").body;
        assert!(
            got.contains(&format!("\"{survivor}\"")),
            "{policy:?}: {got}"
        );
        assert_eq!(got.matches(',').count() as u64 + 1, 100 - dropped);
    }
}

#[test]
fn a_client_too_slow_may_be_parted_with() {
    let config = steady().max_queued(300).slow_reader(SlowReader::Disconnect);
    let addr = serve(config.service(|session: Session| {
        loop {
            session.send("more")?;
        }
    }));
    let path = format!("{}/xhr", fresh("/x"));
    let mut last = post(addr, &path, "").body;
    while !last.starts_with('c') {
        last = post(addr, &path, "").body;
    }
    assert_eq!(last, "c[1013,\"Reads too slowly\"]\n");
}

#[test]
fn who_sends_waits_for_a_slow_client() {
    let addr = serve(steady().max_queued(300).service(|session: Session| {
        for number in 0..1000 {
            session.send(number.to_string())?;
        }
        Ok(())
    }));
    let path = format!("{}/xhr", fresh("/x"));
    post(addr, &path, "").check(200, "o\n");
    let mut all = String::new();
    while !all.contains("Go away!") {
        all += &post(addr, &path, "").body;
    }
    let expected: Vec<String> = (0..1000).map(|number| format!("\"{number}\"")).collect();
    let got = all.replace("]\na[", ",");
    assert!(
        got.starts_with(&format!("a[{}]\n", expected.join(","))),
        "{got}"
    );
}

#[test]
fn from_another_address_a_name_is_of_no_use() {
    for (verify, refused) in [(true, true), (false, false)] {
        let addr = serve(steady().verify_ip(verify).service(echo));
        let path = fresh("/x");
        post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
        let ask = |line: &str, body: &str| ask_from("127.0.0.2", addr, line, body);
        let sent = ask(&format!("POST {path}/xhr_send"), "[\"x\"]");
        let got = ask(&format!("POST {path}/xhr"), "");
        let other = "c[2010,\"Attempted to connect to session from different IP\"]\n";
        if refused {
            assert!(sent.starts_with("HTTP/1.1 404 "), "{sent}");
            assert!(got.ends_with(other), "{got}");
        } else {
            assert!(sent.starts_with("HTTP/1.1 204 "), "{sent}");
            assert!(got.ends_with("a[\"x\"]\n"), "{got}");
        }
    }
}

/// The whole answer to a request from another address.
fn ask_from(ip: &str, addr: std::net::SocketAddr, line: &str, body: &str) -> String {
    use std::io::{Read, Write};
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let local: std::net::SocketAddr = format!("{ip}:0").parse().unwrap();
    socket.bind(&local.into()).unwrap();
    socket.connect(&addr.into()).unwrap();
    let mut stream = std::net::TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let head =
        format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}");
    write!(stream, "{head}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn transports_that_are_switched_off_are_not_there() {
    let all = [
        (Transport::XhrPolling, "POST", "xhr"),
        (Transport::XhrStreaming, "POST", "xhr_streaming"),
        (Transport::EventSource, "GET", "eventsource"),
        (Transport::HtmlFile, "GET", "htmlfile?c=f"),
        (Transport::JsonpPolling, "GET", "jsonp?c=f"),
    ];
    for (off, _, _) in all {
        let addr = serve(steady().disable(off).service(echo));
        for (transport, method, endpoint) in all {
            let stream = Stream::open(addr, &format!("{method} {}/{endpoint}", fresh("/x")), "");
            let expected = if transport == off { 404 } else { 200 };
            assert_eq!(stream.answer().status, expected, "{off:?}: {endpoint}");
        }
    }
}
