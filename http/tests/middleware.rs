//! The middlewares, from outside.

mod common;

use common::{exchange, start, statuses};
use greenwire_http::middleware::{AccessLog, BodyLimit, CatchPanic, Cors, Id, RequestId, Timeout};
use greenwire_http::{
    Body, Config, Error, Handler, IntoResponse, Method, Request, Response, Router, StatusCode,
};
use greenwire_runtime::thread;
use std::io::Write;
use std::net::SocketAddr;
use std::panic::catch_unwind;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn serve(handler: impl Handler) -> SocketAddr {
    start(Config::default(), handler)
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n")
}

fn app(mut request: Request) -> Result<Response, Error> {
    Ok(match request.uri().path() {
        "/hello" => "hello".into_response(),
        "/nothing" => StatusCode::NO_CONTENT.into_response(),
        "/stream" => Body::from_iter(["one", "two"]).into_response(),
        "/broken" => Body::writer(|out| {
            out.write_all(b"part")?;
            Err(std::io::Error::other("no more"))
        })
        .into_response(),
        "/body" => request.body_mut().read_text()?.into_response(),
        "/panic" => panic!("on purpose"),
        "/sleep" => {
            thread::sleep(Duration::from_secs(600));
            "woken".into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    })
}

/// A server whose lines come out of the receiver, without their times.
fn logged(
    log: impl FnOnce(
        fn(Request) -> Result<Response, Error>,
    ) -> AccessLog<fn(Request) -> Result<Response, Error>>,
) -> (SocketAddr, Receiver<String>) {
    let (sender, lines) = channel();
    let sender = std::sync::Mutex::new(sender);
    let log = log(app).to(move |line| {
        let (begin, rest) = line.split_once('[').unwrap();
        let (time, end) = rest.split_once(']').unwrap();
        assert!(is_time(time), "{time}");
        let line = format!("{begin}[]{end}");
        sender.lock().unwrap().send(line).unwrap();
    });
    (serve(log), lines)
}

/// `10/Oct/2026:13:55:36 +0000`
fn is_time(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'a'..='z' | 'A'..='Z' => 'a',
            other => other,
        })
        .collect();
    shape == "99/aaa/9999:99:99:99 +9999"
}

#[test]
fn the_access_log_has_a_line_for_each_response() {
    let (addr, lines) = logged(AccessLog::common);
    for (request, expected) in [
        (
            request("GET", "/hello?a=b", ""),
            "\"GET /hello?a=b HTTP/1.1\" 200 5",
        ),
        (
            request("HEAD", "/hello", ""),
            "\"HEAD /hello HTTP/1.1\" 200 -",
        ),
        (
            request("GET", "/nothing", ""),
            "\"GET /nothing HTTP/1.1\" 204 -",
        ),
        (
            request("GET", "/stream", ""),
            "\"GET /stream HTTP/1.1\" 200 6",
        ),
        (
            request("HEAD", "/stream", ""),
            "\"HEAD /stream HTTP/1.1\" 200 -",
        ),
        (
            request("GET", "/broken", ""),
            "\"GET /broken HTTP/1.1\" 200 4",
        ),
        (request("GET", "/x", ""), "\"GET /x HTTP/1.1\" 404 -"),
        (
            request("GET", "/panic", ""),
            "\"GET /panic HTTP/1.1\" 500 -",
        ),
        (
            "GET /hello HTTP/1.0\r\n\r\n".to_owned(),
            "\"GET /hello HTTP/1.0\" 200 5",
        ),
    ] {
        exchange(addr, request);
        let line = lines.recv_timeout(PATIENCE).unwrap();
        assert_eq!(line, format!("127.0.0.1 - - [] {expected}"));
    }
}

#[test]
fn nobody_forges_a_line() {
    let (addr, lines) = logged(AccessLog::combined);
    let headers = "Referer: http://a/\r\nUser-Agent: x\" 200 \\ \u{e9}\r\n";
    exchange(addr, request("GET", "/hello", headers));
    let line = lines.recv_timeout(PATIENCE).unwrap();
    let end = "200 5 \"http://a/\" \"x\\\" 200 \\\\ \\xc3\\xa9\"";
    assert!(line.ends_with(end), "{line}");
    exchange(addr, request("GET", "/hello", "User-Agent: curl\r\n"));
    let line = lines.recv_timeout(PATIENCE).unwrap();
    assert!(line.ends_with("200 5 \"-\" \"curl\""), "{line}");
}

#[test]
fn a_panic_is_a_500_and_the_connection_goes_on() {
    let addr = serve(CatchPanic::new(app));
    let two = request("GET", "/panic", "") + &request("GET", "/hello", "");
    let answer = exchange(addr, two);
    assert_eq!(statuses(&answer), ["500", "200"]);
    assert!(!answer.contains("on purpose"));
}

#[test]
fn a_handler_that_takes_too_long_is_cut_short() {
    let limited = Timeout::new(app, Duration::from_millis(20));
    // A timeout inside of it is no panic.
    let addr = serve(CatchPanic::new(Timeout::new(limited, PATIENCE)));
    let two = request("GET", "/sleep", "") + &request("GET", "/hello", "");
    assert_eq!(statuses(&exchange(addr, two)), ["503", "200"]);
    let addr = serve(Timeout::new(
        CatchPanic::new(app),
        Duration::from_millis(20),
    ));
    assert_eq!(
        statuses(&exchange(addr, request("GET", "/sleep", ""))),
        ["503"]
    );
}

#[test]
fn bodies_are_limited_for_one_handler() {
    let small = BodyLimit::new(app, 4);
    let large = BodyLimit::new(app, 3 << 20);
    let addr = serve(Router::new().mount("/small", small).mount("/large", large));
    let post = |path: &str, length: usize| {
        let headers = format!("Content-Length: {length}\r\n");
        request("POST", path, &headers) + &"x".repeat(length)
    };
    assert_eq!(statuses(&exchange(addr, post("/small/body", 4))), ["200"]);
    assert_eq!(statuses(&exchange(addr, post("/small/body", 5))), ["413"]);
    assert_eq!(statuses(&exchange(addr, post("/small/hello", 5))), ["413"]);
    assert_eq!(
        statuses(&exchange(addr, post("/large/body", 5 << 19))),
        ["200"]
    );
    let chunked = request("POST", "/small/body", "Transfer-Encoding: chunked\r\n");
    let chunked = chunked + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(statuses(&exchange(addr, chunked)), ["413"]);
}

#[test]
fn requests_have_names() {
    let told = |request: Request| {
        request
            .extensions()
            .get::<Id>()
            .unwrap()
            .as_str()
            .to_owned()
    };
    let id_of = |answer: &str| {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let id = head
            .lines()
            .find_map(|line| line.strip_prefix("x-request-id: "));
        assert_eq!(id, Some(body));
        body.to_owned()
    };
    let given = request("GET", "/", "X-Request-Id: abc-1.2_Z\r\n");
    let addr = serve(RequestId::new(told));
    let first = id_of(&exchange(addr, &given));
    let second = id_of(&exchange(addr, &given));
    assert_ne!(first, second);
    assert!(first.len() == 16 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));

    let addr = serve(RequestId::new(told).trust_clients(true));
    assert_eq!(id_of(&exchange(addr, given)), "abc-1.2_Z");
    for odd in ["", "a b", "a\"b", &"x".repeat(129)] {
        let answer = exchange(
            addr,
            request("GET", "/", &format!("X-Request-Id: {odd}\r\n")),
        );
        assert_eq!(id_of(&answer).len(), 16, "{odd}");
    }
}

/// The lines of the head that are about origins, sorted.
fn cors_lines(answer: &str) -> Vec<&str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let about = |line: &&str| line.starts_with("access-control-") || line.starts_with("vary");
    let mut lines: Vec<&str> = head.lines().filter(about).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn other_origins_are_told_what_they_may() {
    let cors = Cors::new(app)
        .origin("https://a.example")
        .origin("http://localhost:5173")
        .methods([Method::GET, Method::DELETE])
        .headers(["authorization", "X-Mine"])
        .expose(["etag"])
        .credentials()
        .max_age(Duration::from_secs(60));
    let addr = serve(cors);
    let preflight = "Access-Control-Request-Method: DELETE\r\n";
    let of_a = "Origin: https://a.example\r\n";

    let answer = exchange(
        addr,
        request("OPTIONS", "/hello", &format!("{of_a}{preflight}")),
    );
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(
        cors_lines(&answer),
        [
            "access-control-allow-credentials: true",
            "access-control-allow-headers: authorization, x-mine",
            "access-control-allow-methods: GET, DELETE",
            "access-control-allow-origin: https://a.example",
            "access-control-expose-headers: etag",
            "access-control-max-age: 60",
            "vary: origin",
        ]
    );
    let answer = exchange(addr, request("GET", "/hello", of_a));
    assert!(answer.ends_with("hello"));
    assert_eq!(
        cors_lines(&answer),
        [
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://a.example",
            "access-control-expose-headers: etag",
            "vary: origin",
        ]
    );
    for origin in [
        "https://b.example",
        "https://a.example.evil",
        "null",
        "https://A.example",
    ] {
        let headers = format!("Origin: {origin}\r\n");
        let answer = exchange(addr, request("GET", "/hello", &headers));
        assert!(answer.ends_with("hello"));
        assert_eq!(cors_lines(&answer), ["vary: origin"], "{origin}");
        let answer = exchange(addr, request("OPTIONS", "/hello", &(headers + preflight)));
        assert_eq!(cors_lines(&answer), ["vary: origin"], "{origin}");
    }
    // No preflight: the handler's.
    let answer = exchange(addr, request("OPTIONS", "/hello", of_a));
    assert!(answer.ends_with("hello"));
    assert_eq!(
        cors_lines(&exchange(addr, request("GET", "/hello", ""))),
        ["vary: origin"]
    );
}

#[test]
fn all_origins_may_be_told_but_not_with_credentials() {
    let addr = serve(Cors::new(app).any_origin());
    let answer = exchange(addr, request("GET", "/hello", "Origin: null\r\n"));
    assert_eq!(cors_lines(&answer), ["access-control-allow-origin: *"]);
    assert!(catch_unwind(|| Cors::new(app).any_origin().credentials()).is_err());
    assert!(catch_unwind(|| Cors::new(app).credentials().any_origin()).is_err());
    assert!(catch_unwind(|| Cors::new(app).origin("https://a.example/")).is_err());
    assert!(catch_unwind(|| Cors::new(app).origin("a.example")).is_err());
}
