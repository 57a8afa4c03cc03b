//! The same server with an OS thread for each connection: a process of its own.

mod common;

use common::{Client, start, statuses};
use greenwire_http::{Body, Config, Request, Response};
use greenwire_runtime::{Builder, thread};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::OnceLock;

fn handle(mut request: Request) -> Response {
    assert!(!thread::is_green());
    match request.uri().path() {
        "/echo" => Response::new(request.body_mut().read_to_vec().unwrap().into()),
        "/pieces" => Response::new(Body::writer(|out| {
            out.write_all(b"one")?;
            out.write_all(b"two")
        })),
        _ => Response::new("hello".into()),
    }
}

fn server() -> SocketAddr {
    static SERVER: OnceLock<SocketAddr> = OnceLock::new();
    *SERVER.get_or_init(|| {
        Builder::new().os_threads(true).start().unwrap();
        start(Config::default(), handle)
    })
}

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn answers_of_one_batch_leave_in_one_write() {
    let mut client = Client::new(server());
    client.send(GET.repeat(100));
    let mut buf = vec![0; 64 << 10];
    let count = client.0.read(&mut buf).unwrap();
    let answer = String::from_utf8_lossy(&buf[..count]);
    assert_eq!(statuses(&answer).len(), 100);
    assert!(answer.ends_with("hello"));
}

#[test]
fn bodies_come_and_go() {
    let mut client = Client::new(server());
    client.send(
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    );
    assert_eq!(
        client.read_until("\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    client.send("ok");
    client.read_until("ok");
    client.send(GET.replace("/ ", "/pieces ") + GET);
    let answer = client.read_until("hello");
    assert!(
        answer.contains("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200"),
        "{answer}"
    );
}
