//! The table of limits in the crate's documentation, row by row: what still goes, and what does not.

mod common;

use common::{Client, exchange, start, statuses};
use greenwire_http::{Body, Config, Error, Request, Response};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// With the limits that nobody set.
fn server() -> SocketAddr {
    static SERVER: OnceLock<SocketAddr> = OnceLock::new();
    *SERVER.get_or_init(|| {
        start(Config::default(), |mut request: Request| {
            let read = request.body_mut().read_to_vec();
            read.map(|body| body.len().to_string())
        })
    })
}

/// The request gets this status, and what comes behind it only counts if it was a good one.
#[track_caller]
fn check(request: impl AsRef<str>, status: &str) {
    let answer = exchange(server(), request.as_ref().to_owned() + GET);
    let all: &[&str] = if status == "200" {
        &["200", "200"]
    } else {
        &[status]
    };
    assert_eq!(statuses(&answer), all, "{answer}");
    assert_eq!(answer.contains("connection: close\r\n"), status != "200");
}

fn x(count: usize) -> String {
    "x".repeat(count)
}

#[test]
fn the_times_and_counts_are_those_of_the_table() {
    let config = format!("{:?}", Config::default());
    for default in [
        "max_connections: 100000,",
        "max_requests: 1000000,",
        "head_timeout: 30s,",
        "idle_timeout: 75s,",
        "body_timeout: 30s,",
        "write_timeout: 30s,",
        "proxies: None",
    ] {
        assert!(config.contains(default), "{default} in {config}");
    }
}

#[test]
fn request_line() {
    let line = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", x(length - 14));
    check(line(8 << 10), "200");
    check(line((8 << 10) + 1), "414");
}

#[test]
fn a_request_line_without_end_is_not_waited_for() {
    let mut client = Client::new(server());
    // The server answers before it has all of it, and may close meanwhile.
    let _ = client
        .0
        .write_all(format!("GET /{}", x(1 << 20)).as_bytes());
    let answer = client.read_to_close();
    assert!(["414", ""].contains(&statuses(&answer).join(" ").as_str()));
    let mut client = Client::new(server());
    client.send(format!("GET /{}", x(9 << 10)));
    assert_eq!(statuses(&client.read_to_close()), ["414"]);
}

#[test]
fn head() {
    let head =
        |length: usize| format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", x(length - 32));
    assert_eq!(head(100).len(), 100);
    check(head(32 << 10), "200");
    check(head((32 << 10) + 1), "431");
    // Neither is a head without end waited for.
    let mut client = Client::new(server());
    client.send(&head(33 << 10)[..33 << 10]);
    assert_eq!(statuses(&client.read_to_close()), ["431"]);
}

#[test]
fn header_lines() {
    let lines = |count: usize| {
        let more = "X: y\r\n".repeat(count - 1);
        format!("GET / HTTP/1.1\r\nHost: h\r\n{more}\r\n")
    };
    check(lines(100), "200");
    check(lines(101), "431");
    check(lines(3000), "431");
}

#[test]
fn body() {
    let post = |length| {
        let body = x(length);
        format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    check(post(2 << 20), "200");
    let mut client = Client::new(server());
    let _ = client.0.write_all(post((2 << 20) + 1).as_bytes());
    assert_eq!(client.read_until("\r\n")[..12], *"HTTP/1.1 413");
}

#[test]
fn what_frames_chunks() {
    let chunked = |body: &str| {
        format!("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
    };
    let extension = |length: usize| chunked(&format!("1;{}\r\na\r\n0\r\n\r\n", x(length)));
    check(extension(1 << 10), "200");
    check(extension((1 << 10) + 1), "400");
    let extensions = |count| {
        let chunk = format!("1;{}\r\na\r\n", x(1 << 10));
        chunked(&(chunk.repeat(count) + "0\r\n\r\n"))
    };
    check(extensions(16), "200");
    check(extensions(17), "400");
    let trailers = |length: usize| chunked(&format!("0\r\nA:{}\r\n\r\n", x(length - 6)));
    check(trailers(8 << 10), "200");
    check(trailers((8 << 10) + 1), "400");
    // Sizes that no computer has room for.
    check(chunked("ffffffffffffffff\r\nabc"), "413");
    check(chunked("10000000000000000\r\nabc"), "400");
}

/// Answers without end, and tells when it can write no more.
fn endless(config: Config) -> (SocketAddr, Receiver<()>) {
    let (ended, is_ended) = channel();
    let ended = Mutex::new(ended);
    let addr = start(config, move |_: Request| {
        let ended = ended.lock().unwrap().clone();
        Response::new(Body::writer(move |out| {
            let failed =
                std::iter::repeat_with(|| out.write_all(&[b'x'; 8192])).find(Result::is_err);
            let _ = ended.send(());
            failed.unwrap_or(Ok(()))
        }))
    });
    (addr, is_ended)
}

#[test]
fn a_client_that_does_not_read() {
    let limit = Duration::from_millis(100);
    let (addr, is_ended) = endless(Config::default().write_timeout(limit));
    let mut client = Client::new(addr);
    client.send(GET);
    is_ended.recv_timeout(PATIENCE).unwrap();
    // What had left before can be read, and then nothing more comes.
    let answer = client.read_to_close();
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.ends_with("0\r\n\r\n"));
}

#[test]
fn limits_can_be_raised_and_lowered() {
    let read = |mut request: Request| -> Result<String, Error> {
        request.body_mut().set_limit(10);
        request.body_mut().read_text()
    };
    let config = Config::default()
        .max_request_line(16 << 10)
        .max_headers(200);
    let addr = start(config, read);
    let lines = "X: y\r\n".repeat(199);
    let good = format!("GET /{} HTTP/1.1\r\nHost: h\r\n{lines}\r\n", x(10_000));
    assert_eq!(statuses(&exchange(addr, good)), ["200"]);
    let post = |length| {
        let body = x(length);
        format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}")
    };
    assert_eq!(statuses(&exchange(addr, post(10))), ["200"]);
    assert_eq!(statuses(&exchange(addr, post(11))), ["413"]);
}
