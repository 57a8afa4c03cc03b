//! Every server does what the table says that it offers, on one worker and on two.
//!
//! A server whose interpreter is not there is passed over with a line that says so; with `CI=true` that
//! is a failure.

mod support;

use greenwire_bench_peers::serve::WAIT;
use greenwire_bench_peers::{PEERS, Peer, Program, Service};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::{Reply, Server, start};
use tungstenite::{Bytes, Message, WebSocket};

/// Starts each peer that offers the service, with one worker and with two, and checks it.
fn check_all(service: Service, check: impl Fn(&Server)) {
    for peer in PEERS.iter().filter(|peer| peer.services.contains(&service)) {
        for workers in [1, 2] {
            println!("{} on {workers}: {}", peer.name, service.name());
            if let Some(server) = start(peer, service, workers) {
                check(&server);
            }
        }
    }
}

#[test]
fn tcp_echo() {
    check_all(Service::TcpEcho, |server| {
        let mut one = server.connect();
        let mut two = server.connect();
        let sent: Vec<u8> = (0..1 << 20).map(|number: u32| number as u8).collect();
        let mut writing = one.try_clone().unwrap();
        let bytes = sent.clone();
        let writer = thread::spawn(move || writing.write_all(&bytes).unwrap());
        let mut received = vec![0; sent.len()];
        one.read_exact(&mut received).unwrap();
        writer.join().unwrap();
        assert!(received == sent);

        two.write_all(b"hello").unwrap();
        let mut received = [0; 5];
        two.read_exact(&mut received).unwrap();
        assert_eq!(&received, b"hello");
    });
}

#[test]
fn tcp_echo_waits_for_slow_readers() {
    // More than fits into all socket buffers, so that servers have to write an answer in pieces.
    const BLOCKS: usize = 24;
    let block: Vec<u8> = (0..251).cycle().take(251 << 12).collect();
    check_all(Service::TcpEcho, |server| {
        let mut client = server.connect_narrow();
        let mut writing = client.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| (0..BLOCKS).for_each(|_| writing.write_all(&block).unwrap()));
            let mut received = vec![0; block.len()];
            for _ in 0..BLOCKS {
                client.read_exact(&mut received).unwrap();
                assert!(received == block);
            }
        });
    });
}

#[test]
fn http_answers_requests_in_order() {
    check_all(Service::Http, |server| {
        let mut client = server.connect();
        let paths = ["plaintext", "json", "wait", "plaintext", "json"];
        let requests: String = paths.iter().map(|path| request(path)).collect();
        let (first, second) = requests.as_bytes().split_at(10);
        client.write_all(first).unwrap();
        client.write_all(second).unwrap();
        for path in paths {
            let expected = match path {
                "json" => ("application/json", r#"{"message":"Hello, World!"}"#),
                _ => ("text/plain", "Hello, World!"),
            };
            let reply = Reply::read(&mut client);
            assert_eq!(reply.status, 200, "{path}");
            assert_eq!(reply.header("content-type"), Some(expected.0), "{path}");
            assert_eq!(reply.body, expected.1, "{path}");
        }
    });
}

#[test]
fn http_takes_its_time() {
    check_all(Service::Http, |server| {
        let mut client = server.connect();
        let limits = [("wait", WAIT), ("compute", Duration::from_millis(50))];
        for (path, at_least) in limits {
            let start = Instant::now();
            client.write_all(request(path).as_bytes()).unwrap();
            let reply = Reply::read(&mut client);
            // Clocks of servers may be as coarse as a millisecond.
            assert!(
                start.elapsed() + Duration::from_millis(1) >= at_least,
                "{path}"
            );
            assert_eq!((reply.status, reply.body.as_str()), (200, "Hello, World!"));
        }
    });
}

fn request(path: &str) -> String {
    format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

#[test]
fn websocket_echo() {
    check_all(Service::WebsocketEcho, |server| {
        let mut client = server.websocket("/");
        let long: Bytes = (0..1 << 20).map(|number: u32| number as u8).collect();
        let messages = [
            Message::text(""),
            Message::text("häßlich"),
            Message::binary(&b"\x00\xFF\x80"[..]),
            Message::binary(vec![7; 126]),
            Message::binary(vec![8; 65536]),
            Message::Binary(long),
        ];
        for message in &messages[..5] {
            client.write(message.clone()).unwrap();
        }
        client.flush().unwrap();
        for message in &messages[..5] {
            assert_eq!(client.read().unwrap(), *message);
        }
        client.send(messages[5].clone()).unwrap();
        assert!(client.read().unwrap() == messages[5]);

        client
            .send(Message::Ping(Bytes::from_static(b"?")))
            .unwrap();
        assert_eq!(
            client.read().unwrap(),
            Message::Pong(Bytes::from_static(b"?"))
        );
        client.close(None).unwrap();
        while client.read().is_ok() {}
    });
}

#[test]
fn broadcast() {
    check_all(Service::Broadcast, |server| {
        let mut feeds = [server.websocket("/feed"), server.websocket("/feed")];
        let publisher = server.websocket("/publish");
        let enough = AtomicBool::new(false);
        thread::scope(|scope| {
            // Whoever has the answer to its handshake may not be on the list yet: goes on until all are.
            scope.spawn(|| publish_until(publisher, &enough));
            let orders = feeds.each_mut().map(ten_numbers);
            enough.store(true, Ordering::Relaxed);
            for numbers in orders {
                let numbers = numbers.unwrap();
                let first = numbers[0];
                assert!(numbers.iter().copied().eq(first..first + 10), "{numbers:?}");
            }
        });
    });
}

#[test]
fn socket_io() {
    check_all(Service::SocketIo, |server| {
        let mut clients = [(); 2].map(|()| {
            let mut client = server.websocket("/socket.io/?EIO=4&transport=websocket");
            expect(&mut client, "0{");
            client.send(Message::text("40")).unwrap();
            expect(&mut client, "40{");
            expect(&mut client, r#"42["ready""#);
            client
        });
        for client in &mut clients {
            client.send(Message::text(r#"427["echo","x"]"#)).unwrap();
            expect(client, r#"437["x"]"#);
        }
        clients[0].send(Message::text(r#"42["say","y"]"#)).unwrap();
        for client in &mut clients {
            expect(client, r#"42["said","y"]"#);
        }
    });
}

/// The next packet; pings may come at any time.
#[track_caller]
fn expect(client: &mut WebSocket<TcpStream>, beginning: &str) {
    let mut packets = std::iter::repeat_with(|| client.read().unwrap().into_text().unwrap());
    let message = packets.find(|packet| packet.as_str() != "2").unwrap();
    assert!(message.starts_with(beginning), "{message}");
}

fn publish_until(mut publisher: WebSocket<TcpStream>, enough: &AtomicBool) {
    for number in 0.. {
        publisher.send(Message::text(number.to_string())).unwrap();
        thread::sleep(Duration::from_millis(2));
        if enough.load(Ordering::Relaxed) {
            return;
        }
    }
}

fn ten_numbers(feed: &mut WebSocket<TcpStream>) -> tungstenite::Result<Vec<u32>> {
    let next = |_| Ok(feed.read()?.into_text()?.parse().expect("a number"));
    (0..10).map(next).collect()
}

#[test]
fn a_service_that_is_not_offered_ends_with_status_2() {
    for peer in PEERS {
        for service in Service::ALL {
            if peer.services.contains(&service) {
                continue;
            }
            let Some(mut command) = support::command(peer, service) else {
                continue;
            };
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{} {service:?}", peer.name);
            assert!(output.stdout.is_empty(), "{} {service:?}", peer.name);
            assert!(!output.stderr.is_empty(), "{} {service:?}", peer.name);
        }
    }
}

#[test]
fn several_processes_share_a_port() {
    for peer in PEERS {
        let service = peer.services[0];
        if matches!(peer.program, Program::Node(_)) {
            continue; // Old ones cannot, and say so.
        }
        let Some(one) = support::start_sharing(peer, service, 0) else {
            continue;
        };
        let two = support::start_sharing(peer, service, one.port).unwrap();
        assert_eq!(one.port, two.port, "{}", peer.name);
    }
}

#[test]
fn versions_are_those_that_cargo_chose() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"));
    let lock = lock.unwrap();
    let rust = PEERS.iter().filter_map(|peer| match peer.program {
        Program::Rust(_, versions) => Some(versions),
        _ => None,
    });
    for package in rust.flat_map(|versions: &str| versions.split(", ")) {
        let (name, version) = package.split_once(' ').unwrap();
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"");
        assert!(lock.contains(&entry), "{package} is not in Cargo.lock");
    }
}

#[test]
fn every_peer_knows_its_version() {
    for peer in PEERS {
        let Some(_) = support::command(peer, peer.services[0]) else {
            continue;
        };
        let version = peer.version().unwrap();
        println!("{}: {version}", peer.name);
        assert!(
            version.contains(|char: char| char.is_ascii_digit()),
            "{}: {version}",
            peer.name
        );
    }
}

#[test]
fn names_are_different() {
    for (index, peer) in PEERS.iter().enumerate() {
        let same = |other: &&Peer| other.name == peer.name;
        assert_eq!(PEERS.iter().position(|other| same(&other)), Some(index));
    }
}
