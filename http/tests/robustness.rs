//! Clients and handlers that misbehave: the right status, a closed connection, others undisturbed.

mod common;

use common::{Client, exchange, start, statuses};
use greenwire_http::{Body, Config, Error, Request, Response};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

fn handle(mut request: Request) -> Result<Response, Error> {
    match request.uri().path() {
        "/panic" => panic!("as asked"),
        "/panic-late" => Ok(Response::new(Body::writer(|out| {
            out.write_all(b"part")?;
            out.flush()?;
            panic!("as asked, late")
        }))),
        "/raise" => {
            request.body_mut().set_limit(1 << 20);
            Ok(Response::new(
                request.body_mut().read_to_vec()?.len().to_string().into(),
            ))
        }
        _ => Ok(Response::new(request.body_mut().read_to_vec()?.into())),
    }
}

fn server() -> SocketAddr {
    start(Config::default().max_body(1000), handle)
}

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// The bytes get this one status, no request behind them is answered, and the server closes.
#[track_caller]
fn check(request: impl AsRef<[u8]>, status: &str) {
    let mut client = Client::new(server());
    client.send(request.as_ref());
    let _ = client.0.write_all(GET.as_bytes());
    let answer = client.read_to_close();
    assert_eq!(statuses(&answer), [status], "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[test]
fn a_body_beyond_the_limit_gets_413() {
    let post = "POST / HTTP/1.1\r\nHost: h\r\n";
    check(
        format!("{post}Content-Length: 1001\r\n\r\n{}", "x".repeat(1001)),
        "413",
    );
    check(
        format!("{post}Content-Length: 9999999999999\r\n\r\n"),
        "413",
    );
    check(
        format!("{post}Transfer-Encoding: chunked\r\n\r\n3e9\r\n"),
        "413",
    );
    let chunk = format!("64\r\n{}\r\n", "x".repeat(100)).repeat(11);
    check(
        format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n"),
        "413",
    );
    let raised = "POST /raise HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n".to_owned();
    assert!(exchange(server(), raised + &"x".repeat(2000)).ends_with("\r\n\r\n2000"));
}

#[test]
fn a_truncated_body_is_never_taken_for_whole() {
    for body in [
        "Content-Length: 5\r\n\r\nhell",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let answer = exchange(server(), format!("POST / HTTP/1.1\r\nHost: h\r\n{body}"));
        assert_eq!(statuses(&answer), ["400"], "{answer}");
    }
    assert_eq!(exchange(server(), "GET / HTTP/1.1\r\nHos"), "");
}

#[test]
fn trickling_a_head_does_not_extend_its_time() {
    let limit = Duration::from_millis(300);
    let addr = start(Config::default().head_timeout(limit), handle);
    let mut client = Client::new(addr);
    let mut trickle = client.0.try_clone().unwrap();
    let begun = Instant::now();
    let (done, stop) = mpsc::channel::<()>();
    let trickling = std::thread::spawn(move || {
        let _ = trickle.write_all(b"GET / HTTP/1.1\r\nX: ");
        while stop.recv_timeout(Duration::from_millis(50)) == Err(mpsc::RecvTimeoutError::Timeout) {
            if trickle.write_all(b"x").is_err() {
                return;
            }
        }
    });
    assert_eq!(client.read_until("\r\n")[..12], *"HTTP/1.1 408");
    assert!(begun.elapsed() >= limit);
    drop(done);
    trickling.join().unwrap();
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let addr = start(
        Config::default().idle_timeout(Duration::from_millis(100)),
        handle,
    );
    assert_eq!(Client::new(addr).read_to_close(), "");
    let mut client = Client::new(addr);
    client.send(GET);
    assert_eq!(statuses(&client.read_to_close()), ["200"]);
}

#[test]
fn a_connection_ends_after_its_last_request() {
    let addr = start(Config::default().max_requests(2), handle);
    let answer = exchange(addr, GET.repeat(3));
    assert_eq!(statuses(&answer), ["200", "200"]);
    assert_eq!(answer.matches("connection: close\r\n").count(), 1);
}

#[test]
fn a_stalled_body_gets_408() {
    let addr = start(
        Config::default().body_timeout(Duration::from_millis(100)),
        handle,
    );
    let mut client = Client::new(addr);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
    assert_eq!(statuses(&client.read_to_close()), ["408"]);
}

#[test]
fn a_panic_costs_its_connection_only() {
    let addr = server();
    let mut other = Client::new(addr);
    other.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nh");
    let panicking = exchange(addr, GET.replace("/ ", "/panic ") + GET);
    assert_eq!(statuses(&panicking), ["500"]);
    assert!(panicking.contains("connection: close"));
    let late = exchange(addr, GET.replace("/ ", "/panic-late ") + GET);
    assert!(late.ends_with("4\r\npart\r\n"), "{late}");
    other.send("i");
    other.read_until("hi");
    other.send(GET);
    assert_eq!(statuses(&other.finish()), ["200"]);
}

#[test]
fn a_slot_frees_when_a_connection_ends() {
    let addr = start(Config::default().max_connections(1), handle);
    let mut first = Client::new(addr);
    first.send(GET);
    first.read_until("\r\n\r\n");
    let mut second = Client::new(addr);
    second.send(GET);
    second
        .0
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    assert!(second.0.peek(&mut [0]).is_err(), "served beyond the limit");
    second.0.set_read_timeout(Some(common::DEADLINE)).unwrap();
    drop(first);
    assert_eq!(statuses(&second.finish()), ["200"]);
}

#[test]
fn a_body_kept_beyond_its_request_cannot_be_read() {
    let (sender, receiver) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let addr = start(Config::default(), move |request: Request| {
        sender.lock().unwrap().send(request.into_body()).unwrap();
    });
    let answer = exchange(
        addr,
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
    );
    assert_eq!(statuses(&answer), ["204"]);
    let mut body = receiver.recv().unwrap();
    assert!(matches!(body.read_to_vec(), Err(Error::RequestOver)));
}
