//! Handing a connection over to another protocol.

mod common;

use common::{Client, exchange, start, statuses};
use greenwire_http::{Config, HeaderValue, Request, Response, StatusCode, header, upgrade};
use std::io::{Read, Write};
use std::net::SocketAddr;

fn shout(request: Request) -> Response {
    let mut response = Response::new("dropped".into());
    response
        .headers_mut()
        .insert(header::UPGRADE, HeaderValue::from_static("shout"));
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    let mut response = upgrade(response, |upgraded| {
        assert!(upgraded.peer().ip().unwrap().is_loopback());
        let (mut stream, early) = upgraded.into_parts();
        stream.write_all(&early.to_ascii_uppercase()).unwrap();
        let mut buf = [0; 64];
        while let Ok(count @ 1..) = stream.read(&mut buf) {
            stream
                .write_all(&buf[..count].to_ascii_uppercase())
                .unwrap();
        }
    });
    if request.uri().path() == "/forbidden" {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

fn server() -> SocketAddr {
    start(Config::default(), shout)
}

const HEAD: &str =
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: shout\r\nconnection: upgrade\r\n\r\n";
const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: shout\r\nConnection: upgrade\r\n\r\n";

#[test]
fn the_connection_is_handed_over_with_the_early_bytes() {
    let mut client = Client::new(server());
    client.send(format!("{GET}early"));
    assert_eq!(client.read_until("EARLY"), format!("{HEAD}EARLY"));
    client.send("late");
    assert_eq!(client.finish(), "LATE");
}

#[test]
fn responses_before_the_upgrade_come_first() {
    let answer = exchange(server(), GET.replace("/ ", "/forbidden ") + GET + "x");
    assert_eq!(statuses(&answer), ["403", "101"]);
    assert!(answer.ends_with(&format!("{HEAD}X")), "{answer}");
}

#[test]
fn no_upgrade_without_http_1_1_or_with_an_unread_body() {
    assert_eq!(
        statuses(&exchange(server(), GET.replace("HTTP/1.1", "HTTP/1.0"))),
        ["400"]
    );
    let body = GET.replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(statuses(&exchange(server(), body)), ["400"]);
}
