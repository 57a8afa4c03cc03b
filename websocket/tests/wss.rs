//! Clients over TLS, with tungstenite as the server.

mod common;

use common::{DEADLINE, expect};
use greenwire_net::tls::{Acceptor, Connector};
use greenwire_net::{SocketAddr, TcpListener};
use greenwire_runtime::thread;
use greenwire_websocket::{Config, Error, Message, SlowReader};

/// A server that echoes on one connection, and whom to trust for it.
fn serve_echo() -> (SocketAddr, Connector) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (cert.pem(), signing_key.serialize_pem());
    let acceptor = Acceptor::from_pem(cert.as_bytes(), key.as_bytes()).unwrap();
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
    (addr, Connector::with_roots(cert.as_bytes()).unwrap())
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
