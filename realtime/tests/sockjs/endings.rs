//! How sessions end, and what their clients and handlers learn of it.

use super::client::{Stream, fresh, get, post};
use super::{PATIENCE, echo, serve, services, steady};
use greenwire_realtime::sockjs::{Config, Error, Session};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const ANOTHER: &str = "c[2010,\"Another connection still open\"]\n";
const INTERRUPTED: &str = "c[1002,\"Connection interrupted\"]\n";
const GO_AWAY: &str = "c[3000,\"Go away!\"]\n";

fn prelude() -> String {
    format!("{}\n", "h".repeat(2048))
}

/// A service at `/x`, and what its handlers tell when their sessions end.
fn telling(config: Config) -> (std::net::SocketAddr, Receiver<String>) {
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let addr = serve(config.service(move |mut session: Session| {
        let tell = tell.lock().unwrap().clone();
        let mut got = String::new();
        while let Some(message) = session.receive()? {
            got += &message;
        }
        assert!(matches!(session.send("too late"), Err(Error::Closed)));
        tell.send(got).unwrap();
        Ok(())
    }));
    (addr, told)
}

/// Polls until there is an answer other than `first`.
fn poll_until_not(addr: std::net::SocketAddr, path: &str, first: &str) -> String {
    let begin = Instant::now();
    loop {
        let body = post(addr, path, "").body;
        if body != first {
            return body;
        }
        assert!(begin.elapsed() < PATIENCE, "{body} for ever");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_closed_session_says_so_again_and_again() {
    let addr = services();
    let path = format!("{}/xhr", fresh("/close"));
    post(addr, &path, "").check(200, "o\n");
    for _ in 0..3 {
        post(addr, &path, "").check(200, GO_AWAY);
    }
    let path = format!("{}/jsonp?c=x", fresh("/close"));
    get(addr, &path).check(200, "/**/x(\"o\");\r\n");
    for _ in 0..2 {
        get(addr, &path).check(200, "/**/x(\"c[3000,\\\"Go away!\\\"]\");\r\n");
    }
}

#[test]
fn streams_end_with_the_session() {
    let addr = services();
    let path = format!("POST {}/xhr_streaming", fresh("/close"));
    let mut first = Stream::open(addr, &path, "");
    for chunk in [&prelude(), "o\n", GO_AWAY] {
        first.expect(chunk);
    }
    let mut second = Stream::open(addr, &path, "");
    second.expect(&prelude());
    second.expect(GO_AWAY);
    first.expect_end();
    second.expect_end();
}

#[test]
fn only_one_request_receives() {
    let addr = services();
    let path = fresh("/echo");
    let mut first = Stream::open(addr, &format!("POST {path}/xhr_streaming"), "");
    first.expect(&prelude());
    first.expect("o\n");
    let mut second = Stream::open(addr, &format!("POST {path}/xhr_streaming"), "");
    second.expect(&prelude());
    second.expect(ANOTHER);
    second.expect_end();
    post(addr, &format!("{path}/xhr"), "").check(200, ANOTHER);
    post(addr, &format!("{path}/xhr_send"), "[\"x\"]").check(204, "");
    first.expect("a[\"x\"]\n");
}

#[test]
fn a_client_that_hangs_up_is_noticed_by_its_next_request() {
    let (addr, told) = telling(steady());
    let path = fresh("/x");
    post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
    let lost = Stream::waiting(addr, "/x", &format!("POST {path}/xhr"));
    post(addr, &format!("{path}/xhr"), "").check(200, ANOTHER);
    drop(lost);
    assert_eq!(
        poll_until_not(addr, &format!("{path}/xhr"), ANOTHER),
        INTERRUPTED
    );
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "");

    let path = fresh("/x");
    let mut lost = Stream::open(addr, &format!("POST {path}/xhr_streaming"), "");
    lost.expect(&prelude());
    lost.expect("o\n");
    drop(lost);
    assert_eq!(
        poll_until_not(addr, &format!("{path}/xhr"), ANOTHER),
        INTERRUPTED
    );
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "");
}

#[test]
fn a_client_that_hangs_up_is_noticed_without_another_request() {
    let (addr, told) = telling(Config::default().disconnect_delay(Duration::from_millis(50)));
    let path = fresh("/x");
    post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
    drop(Stream::waiting(addr, "/x", &format!("POST {path}/xhr")));
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "");

    drop(Stream::open(
        addr,
        &format!("POST {}/xhr_streaming", fresh("/x")),
        "",
    ));
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "");
}

#[test]
fn a_session_to_which_nobody_comes_expires() {
    let (addr, told) = telling(Config::default().disconnect_delay(Duration::from_millis(50)));
    let path = fresh("/x");
    post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "");
    post(addr, &format!("{path}/xhr_send"), "[\"x\"]").check(404, "");
    // The name may be used again.
    assert_eq!(
        poll_until_not(
            addr,
            &format!("{path}/xhr"),
            "c[1006,\"Session timed out\"]\n"
        ),
        "o\n"
    );
}

#[test]
fn who_receives_does_not_expire_and_is_sent_heartbeats() {
    let short = Duration::from_millis(20);
    let addr = serve(
        Config::default()
            .disconnect_delay(short)
            .heartbeat(short)
            .service(echo),
    );
    let mut stream = Stream::open(addr, &format!("POST {}/xhr_streaming", fresh("/x")), "");
    stream.expect(&prelude());
    stream.expect("o\n");
    for _ in 0..5 {
        stream.expect("h\n");
    }
    let mut stream = Stream::open(addr, &format!("GET {}/eventsource", fresh("/x")), "");
    for chunk in ["\r\n", "data: o\r\n\r\n", "data: h\r\n\r\n"] {
        stream.expect(chunk);
    }
}

#[test]
fn handlers_that_fail() {
    let addr = serve(steady().service(
        |mut session: Session| match session.receive()?.as_deref() {
            Some("panic") => panic!("as it should"),
            Some("error") => Err(Error::Closed),
            Some("own") => session.close(4000, "as I like"),
            _ => Ok(()),
        },
    ));
    let ends = [
        ("panic", "c[1011,\"Internal error\"]\n"),
        ("error", "c[1011,\"Internal error\"]\n"),
        ("own", "c[4000,\"as I like\"]\n"),
        ("return", GO_AWAY),
    ];
    for (message, end) in ends {
        let path = fresh("/x");
        post(addr, &format!("{path}/xhr"), "").check(200, "o\n");
        post(
            addr,
            &format!("{path}/xhr_send"),
            &format!("[\"{message}\"]"),
        )
        .check(204, "");
        post(addr, &format!("{path}/xhr"), "").check(200, end);
        // What comes too late is dropped; the client learns of the end where it receives.
        post(addr, &format!("{path}/xhr_send"), "[\"late\"]").check(204, "");
    }
}

#[test]
fn what_was_sent_before_the_end_still_arrives() {
    let addr = serve(steady().service(|session: Session| {
        session.send("one")?;
        session.send("two")
    }));
    let path = format!("{}/xhr", fresh("/x"));
    post(addr, &path, "").check(200, "o\n");
    let mut all = String::new();
    while !all.ends_with(GO_AWAY) {
        all += &post(addr, &path, "").body;
    }
    assert_eq!(
        all.replace("]\na[", ","),
        format!("a[\"one\",\"two\"]\n{GO_AWAY}")
    );
}

#[test]
fn codes_that_no_browser_could_get() {
    let addr = serve(steady().service(|session: Session| {
        for code in [0, 999, 1001, 1006, 2999, 5000] {
            assert!(
                matches!(session.close(code, "no"), Err(Error::Io(_))),
                "{code}"
            );
        }
        session.close(1000, "yes")
    }));
    let path = format!("{}/xhr", fresh("/x"));
    post(addr, &path, "").check(200, "o\n");
    post(addr, &path, "").check(200, "c[1000,\"yes\"]\n");
}
