//! Who may read and keep answers, cookies, and pages of other origins.

use super::client::{Answer, Stream, ask, fresh, get, post};
use super::{echo, serve, services, steady};
use greenwire_websocket::{self as websocket, HandshakeError};

const NEVER_KEEP: &str = "no-store, no-cache, no-transform, must-revalidate, max-age=0";

#[track_caller]
fn check_preflight(answer: &Answer, origin: &str, methods: &str) {
    answer
        .check(204, "")
        .has("cache-control", "public, max-age=31536000")
        .has("access-control-max-age", "31536000")
        .has("access-control-allow-methods", methods)
        .has("access-control-allow-origin", origin)
        .has("access-control-allow-credentials", "true");
    assert!(answer.header("expires").ends_with(" GMT"));
}

#[test]
fn preflights() {
    let addr = services();
    let session = fresh("/echo");
    let rows = [
        ("/echo/info".to_owned(), "OPTIONS, GET, HEAD"),
        (format!("{session}/xhr"), "OPTIONS, POST"),
        (format!("{session}/xhr_send"), "OPTIONS, POST"),
        (format!("{session}/xhr_streaming"), "OPTIONS, POST"),
    ];
    for (path, methods) in rows {
        for origin in ["http://elsewhere", "null"] {
            let head =
                format!("OPTIONS {path}\nOrigin: {origin}\nAccess-Control-Request-Method: POST");
            check_preflight(&ask(addr, &head, ""), origin, methods);
        }
    }
    for (wanted, allowed) in [("a, b, c", "a, b, c"), ("", "")] {
        let head =
            format!("OPTIONS {session}/xhr\nOrigin: o\nAccess-Control-Request-Headers: {wanted}");
        ask(addr, &head, "").has("access-control-allow-headers", allowed);
    }
}

#[test]
fn pages_of_other_origins_may_read() {
    let addr = services();
    let session = fresh("/echo");
    let xhr = ask(
        addr,
        &format!("POST {session}/xhr\nOrigin: http://elsewhere"),
        "",
    );
    let send = ask(
        addr,
        &format!("POST {session}/xhr_send\nOrigin: http://elsewhere"),
        "[]",
    );
    for answer in [&xhr, &send] {
        answer
            .has("access-control-allow-origin", "http://elsewhere")
            .has("access-control-allow-credentials", "true")
            .has("vary", "origin")
            .has("cache-control", NEVER_KEEP)
            .has("last-modified", "");
    }
    post(addr, &format!("{session}/xhr_send"), "[]")
        .has("access-control-allow-origin", "*")
        .has("access-control-allow-credentials", "");
}

#[test]
fn what_is_not_there_may_be_read_as_such() {
    let addr = services();
    let head = format!("POST {}/xhr_send\nOrigin: http://elsewhere", fresh("/echo"));
    ask(addr, &head, "[]")
        .check(404, "")
        .has("access-control-allow-origin", "http://elsewhere");
}

#[test]
fn a_cookie_for_load_balancers() {
    let addr = services();
    let dummy = "JSESSIONID=dummy; path=/";
    let polled = fresh("/cookie_needed_echo");
    post(addr, &format!("{polled}/xhr"), "")
        .check(200, "o\n")
        .has("set-cookie", dummy);
    post(addr, &format!("{polled}/xhr_send"), "[]").has("set-cookie", dummy);
    let streams = [
        ("POST", "xhr_streaming"),
        ("GET", "eventsource"),
        ("GET", "htmlfile?c=f"),
        ("GET", "jsonp?c=f"),
    ];
    for (method, endpoint) in streams {
        let path = fresh("/cookie_needed_echo");
        let stream = Stream::open(addr, &format!("{method} {path}/{endpoint}"), "");
        stream.answer().has("set-cookie", dummy);
    }
    let path = fresh("/cookie_needed_echo");
    let head = format!("POST {path}/xhr\nCookie: a=b; JSESSIONID=abc; c=d");
    ask(addr, &head, "").has("set-cookie", "JSESSIONID=abc; path=/");
    post(addr, &format!("{}/xhr", fresh("/echo")), "").has("set-cookie", "");
}

#[test]
fn origins_may_be_named() {
    let addr = serve(
        steady()
            .allow_origins(["https://app.example"])
            .service(echo),
    );
    let own = format!("http://{addr}");
    for (origin, status) in [
        ("https://app.example", 200),
        (&own, 200),
        ("https://evil.example", 403),
        ("null", 403),
    ] {
        let head = format!("POST {}/xhr\nOrigin: {origin}", fresh("/x"));
        assert_eq!(ask(addr, &head, "").status, status, "{origin}");
        let connect = websocket::Config::default()
            .header("Origin", origin)
            .connect(&format!("ws://{addr}{}/websocket", fresh("/x")));
        match (status, connect) {
            (200, Ok(_)) => {}
            (_, Err(websocket::Error::Handshake(HandshakeError::Status(403)))) => {}
            (_, other) => panic!("{origin}: {other:?}"),
        }
    }
    assert_eq!(get(addr, "/x/info").status, 200, "programs send no origin");
}
