//! TLS between two of ours: what is agreed on in the handshake, and what comes after it.

#![cfg(feature = "tls")]

#[path = "support/certificates.rs"]
mod certificates;
mod support;

use certificates::{authority, server_config};
use greenwire_net::tls::rustls::server::ResolvesServerCertUsingSni;
use greenwire_net::tls::rustls::{ProtocolVersion, crypto::ring, sign::CertifiedKey};
use greenwire_net::tls::{Acceptor, Connector, Error, TlsStream};
use greenwire_net::{Shutdown, TcpStream};
use greenwire_runtime::thread;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Duration;
use support::{on_both, on_green, pair_of_ours, started};

type Handshake = Result<TlsStream, Error>;

/// Both ends of a handshake.
fn shake(acceptor: &Acceptor, connector: &Connector, name: &'static str) -> (Handshake, Handshake) {
    let (server, client) = pair_of_ours();
    let (acceptor, connector) = (acceptor.clone(), connector.clone());
    let server = thread::spawn(move || acceptor.accept(server));
    let client = connector.connect(name, client);
    (server.join().unwrap(), client)
}

/// A server and a client that are connected.
fn connected() -> (TlsStream, TlsStream) {
    let acceptor = authority().acceptor("localhost");
    let (server, client) = shake(&acceptor, &authority().connector(), "localhost");
    (server.unwrap(), client.unwrap())
}

#[test]
fn bytes_go_both_ways() {
    on_both(|| {
        let (mut server, mut client) = connected();
        client.write_all(b"hello").unwrap();
        let mut buf = [0; 5];
        server.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"hello");
        assert_eq!(client.read(&mut []).unwrap(), 0);
        assert_eq!(client.write(&[]).unwrap(), 0);
        server.write_all(b"there").unwrap();
        drop(server);
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "there");
        assert_eq!(client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert_eq!(client.peer_certificates().unwrap().len(), 1);
    });
}

#[test]
fn the_protocol_is_agreed_on() {
    on_both(|| {
        let acceptor = authority().acceptor("localhost").alpn(["h2", "http/1.1"]);
        let connector = authority().connector();
        let http = connector.clone().alpn(["http/1.1"]);
        let (server, client) = shake(&acceptor, &http, "localhost");
        for stream in [server.unwrap(), client.unwrap()] {
            assert_eq!(stream.alpn_protocol().as_deref(), Some(&b"http/1.1"[..]));
        }
        let (server, _client) = shake(&acceptor, &connector, "localhost");
        assert_eq!(server.unwrap().alpn_protocol(), None);
        let (server, client) = shake(&acceptor, &connector.alpn(["gopher"]), "localhost");
        assert!(matches!(server, Err(Error::Tls(_))), "{server:?}");
        assert!(matches!(client, Err(Error::Tls(_))), "{client:?}");
    });
}

#[test]
fn the_certificate_is_chosen_by_name() {
    on_both(|| {
        let mut by_name = ResolvesServerCertUsingSni::new();
        for name in ["one.test", "two.test"] {
            let identity = authority().issue(name);
            let key = ring::sign::any_supported_type(&identity.private_key()).unwrap();
            let certified = CertifiedKey::new(identity.certificates(), key);
            by_name.add(name, certified).unwrap();
        }
        let config = server_config().with_cert_resolver(Arc::new(by_name));
        let acceptor = Acceptor::from_config(Arc::new(config));
        for name in ["one.test", "two.test"] {
            let (server, client) = shake(&acceptor, &authority().connector(), name);
            assert_eq!(server.unwrap().server_name().as_deref(), Some(name));
            assert_eq!(client.unwrap().server_name(), None);
        }
        let (server, client) = shake(&acceptor, &authority().connector(), "three.test");
        assert!(server.is_err() && client.is_err());
    });
}

#[test]
fn a_second_connection_resumes_the_session() {
    on_both(|| {
        let acceptor = authority().acceptor("localhost");
        let connector = authority().connector();
        for resumed in [false, true, true] {
            let (server, client) = shake(&acceptor, &connector, "localhost");
            let (mut server, mut client) = (server.unwrap(), client.unwrap());
            assert_eq!(
                (server.is_resumed(), client.is_resumed()),
                (resumed, resumed)
            );
            // The ticket comes with what is read.
            server.write_all(b"x").unwrap();
            client.read_exact(&mut [0]).unwrap();
        }
    });
}

#[test]
fn who_is_not_trusted_is_refused() {
    on_both(|| {
        let acceptor = authority().acceptor("localhost");
        let (server, client) = shake(&acceptor, &authority().connector(), "other.test");
        let error = io::Error::from(client.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("not valid for name"), "{error}");
        assert!(matches!(server, Err(Error::Tls(_))), "{server:?}");

        let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (chain, key) = (stranger.cert.pem(), stranger.signing_key.serialize_pem());
        let acceptor = Acceptor::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        let (_, client) = shake(&acceptor, &authority().connector(), "localhost");
        let error = client.unwrap_err().to_string();
        assert!(error.contains("UnknownIssuer"), "{error}");
    });
}

#[test]
fn bad_settings_are_told() {
    let good = authority().issue("localhost");
    let other = authority().issue("localhost");
    let acceptor = |chain: &str, key: &str| Acceptor::from_pem(chain.as_bytes(), key.as_bytes());
    assert!(matches!(
        acceptor(&good.chain, &other.key),
        Err(Error::Config(_))
    ));
    assert!(matches!(acceptor(&good.chain, ""), Err(Error::Pem(_))));
    assert!(matches!(acceptor("", &good.key), Err(Error::Config(_))));
    let cut = &good.chain[..good.chain.len() / 2];
    assert!(matches!(acceptor(cut, &good.key), Err(Error::Pem(_))));
    let (_, stream) = pair_of_ours();
    let error = authority().connector().connect("not a name", stream);
    assert!(matches!(error, Err(Error::ServerName(name)) if name == "not a name"));
}

/// Both directions are full, so that a reader that waits for its own writer would wait for ever.
#[test]
fn much_goes_both_ways_at_once() {
    const LEN: usize = 8 << 20;
    on_both(|| {
        let (server, client) = connected();
        let ends = [server, client].map(|stream| {
            let (mut reader, mut writer) = stream.split();
            let writer = thread::spawn(move || {
                writer.write_all(&vec![7; LEN])?;
                writer.shutdown()
            });
            let reader = thread::spawn(move || {
                let mut received = Vec::new();
                reader.read_to_end(&mut received).map(|_| received)
            });
            (reader, writer)
        });
        for (reader, writer) in ends {
            writer.join().unwrap().unwrap();
            assert!(reader.join().unwrap().unwrap() == vec![7; LEN]);
        }
    });
}

/// The writer is stuck, since nobody reads what it sends; the reader of the same connection is not.
#[test]
fn a_reader_goes_on_while_the_writer_waits() {
    const LEN: usize = 4 << 20;
    on_both(|| {
        let (server, client) = connected();
        let (mut reader, mut writer) = server.split();
        let stuck = thread::spawn(move || writer.write_all(&vec![1; 4 * LEN]));
        let (mut far_reader, mut far_writer) = client.split();
        let far = thread::spawn(move || far_writer.write_all(&vec![2; LEN]).map(|()| far_writer));
        let mut received = vec![0; LEN];
        reader.read_exact(&mut received).unwrap();
        assert!(received == vec![2; LEN]);
        let far_writer = far.join().unwrap().unwrap();
        far_reader.read_exact(&mut vec![0; 4 * LEN]).unwrap();
        stuck.join().unwrap().unwrap();
        drop(far_writer);
    });
}

#[test]
fn two_readers_take_turns() {
    on_both(|| {
        let (server, mut client) = connected();
        let readers: Vec<_> = (0..2)
            .map(|_| server.try_clone().unwrap())
            .map(|mut server| {
                started(move || {
                    let mut bytes = [0; 3];
                    server.read_exact(&mut bytes[..1]).map(|()| bytes[0])
                })
            })
            .collect();
        client.write_all(b"a").unwrap();
        client.write_all(b"b").unwrap();
        let readers = readers.into_iter();
        let mut read: Vec<u8> = readers
            .map(|reader| reader.join().unwrap().unwrap())
            .collect();
        read.sort_unstable();
        assert_eq!(read, b"ab");
    });
}

#[test]
fn shutdown_wakes_a_waiting_reader() {
    on_both(|| {
        let (server, client) = connected();
        let mut waiting = server.try_clone().unwrap();
        let reader = started(move || waiting.read(&mut [0]).unwrap());
        server.shutdown(Shutdown::Both).unwrap();
        assert_eq!(reader.join().unwrap(), 0);
        assert_eq!((&client).read(&mut [0]).unwrap(), 0);
        let error = (&server).write(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_half_closed_connection_still_answers() {
    on_both(|| {
        let (mut server, client) = connected();
        let (mut reader, mut writer) = client.split();
        writer.write_all(b"question").unwrap();
        drop(writer);
        let mut question = String::new();
        server.read_to_string(&mut question).unwrap();
        assert_eq!(question, "question");
        server.write_all(b"answer").unwrap();
        drop(server);
        let mut answer = String::new();
        reader.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "answer");
    });
}

#[test]
fn timeouts_and_modes_are_the_streams() {
    on_both(|| {
        let (mut server, mut client) = connected();
        let short = Some(Duration::from_millis(30));
        server.get_ref().set_read_timeout(short).unwrap();
        let late = [
            server.read(&mut [0]).unwrap_err(),
            server.park_until_readable().unwrap_err(),
        ];
        assert!(
            late.iter()
                .all(|error| error.kind() == ErrorKind::WouldBlock)
        );
        server.get_ref().set_write_timeout(short).unwrap();
        let mut taken = 0;
        let error = loop {
            match server.write(&[5; 10_000]) {
                Ok(count) => taken += count,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        // What was taken arrives, all of it and nothing else.
        let reader = thread::spawn(move || {
            let mut received = Vec::new();
            client.read_to_end(&mut received).map(|_| received)
        });
        server.get_ref().set_write_timeout(None).unwrap();
        server.flush().unwrap();
        drop(server);
        assert!(reader.join().unwrap().unwrap() == vec![5; taken]);

        let (server, _client) = connected();
        server.get_ref().set_nonblocking(true).unwrap();
        let error = (&server).read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_connection_waits_without_a_buffer() {
    on_both(|| {
        let (mut server, mut client) = connected();
        let waits = server.try_clone().unwrap();
        let waits = started(move || waits.park_until_readable());
        client.write_all(b"ab").unwrap();
        waits.join().unwrap().unwrap();
        server.read_exact(&mut [0]).unwrap();
        // One is left, and waiting does not take it.
        server.park_until_readable().unwrap();
        server.park_until_readable().unwrap();
        server.read_exact(&mut [0]).unwrap();
        drop(client);
        server.park_until_readable().unwrap();
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
    });
}

/// The peer must not take half an answer for a whole one.
#[test]
fn a_panic_does_not_end_a_connection_cleanly() {
    on_both(|| {
        let (server, mut client) = connected();
        let handler = thread::spawn(move || {
            (&server).write_all(b"half of").unwrap();
            thread::sleep(Duration::from_secs(3600));
            drop(server);
        });
        let mut text = [0; 7];
        client.read_exact(&mut text).unwrap();
        handler.cancel().unwrap();
        handler.join().unwrap_err();
        let error = client.read(&mut text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        let inner = error.get_ref().unwrap().downcast_ref::<Error>();
        assert!(matches!(inner, Some(Error::Truncated)));
    });
}

/// Nor does what comes after the panic.
#[test]
fn a_writer_that_is_cancelled_is_missed() {
    on_green(|| {
        let (server, mut client) = connected();
        let (reader, mut writer) = server.split();
        let handler = thread::spawn(move || {
            writer.write_all(b"half of").unwrap();
            thread::park();
        });
        client.read_exact(&mut [0; 7]).unwrap();
        handler.cancel().unwrap();
        handler.join().unwrap_err();
        drop(reader);
        let error = client.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn halves_are_handles_to_one_descriptor() {
    let (server, _client) = connected();
    let addr = server.get_ref().peer_addr().unwrap();
    let (reader, writer) = server.split();
    let stream: &TcpStream = reader.get_ref().get_ref();
    assert_eq!(stream.peer_addr().unwrap(), addr);
    assert_eq!(writer.get_ref().get_ref().peer_addr().unwrap(), addr);
}
