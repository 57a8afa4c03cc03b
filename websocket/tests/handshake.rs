//! The opening handshake on the wire: what servers refuse, what clients refuse.

mod common;

use common::{DEADLINE, read_head, request, serve, serve_echo};
use greenwire_net::dns::{self, Resolver};
use greenwire_runtime::thread;
use greenwire_websocket::{Config, Error, HandshakeError};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Once, mpsc};
use std::time::Duration;

/// The head of the answer to a request.
fn answer(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    read_head(&mut stream)
}

/// The status after `from` was replaced in a good request.
#[track_caller]
fn check(from: &str, to: &str, status: u16) {
    let addr = serve_echo(Config::default());
    let good = request(addr, "");
    assert!(good.contains(from));
    let head = answer(addr, &good.replace(from, to));
    assert!(
        head.starts_with(&format!("HTTP/1.1 {status} ")),
        "{from} -> {to}: {head}"
    );
}

#[test]
fn servers_answer() {
    check("", "", 101);
    check("Upgrade: websocket", "Upgrade: WebSocket", 101);
    check(
        "Connection: Upgrade",
        "Connection: keep-alive, upgrade",
        101,
    );
    check("Upgrade: websocket", "Upgrade: h2c", 400);
    check("Connection: Upgrade", "Connection: keep-alive", 400);
    check("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", 400);
    check("Sec-WebSocket-Key", "X-Key", 400);
    check("GET", "DELETE", 400);
    check("Version: 13", "Version: 8", 426);
    check(
        "Sec-WebSocket-Key",
        "Origin: http://elsewhere.example\r\nSec-WebSocket-Key",
        403,
    );
}

#[test]
fn a_wrong_version_is_told_the_right_one() {
    let addr = serve_echo(Config::default());
    let head = answer(
        addr,
        &request(addr, "").replace("Version: 13", "Version: 7"),
    );
    assert!(
        head.to_ascii_lowercase()
            .contains("sec-websocket-version: 13\r\n"),
        "{head}"
    );
}

#[test]
fn origins() {
    let origin = |config: Config, origin: &str| {
        let addr = serve_echo(config);
        let origin = origin.replace("SELF", &addr.to_string());
        answer(addr, &request(addr, &format!("Origin: {origin}\r\n"))).contains(" 101 ")
    };
    assert!(origin(Config::default(), "http://SELF"));
    assert!(!origin(Config::default(), "http://elsewhere.example"));
    let listed = Config::default().allow_origins(["http://elsewhere.example"]);
    assert!(origin(listed, "http://elsewhere.example"));
    assert!(origin(
        Config::default().allow_any_origin(),
        "http://elsewhere.example"
    ));
}

#[test]
fn subprotocols() {
    let addr = serve(Config::default().subprotocols(["v2", "v1"]), |ws| {
        ws.send(ws.protocol().unwrap_or("none"))
    });
    for (offered, chosen) in [
        (&["v1", "v2"][..], Some("v2")),
        (&["v0", "v1"], Some("v1")),
        (&["v0"], None),
    ] {
        let config = Config::default().subprotocols(offered.iter().copied());
        let mut ws = config.connect(&format!("ws://{addr}/")).unwrap();
        assert_eq!(ws.protocol(), chosen);
        assert_eq!(
            common::expect(&mut ws).as_text(),
            Some(chosen.unwrap_or("none"))
        );
    }
}

/// What a client makes of `response`.
fn connect_to(response: &'static str) -> Error {
    connect_within(DEADLINE, response)
}

fn connect_within(limit: Duration, response: &'static str) -> Error {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
        stream.write_all(response.as_bytes()).unwrap();
        // Until the client hangs up.
        let _ = stream.read(&mut [0]);
    });
    let config = Config::default().handshake_timeout(limit);
    let error = config.connect(&format!("ws://{addr}/path")).unwrap_err();
    server.join().unwrap();
    error
}

#[test]
fn clients_refuse() {
    let check = |response, expected: HandshakeError| match connect_to(response) {
        Error::Handshake(error) => assert_eq!(error, expected),
        other => panic!("{response}: {other}"),
    };
    check(
        "HTTP/1.1 404 Not Found\r\n\r\n",
        HandshakeError::Status(404),
    );
    check(
        "SSH-2.0-OpenSSH\r\n\r\n",
        HandshakeError::BadResponse("not HTTP"),
    );
    check(
        "HTTP/1.1 101 X\r\n\r\n",
        HandshakeError::BadResponse("no upgrade to websocket"),
    );
    check(
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        HandshakeError::BadResponse("wrong accept key"),
    );
}

#[test]
fn redirects_are_refused() {
    let check = |response, expected: (u16, Option<&str>)| match connect_to(response) {
        Error::Handshake(HandshakeError::Redirect { status, location }) => {
            assert_eq!((status, location.as_deref()), expected);
        }
        other => panic!("{other}"),
    };
    check(
        "HTTP/1.1 302 Found\r\nLocation: ws://evil.example/\r\n\r\n",
        (302, Some("ws://evil.example/")),
    );
    check("HTTP/1.1 308 Permanent\r\n\r\n", (308, None));
    check(
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 X\r\n\r\nHTTP/1.1 300 Y\r\n\r\n",
        (300, None),
    );
}

#[test]
fn headers_are_sent_but_not_those_of_the_handshake() {
    let (tell, told) = mpsc::channel();
    let server = greenwire_http::Server::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", server.local_addr().unwrap());
    thread::spawn(move || {
        server.serve(move |request: greenwire_http::Request| {
            tell.send(request.headers().clone()).unwrap();
            greenwire_websocket::upgrade(request, |_| Ok(()))
        })
    });
    let config = Config::default()
        .header("Cookie", "a=1")
        .header("Cookie", "b=2");
    config.connect(&url).unwrap();
    let headers = told.recv_timeout(DEADLINE).unwrap();
    let cookies: Vec<_> = headers.get_all("cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    for name in ["Host", "Sec-WebSocket-Key", "Connection"] {
        let refused = Config::default().header(name, "x").connect(&url);
        assert!(matches!(
            refused,
            Err(Error::Handshake(HandshakeError::Invalid("header")))
        ));
    }
}

/// A proxy that opens one tunnel if it gets the right head, which comes out of the channel.
fn serve_proxy(answer: &'static str) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let head = read_head(&mut client);
        let target = head.split(' ').nth(1).unwrap().to_owned();
        tell.send(head).unwrap();
        client.write_all(answer.as_bytes()).unwrap();
        let Ok(server) = TcpStream::connect(target) else {
            return;
        };
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut &server, &mut &client);
    });
    (addr, told)
}

#[test]
fn a_tunnel_through_a_proxy() {
    let addr = serve_echo(Config::default());
    let (proxy, told) = serve_proxy("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
    let config = Config::default().proxy(&format!("http://ann:secret@{proxy}"));
    let mut ws = config.connect(&format!("ws://{addr}/")).unwrap();
    ws.send("through").unwrap();
    assert_eq!(common::expect(&mut ws).as_text(), Some("through"));
    let head = told.recv_timeout(DEADLINE).unwrap();
    assert_eq!(
        head,
        format!(
            "CONNECT {addr} HTTP/1.1\r\nHost: {addr}\r\n\
             Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n\r\n"
        )
    );
}

#[test]
fn a_proxy_that_refuses() {
    let check = |answer, expected: HandshakeError| {
        let (proxy, _told) = serve_proxy(answer);
        let config = Config::default().proxy(&format!("http://{proxy}"));
        match config.connect("ws://127.0.0.1:1/") {
            Err(Error::Handshake(error)) => assert_eq!(error, expected),
            other => panic!("{answer}: {other:?}"),
        }
    };
    check(
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        HandshakeError::Proxy(407),
    );
    check(
        "HTTP/1.1 200 OK\r\n\r\nearly",
        HandshakeError::BadResponse("more than a tunnel from the proxy"),
    );
}

#[test]
fn a_silent_server_is_given_up() {
    match connect_within(Duration::from_millis(200), "HTTP/1.1 101") {
        Error::Io(error) => assert_eq!(error.kind(), std::io::ErrorKind::TimedOut),
        other => panic!("{other}"),
    }
}

/// Knows two names; a test process has one resolver.
struct Names;

impl Resolver for Names {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if host == "never.test" {
            thread::sleep(2 * DEADLINE);
        }
        let local = |last| SocketAddr::from(([127, 0, 0, last], port));
        Ok(vec![local(2), local(1)])
    }
}

fn know_names() {
    static KNOWN: Once = Once::new();
    KNOWN.call_once(|| dns::set_resolver(Names).unwrap());
}

#[test]
fn a_name_that_is_not_resolved_is_given_up() {
    know_names();
    let config = Config::default().handshake_timeout(Duration::from_millis(100));
    match config.connect("ws://never.test/") {
        Err(Error::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::TimedOut),
        other => panic!("{other:?}"),
    }
}

/// A listener whose queue is full: it answers nobody who connects. What fills the queue comes along.
#[cfg(target_os = "linux")]
fn mute_listener(addr: SocketAddr) -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind(addr).unwrap();
    socket2::SockRef::from(&listener).listen(0).unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&addr, Duration::from_millis(300)) {
        queue.push(stream);
    }
    (listener, queue)
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_does_not_answer_leaves_time_for_the_next() {
    know_names();
    let mut addr = serve_echo(Config::default());
    let port = addr.port();
    addr.set_ip([127, 0, 0, 2].into());
    let _mute = mute_listener(addr);
    let config = Config::default().handshake_timeout(DEADLINE / 2);
    let mut ws = config.connect(&format!("ws://two.test:{port}/")).unwrap();
    ws.send("here").unwrap();
    assert_eq!(common::expect(&mut ws).as_text(), Some("here"));
}
