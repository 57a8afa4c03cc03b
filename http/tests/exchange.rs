//! Requests and their responses on a well-behaved connection.

mod common;

use common::{Client, exchange, start, statuses};
use greenwire_http::{
    Body, Config, Error, HeaderValue, Method, Peer, Request, Response, StatusCode, header, html,
};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};

fn handle(mut request: Request) -> Result<Response, Error> {
    Ok(match request.uri().path() {
        "/echo" => Response::new(request.body_mut().read_to_vec()?.into()),
        "/stream-back" => Response::new(request.into_body()),
        "/ignore" => Response::new("ignored".into()),
        "/peer" => {
            let ip = Peer::of(&request).and_then(Peer::ip).unwrap();
            // Taken apart and put together, it is the same.
            let (parts, body) = request.into_parts();
            let again = Request::from_parts(parts, body);
            assert_eq!(Peer::of(&again).and_then(Peer::ip), Some(ip));
            Response::new(ip.is_loopback().to_string().into())
        }
        "/stuck" => {
            greenwire_runtime::thread::park();
            Response::default()
        }
        "/elsewhere" => {
            let mut body = request.into_body();
            let text = std::thread::spawn(move || body.read_text())
                .join()
                .unwrap()?;
            Response::new(text.into())
        }
        "/html" => html("<p>"),
        "/iter" => Response::new(Body::from_iter(["one", "", "two"])),
        "/reader" => Response::new(Body::from_reader(io::repeat(b'x').take(20_000))),
        "/large" => Response::new("y".repeat(100_000).into()),
        "/broken" => Response::new(Body::writer(|out| {
            out.write_all(b"part")?;
            Err(io::Error::other("no more"))
        })),
        "/promise" | "/short" | "/long" => {
            let length = match request.uri().path() {
                "/promise" => 4,
                "/short" => 5,
                _ => 3,
            };
            let mut response = Response::new(Body::writer(|out| out.write_all(b"four")));
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            response
        }
        "/headers" => {
            let mut response = Response::new("abc".into());
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(99));
            headers.insert(
                header::TRANSFER_ENCODING,
                HeaderValue::from_static("chunked"),
            );
            headers.insert(header::CONNECTION, HeaderValue::from_static("close, x"));
            headers.append("x-a", HeaderValue::from_static("1"));
            headers.append("x-a", HeaderValue::from_static("2"));
            response
        }
        "/trailers" => {
            let text = request.body_mut().read_text()?;
            let mut trailers = request.body().trailers();
            trailers.insert("x-length", HeaderValue::from(text.len()));
            trailers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("9"));
            Response::new(Body::writer(move |out| {
                out.set_trailers(trailers);
                out.write_all(text.as_bytes())
            }))
        }
        "/sized" => Response::new(Body::from_sized_reader(&b"sized more"[..], 5)),
        "/204" | "/205" | "/304" | "/101" => {
            let mut response = Response::new("nothing".into());
            *response.status_mut() = request.uri().path()[1..].parse().unwrap();
            response
        }
        "/" => Response::new("root".into()),
        path => {
            let text = format!("{} {path}", request.method());
            return Ok(greenwire_http::IntoResponse::into_response((
                StatusCode::NOT_FOUND,
                text,
            )));
        }
    })
}

fn server() -> SocketAddr {
    start(Config::default(), handle)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

#[track_caller]
fn check(request: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(exchange(server(), request), expected);
}

#[test]
fn plain_responses() {
    check(get("/"), "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nroot");
    check(
        get("/peer"),
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue",
    );
    check(
        get("/html"),
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 3\r\n\r\n<p>",
    );
    check(
        get("/x"),
        "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 6\r\n\r\nGET /x",
    );
}

#[test]
fn every_response_has_a_date() {
    let mut client = Client::new(server());
    client.send(get("/"));
    let mut bytes = [0; 100];
    let count = client.0.read(&mut bytes).unwrap();
    assert!(String::from_utf8_lossy(&bytes[..count]).contains("\r\ndate: "));
}

#[test]
fn framing_headers_are_the_servers() {
    check(
        get("/headers"),
        "HTTP/1.1 200 OK\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
    );
}

#[test]
fn streams_are_chunked() {
    check(
        get("/iter"),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
    );
    let answer = exchange(server(), get("/reader") + &get("/"));
    assert_eq!(answer.matches('x').count(), 20_000);
    assert!(answer.contains("0\r\n\r\nHTTP/1.1 200 OK") && answer.ends_with("root"));
}

#[test]
fn streams_end_with_the_connection_in_http_1_0() {
    check(
        "GET /iter HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nonetwo",
    );
}

#[test]
fn keep_alive_in_http_1_0_is_by_request() {
    let mut client = Client::new(server());
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let kept = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: keep-alive\r\n\r\nroot";
    assert_eq!(client.read_until("root"), kept);
    client.send("GET / HTTP/1.0\r\n\r\n");
    let closed = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nroot";
    assert_eq!(client.read_to_close(), closed);
}

#[test]
fn connection_close_closes() {
    let mut client = Client::new(server());
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(client.read_to_close().contains("connection: close\r\n"));
}

#[test]
fn a_length_that_the_handler_promised_holds() {
    check(
        get("/promise"),
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfour",
    );
    check(
        get("/short") + &get("/"),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfour",
    );
    check(
        get("/long") + &get("/"),
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
    );
}

#[test]
fn a_stream_that_fails_does_not_look_complete() {
    check(
        get("/broken") + &get("/"),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n",
    );
}

#[test]
fn some_responses_have_no_body() {
    let next = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nroot";
    check(
        get("/204") + &get("/"),
        &format!("HTTP/1.1 204 No Content\r\n\r\n{next}"),
    );
    check(
        get("/304") + &get("/"),
        &format!("HTTP/1.1 304 Not Modified\r\n\r\n{next}"),
    );
    check(
        get("/205") + &get("/"),
        &format!("HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n{next}"),
    );
    for (path, head) in [
        ("/", "content-length: 4\r\n"),
        ("/large", "content-length: 100000\r\n"),
        ("/iter", ""),
        ("/broken", ""),
        ("/promise", "content-length: 4\r\n"),
    ] {
        let request = format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        check(
            request + &get("/"),
            &format!("HTTP/1.1 200 OK\r\n{head}\r\n{next}"),
        );
    }
    assert_eq!(
        statuses(&exchange(server(), get("/101") + &get("/"))),
        ["500", "200"]
    );
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let requests: String = (0..10_000).map(|n| get(&format!("/n{n}"))).collect();
    let mut client = Client::new(server());
    let mut sending = client.0.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        sending.write_all(requests.as_bytes()).unwrap();
        sending.shutdown(Shutdown::Write).unwrap();
    });
    let answer = client.read_to_close();
    sender.join().unwrap();
    let bodies: Vec<&str> = answer.split("\r\n\r\nGET /n").skip(1).collect();
    assert_eq!(bodies.len(), 10_000);
    for (n, body) in bodies.iter().enumerate() {
        assert_eq!(body.split("HTTP").next(), Some(n.to_string().as_str()));
    }
}

#[test]
fn answers_of_one_batch_leave_in_one_write() {
    let mut client = Client::new(server());
    client.send(get("/").repeat(100));
    let mut buf = vec![0; 64 << 10];
    let count = client.0.read(&mut buf).unwrap();
    let answer = String::from_utf8_lossy(&buf[..count]);
    assert_eq!(statuses(&answer).len(), 100);
    assert!(answer.ends_with("root"));
}

#[test]
fn an_answer_does_not_wait_for_the_next_handler() {
    let mut client = Client::new(server());
    client.send(get("/") + &get("/stuck"));
    assert!(client.read_until("root").starts_with("HTTP/1.1 200"));
}

#[test]
fn bodies_are_read_however_they_come() {
    let length = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
        2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    check(length.repeat(2), &answer.repeat(2));
    check(chunked.repeat(2), &answer.repeat(2));
    check(length.replace("/echo", "/elsewhere"), answer);
    check(
        length.replace("/echo", "/stream-back").repeat(2),
        &answer.repeat(2),
    );
    let streamed =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
    check(
        chunked.replace("/echo", "/stream-back").repeat(2),
        &streamed.repeat(2),
    );
}

#[test]
fn trailers_come_and_go() {
    let trailed = |version: &str, trailers: &str| {
        format!(
            "POST /trailers HTTP/{version}\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
             2\r\nhi\r\n0\r\n{trailers}\r\n"
        )
    };
    check(
        trailed(
            "1.1",
            "X-A: b \r\nX-A:c\r\nHost: evil\r\nTransfer-Encoding: x\r\n",
        )
        .repeat(2),
        &"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
         2\r\nhi\r\n0\r\nx-a: b\r\nx-a: c\r\nx-length: 2\r\n\r\n"
            .repeat(2),
    );
    check(
        "POST /trailers HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhi",
    );
}

#[test]
fn a_reader_of_known_length_is_not_chunked() {
    check(
        get("/sized").repeat(2),
        &"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nsized".repeat(2),
    );
}

#[test]
fn a_large_body_goes_through() {
    let body = "z".repeat(1 << 20);
    for path in ["/echo", "/stream-back"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut client = Client::new(server());
        let mut sender = client.0.try_clone().unwrap();
        let bytes = format!("{head}{body}");
        let sending = std::thread::spawn(move || sender.write_all(bytes.as_bytes()).unwrap());
        client.read_until("\r\n\r\n");
        let mut back = vec![0; body.len()];
        client.0.read_exact(&mut back).unwrap();
        assert!(back == body.as_bytes());
        sending.join().unwrap();
    }
}

#[test]
fn an_unread_body_is_read_over_if_it_is_short() {
    let request = |length: usize| {
        let body = "b".repeat(length);
        format!("POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}")
            + &get("/")
    };
    assert_eq!(
        statuses(&exchange(server(), request(60_000))),
        ["200", "200"]
    );
    let answer = exchange(server(), request(70_000));
    assert_eq!(statuses(&answer), ["200"]);
    assert!(answer.contains("connection: close"));
}

#[test]
fn the_go_ahead_comes_at_the_first_read() {
    let head =
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    for path in ["/echo", "/stream-back"] {
        let mut client = Client::new(server());
        client.send(head.replace("/echo", path));
        assert_eq!(
            client.read_until("\r\n\r\n"),
            "HTTP/1.1 100 Continue\r\n\r\n"
        );
        client.send("ok");
        assert_eq!(
            client.read_until("ok"),
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        );
        client.send(get("/"));
        client.read_until("root");
    }
    let answer = exchange(server(), head.replace("/echo", "/ignore"));
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nignored"
    );
}

#[test]
fn a_request_split_anywhere_gets_the_same_answer() {
    let addr = server();
    let request = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
        2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n";
    let expected = exchange(addr, request);
    for at in 1..request.len() {
        let mut client = Client::new(addr);
        client.send(&request[..at]);
        client.send(&request[at..]);
        assert_eq!(client.finish(), expected, "split at {at}");
    }
}

#[test]
fn bare_closures_are_handlers() {
    let server = greenwire_http::Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    std::thread::spawn(move || {
        server.serve(|request| (request.method() == Method::GET).then_some("yes"))
    });
    assert_eq!(statuses(&exchange(addr, get("/"))), ["200"]);
    assert_eq!(
        statuses(&exchange(addr, get("/").replace("GET", "PUT"))),
        ["404"]
    );
}
