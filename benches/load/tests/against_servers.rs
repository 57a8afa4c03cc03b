//! The load generator against servers that are good, wrong, or silent.

use greenwire_bench_load::{Kind, Outcome, Plan, run};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server with an OS thread for each connection.
fn server(serve: fn(TcpStream) -> io::Result<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // Every connection ends in some way.
            thread::spawn(move || drop(serve(stream)));
        }
    });
    address
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..read])?;
    }
}

/// Waits for the end of a request.
fn request(reader: &mut impl BufRead) -> io::Result<()> {
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

fn http(mut stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        request(&mut reader)?;
        stream.write_all(OK)?;
    }
}

/// Answers one request, and is silent from then on.
fn answer_once(mut stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    request(&mut reader)?;
    stream.write_all(OK)?;
    io::copy(&mut reader, &mut io::sink())?;
    Ok(())
}

fn load(kind: Kind, address: SocketAddr, set: impl FnOnce(&mut Plan)) -> Outcome {
    let mut plan = Plan::new(kind);
    plan.address = address;
    plan.warm_up = 0.0;
    plan.seconds = 1.0;
    plan.watch = vec![std::process::id()];
    set(&mut plan);
    run(plan, || {}).expect("all connect")
}

#[test]
fn an_echo_is_counted_and_timed() {
    let outcome = load(Kind::TcpEcho, server(echo), |plan| {
        plan.connections = 4;
        plan.size = 100;
    });
    assert_eq!(outcome.failed, 0, "{:?}", outcome.failure);
    assert!(outcome.operations > 0);
    assert!(outcome.latencies.count() > 0);
}

/// More than socket buffers hold is on its way: the load generator must read while it cannot write.
#[test]
fn a_window_larger_than_the_buffers_does_not_stop() {
    let outcome = load(Kind::TcpEcho, server(echo), |plan| {
        plan.size = 16 * 1024;
        plan.window = 4000;
    });
    assert_eq!(outcome.failed, 0, "{:?}", outcome.failure);
    assert!(outcome.operations > 0);
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let outcome = load(Kind::Http, server(http), |plan| {
        plan.window = 16;
        plan.body = Some("ok".to_owned());
    });
    assert_eq!(outcome.failed, 0, "{:?}", outcome.failure);
    assert!(outcome.operations > 0);
}

#[test]
fn connections_come_and_go() {
    let outcome = load(Kind::Churn, server(http), |plan| plan.connections = 2);
    assert_eq!(outcome.failed, 0, "{:?}", outcome.failure);
    assert!(outcome.operations > 0);
}

#[test]
fn a_wrong_body_is_a_failure() {
    let outcome = load(Kind::Http, server(http), |plan| {
        plan.body = Some("no".to_owned())
    });
    assert_eq!(outcome.failed, 1);
    assert!(outcome.failure.is_some_and(|why| why.contains("body")));
}

/// 200 requests a second are due, and one is answered: the others have waited, and count.
#[test]
fn requests_that_were_due_and_never_sent_are_not_forgiven() {
    let outcome = load(Kind::Http, server(answer_once), |plan| {
        plan.rate = Some(200.0)
    });
    assert_eq!(outcome.failed, 0, "{:?}", outcome.failure);
    assert!(outcome.operations <= 1);
    assert!(
        outcome.latencies.count() >= 100,
        "{}",
        outcome.latencies.count()
    );
    let median = outcome.latencies.quantiles(&[0.5])[0];
    assert!(median.as_millis() >= 100, "{median:?}");
}
