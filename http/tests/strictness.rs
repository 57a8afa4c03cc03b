//! RFC 9112 on raw bytes: what another server on the way could read differently is refused, and the
//! connection closed. Among it is everything that gevent's pywsgi was seen to let through.

mod common;

use common::{Client, exchange, start, statuses};
use greenwire_http::{Config, Error, HeaderName, HeaderValue, Request, Response};
use std::net::SocketAddr;
use std::sync::OnceLock;

/// Answers with what it understood.
fn tell(mut request: Request) -> Result<String, Error> {
    let body = request.body_mut().read_text()?;
    let host = request.headers().get("host");
    let host = host.map_or("", |host| host.to_str().unwrap_or("?"));
    Ok(format!(
        "{} {} {host} {body}",
        request.method(),
        request.uri()
    ))
}

fn server() -> SocketAddr {
    static SERVER: OnceLock<SocketAddr> = OnceLock::new();
    *SERVER.get_or_init(|| start(Config::default(), tell))
}

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

/// Just this one status is answered, whatever follows, and the connection closed.
#[track_caller]
fn refused(request: &str, status: &str) {
    let answer = exchange(server(), request.to_owned() + SMUGGLED);
    assert_eq!(statuses(&answer), [status], "{request:?}: {answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(!answer.contains("/smuggled"), "{answer}");
}

/// The request is understood so, and the one behind it, too.
#[track_caller]
fn understood(request: &str, as_what: &str) {
    let answer = exchange(server(), request.to_owned() + SMUGGLED);
    assert_eq!(statuses(&answer), ["200", "200"], "{request:?}: {answer}");
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    assert!(body.starts_with(as_what), "{request:?}: {answer}");
    assert!(answer.ends_with("GET /smuggled h "), "{answer}");
}

fn post(headers: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: h\r\n{headers}\r\n\r\n{body}")
}

#[test]
fn lines_that_end_otherwise() {
    for head in [
        "GET / HTTP/1.1\nHost: h\n\n",
        "GET / HTTP/1.1\r\nHost: h\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n\n",
        "GET / HTTP/1.1\rHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    ] {
        refused(head, "400");
    }
    understood("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / h");
}

#[test]
fn header_lines() {
    for line in [
        "A: b\r\n c",
        "A: b\r\n\tc",
        "A: b\0c",
        "A: b\u{1}c",
        "A : b",
        "A\t: b",
        " A: b",
        ": b",
        "no colon",
        "A(b): c",
        "Host: h",
    ] {
        refused(
            &format!("GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n"),
            "400",
        );
    }
    // Folded right behind the request line, the host would be lost.
    refused("GET / HTTP/1.1\r\n Host: h\r\n\r\n", "400");
    // A name with `_` is not that with `-`, as it would be in CGI.
    understood(
        "GET / HTTP/1.1\r\nHost: h\r\nContent_Length: 9\r\n\r\n",
        "GET / h",
    );
}

#[test]
fn hosts() {
    refused("GET / HTTP/1.1\r\n\r\n", "400");
    refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400");
    refused("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "400");
    refused("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400");
    refused("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "400");
    refused("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", "400");
    refused("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400");
    understood("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / [::1]:80");
}

#[test]
fn versions() {
    refused("GET /\r\n", "400");
    refused("GET /\r\n\r\n", "400");
    refused("GET / HTTP/0.9\r\n\r\n", "505");
    refused("GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505");
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505");
    refused("GET / http/1.1\r\nHost: h\r\n\r\n", "400");
    refused("GET / HTTP/1.1.1\r\nHost: h\r\n\r\n", "400");
    // What begins TLS on a port without it is answered at once.
    refused("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0", "400");
    // Nobody speaks HTTP/2 here, whoever asks for it.
    let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA";
    understood(
        &format!("GET / HTTP/1.1\r\nHost: h\r\n{upgrade}\r\n\r\n"),
        "GET / h",
    );
}

#[test]
fn expectations_in_http_1_0_are_none() {
    for expectation in ["100-continue", "more"] {
        let head = format!("POST / HTTP/1.0\r\nExpect: {expectation}\r\nContent-Length: 3\r\n");
        let answer = exchange(server(), head + "\r\nabc");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("POST /  abc"), "{answer}");
    }
}

#[test]
fn targets() {
    // The authority of an absolute target counts, and not the `Host` (RFC 9112 §3.2.2).
    understood(
        "GET http://a.b:81/c?d HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http://a.b:81/c?d a.b:81",
    );
    understood("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * h");
    for target in [
        "*",
        "/a b",
        "/a#b",
        "a",
        "ftp://a/",
        "http://",
        "http://u:p@a/",
        "\\",
    ] {
        refused(&format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"), "400");
    }
    refused("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "501");
}

#[test]
fn lengths() {
    for length in [
        "+3",
        "-3",
        "3_0",
        "0x3",
        "3, 3",
        "3,4",
        "3 3",
        "",
        "3.0",
        "\u{663}",
        "3\u{b}",
        "18446744073709551616",
    ] {
        refused(&post(&format!("Content-Length: {length}"), "abc"), "400");
    }
    refused(
        &post("Content-Length: 3\r\nContent-Length: 4", "abc"),
        "400",
    );
    refused(
        &post("Content-Length: 3\r\nContent-Length: 3", "abc"),
        "400",
    );
    refused(&post("Content-Length : 3", "abc"), "400");
    understood(&post("Content-Length: 003", "abc"), "POST / h abc");
}

#[test]
fn codings() {
    let chunked = "3\r\nabc\r\n0\r\n\r\n";
    for headers in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 13",
        "Transfer-Encoding: xchunked\r\nContent-Length: 13",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\u{b}chunked",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: chunked;a=b",
        "Transfer-Encoding:",
    ] {
        refused(&post(headers, chunked), "400");
    }
    refused(&post("Transfer-Encoding: gzip, chunked", chunked), "501");
    refused(
        &post(
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
            chunked,
        ),
        "501",
    );
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    refused(&format!("{old}{chunked}"), "400");
    understood(&post("Transfer-Encoding: Chunked", chunked), "POST / h abc");
}

#[test]
fn chunks() {
    for body in [
        "\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "3 \r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "3_0\r\nabc\r\n0\r\n\r\n",
        "g\r\nabc\r\n0\r\n\r\n",
        "00000000000000003\r\nabc\r\n0\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3\rabc\r\n0\r\n\r\n",
        "3;a\nb\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "0\r\nA b: c\r\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n",
        "0\r\nA: b\n\r\n",
        "0\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
    ] {
        refused(&post("Transfer-Encoding: chunked", body), "400");
    }
    understood(
        &post(
            "Transfer-Encoding: chunked",
            "3;a=\"b\"\r\nabc\r\n0\r\nA: b\r\n\r\n",
        ),
        "POST / h abc",
    );
}

#[test]
fn options_of_the_connection_in_any_order() {
    for options in [
        "close",
        "Close",
        "keep-alive, close",
        "close, keep-alive",
        "x,close",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: h\r\nConnection: {options}\r\n\r\n");
        let answer = exchange(server(), request + SMUGGLED);
        assert_eq!(statuses(&answer), ["200"], "{options}");
    }
}

#[test]
fn an_expectation_that_is_not_met_leaves_nothing_behind() {
    let addr = start(Config::default(), |_: Request| "not read");
    for expectation in ["100-continue", "100-Continue"] {
        let mut client = Client::new(addr);
        client.send(post(
            &format!(
                "Expect: {expectation}\r\nContent-Length: {}",
                SMUGGLED.len()
            ),
            SMUGGLED,
        ));
        let answer = client.read_to_close();
        assert!(!answer.contains("100 Continue"), "{answer}");
        assert_eq!(statuses(&answer), ["200"], "{answer}");
    }
}

#[test]
fn responses_cannot_be_split() {
    for value in ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\0b"] {
        assert!(HeaderValue::from_str(value).is_err());
        assert!(HeaderName::from_bytes(value.as_bytes()).is_err());
        assert!(
            http::Response::builder()
                .header("x", value)
                .body(())
                .is_err()
        );
    }
    // Nor by a target that a handler gives back.
    let addr = start(Config::default(), |request: Request| {
        let mut response = Response::default();
        let value = HeaderValue::from_str(&request.uri().to_string()).unwrap();
        response.headers_mut().insert("location", value);
        response
    });
    let answer = exchange(addr, "GET /%0d%0aSet-Cookie:b HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(
        answer.contains("location: /%0d%0aSet-Cookie:b\r\n"),
        "{answer}"
    );
}
