//! TLS with peers that stall, send garbage, speak another version, or leave.

#![cfg(feature = "tls")]

#[path = "support/certificates.rs"]
mod certificates;
mod support;

use certificates::{Client, authority, client, client_of};
use greenwire_net::TcpStream;
use greenwire_net::tls::rustls::{self, AlertDescription, ServerConfig};
use greenwire_net::tls::{Acceptor, Error, TlsStream};
use greenwire_runtime::thread;
use std::io::{self, ErrorKind, Read, Write};
use std::net;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{on_both, pair, peer, started};

const SHORT: Duration = Duration::from_millis(100);

fn acceptor() -> Acceptor {
    authority().acceptor("localhost")
}

/// A connection of ours, and rustls at the other end.
fn connected() -> (TlsStream, Client) {
    let (server, stream) = pair();
    let mut client = client(stream);
    let far = peer(move || {
        while client.conn.is_handshaking() {
            client.conn.complete_io(&mut client.sock).unwrap();
        }
        client
    });
    let server = acceptor().accept(server).unwrap();
    (server, far.join().unwrap())
}

fn inner(error: &io::Error) -> &Error {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

#[test]
fn a_client_that_says_nothing_is_left() {
    on_both(|| {
        let (server, mut silent) = pair();
        let start = Instant::now();
        let result = acceptor().handshake_timeout(SHORT).accept(server);
        assert!(
            matches!(result, Err(Error::HandshakeTimedOut)),
            "{result:?}"
        );
        assert!(start.elapsed() >= SHORT);
        assert_eq!(silent.read(&mut [0]).unwrap(), 0);
        let error = io::Error::from(result.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    });
}

/// The limit is for the whole handshake, not for each wait.
#[test]
fn a_client_that_trickles_is_left() {
    on_both(|| {
        let (server, mut slow) = pair();
        let slow = peer(move || {
            // A record that announces 512 bytes.
            let mut record = vec![22, 3, 1, 2, 0, 1, 0, 1, 0xfc];
            record.resize(517, 0);
            let sent = record.iter().take_while(|byte| {
                std::thread::sleep(Duration::from_millis(10));
                slow.write_all(&[**byte]).is_ok()
            });
            sent.count()
        });
        let result = acceptor().handshake_timeout(SHORT).accept(server);
        assert!(
            matches!(result, Err(Error::HandshakeTimedOut)),
            "{result:?}"
        );
        assert!(slow.join().unwrap() < 517);
    });
}

#[test]
fn a_server_that_says_nothing_is_left() {
    on_both(|| {
        let (client, _silent) = pair();
        let connector = authority().connector().handshake_timeout(SHORT);
        let result = connector.connect("localhost", client);
        assert!(
            matches!(result, Err(Error::HandshakeTimedOut)),
            "{result:?}"
        );
    });
}

#[test]
fn those_who_stall_delay_nobody() {
    on_both(|| {
        let stalled: Vec<_> = (0..50)
            .map(|_| {
                let (server, silent) = pair();
                let acceptor = acceptor();
                (started(move || acceptor.accept(server)), silent)
            })
            .collect();
        let (mut server, mut client) = connected();
        client.write_all(b"x").unwrap();
        server.read_exact(&mut [0]).unwrap();
        for (thread, silent) in stalled {
            assert!(!thread.is_finished());
            drop(silent);
            let result = thread.join().unwrap();
            assert!(matches!(result, Err(Error::Io(_))), "{result:?}");
        }
    });
}

/// What the server makes of `bytes`, and the kind of alert that the client gets.
#[track_caller]
fn check_refused(bytes: &[u8], alert: AlertDescription) {
    let (server, mut client) = pair();
    client.write_all(bytes).unwrap();
    let result = acceptor().accept(server);
    assert!(matches!(result, Err(Error::Tls(_))), "{result:?}");
    let mut reply = [0; 7];
    client.read_exact(&mut reply).unwrap();
    // An alert (21) of two bytes, fatal (2).
    assert_eq!((reply[0], &reply[3..6]), (21, &[0, 2, 2][..]));
    assert_eq!(AlertDescription::from(reply[6]), alert);
}

#[test]
fn garbage_is_refused() {
    on_both(|| {
        check_refused(b"GET / HTTP/1.1\r\n\r\n", AlertDescription::DecodeError);
        check_refused(&[0xff; 100], AlertDescription::DecodeError);
    });
}

/// A hello of 16 MB, which would have to be kept until it is complete.
#[test]
fn an_endless_hello_is_refused() {
    on_both(|| {
        let (server, mut client) = pair();
        let mut record = vec![22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
        record.resize(5 + 0x4000, 0);
        let client = peer(move || {
            (0..1024)
                .take_while(|_| client.write_all(&record).is_ok())
                .count()
        });
        let result = acceptor().accept(server);
        assert!(matches!(result, Err(Error::Tls(_))), "{result:?}");
        assert!(client.join().unwrap() < 1024);
    });
}

#[test]
fn another_version_is_refused() {
    on_both(|| {
        // A hello of TLS 1.1 (RFC 4346 §7.4.1.2), which offers one cipher suite.
        let mut hello = vec![22, 3, 1, 0, 55, 1, 0, 0, 51, 3, 2];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
        // Without the extension signature_algorithms that would be missed first.
        hello.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
        check_refused(&hello, AlertDescription::ProtocolVersion);
    });
}

#[test]
fn a_server_may_insist_on_a_version() {
    on_both(|| {
        let identity = authority().issue("localhost");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.certificates(), identity.private_key());
        let acceptor = Acceptor::from_config(Arc::new(config.unwrap()));
        let (server, stream) = pair();
        let old = peer(move || client_of(&rustls::version::TLS12, stream).write_all(b"x"));
        let result = acceptor.accept(server);
        assert!(matches!(result, Err(Error::Tls(_))), "{result:?}");
        let error = old.join().unwrap().unwrap_err();
        assert!(error.to_string().contains("ProtocolVersion"), "{error}");
    });
}

#[test]
fn who_leaves_during_the_handshake_is_told_of() {
    on_both(|| {
        let (server, client) = pair();
        drop(client);
        match acceptor().accept(server) {
            Err(Error::Io(error)) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn an_end_without_notice_is_an_error() {
    on_both(|| {
        let (mut server, mut client) = connected();
        client.write_all(b"half").unwrap();
        client.sock.shutdown(net::Shutdown::Both).unwrap();
        let mut buf = [0; 4];
        server.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"half");
        for _ in 0..2 {
            let error = server.read(&mut buf).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            assert!(matches!(inner(&error), Error::Truncated));
        }
    });
}

#[test]
fn a_broken_record_ends_the_connection() {
    on_both(|| {
        let (mut server, mut client) = connected();
        // What is good, and then application data (23) of 20 bytes, which nobody can have encrypted; in one
        // write, so that they are read together.
        let mut records = Vec::new();
        client.conn.writer().write_all(b"good").unwrap();
        client.conn.write_tls(&mut records).unwrap();
        records.extend([23, 3, 3, 0, 20]);
        records.extend([0xee; 20]);
        client.sock.write_all(&records).unwrap();
        let mut buf = [0; 10];
        assert_eq!(server.read(&mut buf).unwrap(), 4);
        for _ in 0..2 {
            let error = server.read(&mut buf).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(matches!(
                inner(&error),
                Error::Tls(rustls::Error::DecryptError)
            ));
        }
        let error = server.write(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        let error = client.read(&mut buf).unwrap_err();
        assert!(error.to_string().contains("BadRecordMac"), "{error}");
    });
}

#[test]
fn a_reset_ends_a_waiting_write() {
    on_both(|| {
        let (mut server, client) = connected();
        let mut reader = server.try_clone().unwrap();
        let reader = started(move || reader.read(&mut [0]));
        let writer = started(move || server.write_all(&vec![0; 64 << 20]));
        let far = TcpStream::from(client.sock);
        far.set_linger(Some(Duration::ZERO)).unwrap();
        drop(far);
        let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
        let error = writer.join().unwrap().unwrap_err();
        assert!(kinds.contains(&error.kind()), "{error}");
        let ended = reader.join().unwrap();
        assert!(ended.is_err(), "{ended:?}");
    });
}

/// Each asks for a new key in return (RFC 8446 §4.6.3), which leaves with what is written next.
#[test]
fn keys_are_changed_on_the_way() {
    on_both(|| {
        let (mut server, mut client) = connected();
        let mut reads = server.try_clone().unwrap();
        let reader = started(move || {
            let mut text = String::new();
            reads.read_to_string(&mut text).map(|_| text)
        });
        for word in ["one ", "two ", "three"] {
            client.conn.refresh_traffic_keys().unwrap();
            client.write_all(word.as_bytes()).unwrap();
            server.write_all(word.as_bytes()).unwrap();
            let mut echo = vec![0; word.len()];
            client.read_exact(&mut echo).unwrap();
            assert_eq!(echo, word.as_bytes());
        }
        client.conn.send_close_notify();
        client.flush().unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), "one two three");
    });
}

/// Small messages against a peer that goes away at any moment: nobody waits for ever.
#[test]
fn peers_that_come_and_go() {
    on_both(|| {
        let acceptor = acceptor();
        let threads: Vec<_> = (0..30)
            .map(|round| {
                let (server, stream) = pair();
                let acceptor = acceptor.clone();
                let server = thread::spawn(move || -> io::Result<u64> {
                    let mut stream = acceptor.accept(server)?;
                    let mut sink = stream.try_clone()?;
                    io::copy(&mut stream, &mut sink)
                });
                let far = peer(move || {
                    let mut client = client(stream);
                    for _ in 0..round {
                        let _ = client.write_all(b"some words");
                    }
                });
                (server, far)
            })
            .collect();
        for (server, far) in threads {
            assert!(server.join().unwrap().is_err());
            far.join().unwrap();
        }
    });
}
