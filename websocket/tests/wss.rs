//! Clients over TLS, with tungstenite as the server; then both ends ours.

mod common;

use common::{DEADLINE, expect};
use greenwire_net::tls::{Acceptor, Connector};
use greenwire_net::{SocketAddr, TcpListener};
use greenwire_runtime::thread;
use greenwire_websocket::{Compression, Config, Error, Message, SlowReader, WebSocket, upgrade};
use std::io::{self, ErrorKind, Write};
use std::time::Duration;

/// A certificate of its own for `localhost`, and who trusts it.
fn certified() -> (Acceptor, Connector) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (cert.pem(), signing_key.serialize_pem());
    let acceptor = Acceptor::from_pem(cert.as_bytes(), key.as_bytes()).unwrap();
    (acceptor, Connector::with_roots(cert.as_bytes()).unwrap())
}

/// A server that echoes on one connection, and whom to trust for it.
fn serve_echo() -> (SocketAddr, Connector) {
    let (acceptor, trusted) = certified();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let Ok(stream) = acceptor.accept(stream) else {
            return;
        };
        stream.get_ref().set_read_timeout(Some(DEADLINE)).unwrap();
        let mut peer = tungstenite::accept(stream).unwrap();
        while let Ok(message) = peer.read() {
            if (message.is_text() || message.is_binary()) && peer.send(message).is_err() {
                return;
            }
        }
    });
    (addr, trusted)
}

#[test]
fn both_ways_and_closed_from_here() {
    for green in [true, false] {
        let talk = || {
            let (addr, trusted) = serve_echo();
            let url = format!("wss://localhost:{}/", addr.port());
            let mut ws = Config::default().tls(trusted).connect(&url).unwrap();
            for len in [0, 1, 126, 70_000, 3_000_000] {
                let bytes: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
                ws.send(&bytes).unwrap();
                assert_eq!(expect(&mut ws), Message::Binary(bytes));
            }
            ws.close(4000, "enough").unwrap();
            assert_eq!(ws.receive().unwrap(), None);
            assert_eq!(ws.close_reason().map(|reason| reason.code()), Some(4000));
        };
        if green {
            thread::spawn(talk).join().unwrap();
        } else {
            talk();
        }
    }
}

#[test]
fn what_a_slow_peer_does_not_take_at_once_arrives() {
    let (addr, trusted) = serve_echo();
    let config = Config::default()
        .max_queued(100_000)
        .slow_reader(SlowReader::Wait)
        .tls(trusted);
    let url = format!("wss://localhost:{}/", addr.port());
    let (sender, mut receiver) = config.connect(&url).unwrap().split();
    let sending = thread::spawn(move || {
        for i in 0..2000u32 {
            sender.send(vec![i as u8; 10_000]).unwrap();
        }
    });
    for i in 0..2000u32 {
        let message = receiver.receive().unwrap().expect("a message");
        assert_eq!(
            (message.len(), message.as_bytes()[9_999]),
            (10_000, i as u8)
        );
    }
    sending.join().unwrap();
}

#[test]
fn who_is_not_trusted_is_refused() {
    let (addr, _) = serve_echo();
    let (_, trusts_another) = serve_echo();
    let url = format!("wss://localhost:{}/", addr.port());
    let refused = Config::default().tls(trusts_another).connect(&url);
    assert!(matches!(refused, Err(Error::Io(_))), "{refused:?}");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let (addr, trusted) = serve_echo();
    let refused = Config::default()
        .tls(trusted)
        .connect(&format!("wss://{addr}/"));
    assert_refused(refused, ErrorKind::InvalidData);
}

#[test]
fn servers_without_tls_are_given_up() {
    for (answer, limit, kind) in [
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            DEADLINE,
            ErrorKind::InvalidData,
        ),
        ("", Duration::from_millis(100), ErrorKind::TimedOut),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            // Until the client hangs up.
            let _ = io::copy(&mut stream, &mut io::sink());
        });
        let config = Config::default().handshake_timeout(limit);
        let config = config.tls(certified().1);
        assert_refused(config.connect(&format!("wss://{addr}/")), kind);
        server.join().unwrap();
    }
}

#[track_caller]
fn assert_refused(connected: Result<WebSocket, Error>, kind: ErrorKind) {
    match connected {
        Err(Error::Io(error)) => assert_eq!(error.kind(), kind, "{error}"),
        other => panic!("{other:?}"),
    }
}

/// The server's two halves on one TLS connection, beside each other.
#[test]
fn a_server_relays_while_it_receives() {
    let (acceptor, trusted) = certified();
    let server = greenwire_http::Server::bind("127.0.0.1:0").unwrap();
    let addr = server.local_addr().unwrap();
    let server = server.tls(acceptor);
    thread::spawn(move || {
        server.serve(|request| {
            upgrade(request, |ws| {
                let (sender, mut receiver) = ws.split();
                let relay = sender.clone();
                let ticks = thread::spawn(move || {
                    (0..1000u32).all(|i| relay.send(i.to_be_bytes().to_vec()).is_ok())
                });
                while let Some(message) = receiver.receive()? {
                    sender.send(message)?;
                }
                assert!(ticks.join().unwrap());
                Ok(())
            })
        })
    });
    let url = format!("wss://localhost:{}/", addr.port());
    let config = Config::default()
        .tls(trusted)
        .compression(Compression::dedicated());
    let mut ws = config.connect(&url).unwrap();
    let long = "ä".repeat(500_000);
    ws.send(&long).unwrap();
    let (mut ticks, mut echo) = (0, None);
    while ticks < 1000 || echo.is_none() {
        match expect(&mut ws) {
            Message::Binary(tick) => {
                assert_eq!(tick, u32::to_be_bytes(ticks), "in order");
                ticks += 1;
            }
            Message::Text(text) => echo = Some(text),
        }
    }
    assert_eq!(echo, Some(long));
    ws.close(4001, "enough").unwrap();
    assert_eq!(ws.receive().unwrap(), None);
    assert_eq!(ws.close_reason().map(|reason| reason.code()), Some(4001));
}
