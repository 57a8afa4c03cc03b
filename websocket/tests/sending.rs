//! Many senders, gathered replies, slow readers.

mod common;

use common::{DEADLINE, Raw, connect, expect, frame, serve, serve_echo};
use greenwire_net::TcpListener;
use greenwire_runtime::thread;
use greenwire_websocket::{Config, Error, Message};
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

#[test]
fn messages_of_many_senders_never_mix() {
    const SENDERS: usize = 8;
    const EACH: usize = 200;
    let addr = serve(Config::default(), |mut ws| {
        for id in 0..SENDERS {
            let sender = ws.sender();
            thread::spawn(move || {
                for i in 0..EACH {
                    let text = format!("{id} {i} {}", "x".repeat(i * 37 % 3000));
                    sender.send(text).unwrap();
                }
            });
        }
        while ws.receive()?.is_some() {}
        Ok(())
    });
    let mut ws = connect(addr);
    let mut next = [0; SENDERS];
    for _ in 0..SENDERS * EACH {
        let message = expect(&mut ws);
        let mut words = message.as_text().unwrap().split(' ');
        let id: usize = words.next().unwrap().parse().unwrap();
        let i: usize = words.next().unwrap().parse().unwrap();
        assert_eq!(i, next[id], "in order");
        assert_eq!(words.next().unwrap().len(), i * 37 % 3000, "whole");
        next[id] += 1;
    }
}

#[test]
fn replies_to_messages_that_came_together_leave_together() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    raw.write(&frame(0x81, b"a").repeat(100));
    let mut reply = [0; 1000];
    let n = raw.0.read(&mut reply).unwrap();
    assert_eq!(reply[..n], b"\x81\x01a".repeat(100));
}

#[test]
fn replies_on_an_os_thread_leave_together_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // The first message came with the handshake, as far as the server knows.
        Config::default().serve_upgraded(stream, frame(0x81, b"early"), |mut ws| {
            while let Some(message) = ws.receive()? {
                ws.send(message)?;
            }
            Ok(())
        });
    });
    let mut raw = Raw(std::net::TcpStream::connect(addr).unwrap());
    raw.0.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(raw.read_frame(), (1, b"early".to_vec()));
    raw.write(&frame(0x81, b"a").repeat(100));
    let mut reply = [0; 1000];
    let n = raw.0.read(&mut reply).unwrap();
    assert_eq!(reply[..n], b"\x81\x01a".repeat(100));
    raw.write(&frame(0x88, b"\x03\xe8"));
    assert_eq!(raw.read_close(), 1000);
    drop(raw);
    server.join().unwrap();
}

#[test]
fn an_incomplete_message_does_not_hold_the_reply_to_the_one_before() {
    let mut raw = Raw::connect(serve_echo(Config::default()));
    let next = frame(0x81, b"b");
    raw.write(&[&frame(0x81, b"a"), &next[..4]].concat());
    assert_eq!(raw.read_frame(), (1, b"a".to_vec()));
    raw.write(&next[4..]);
    assert_eq!(raw.read_frame(), (1, b"b".to_vec()));
}

/// A server that sends numbered messages of 10,000 bytes, and how many it has sent.
fn serve_numbers(config: Config, count: usize) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = sent.clone();
    let addr = serve(config, move |ws| {
        for i in 0..count {
            ws.send(vec![i as u8; 10_000])?;
            counter.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    (addr, sent)
}

/// Waits until `counter` has stood still for a while; its value.
fn wait_until_still(counter: &AtomicUsize) -> usize {
    let deadline = Instant::now() + DEADLINE;
    let mut last = (counter.load(Ordering::SeqCst), Instant::now());
    while last.0 == 0 || last.1.elapsed() < Duration::from_millis(300) {
        assert!(Instant::now() < deadline, "the sender never waits");
        std::thread::sleep(Duration::from_millis(10));
        let now = counter.load(Ordering::SeqCst);
        if now != last.0 {
            last = (now, Instant::now());
        }
    }
    last.0
}

#[test]
fn a_slow_reader_makes_the_sender_wait_and_loses_nothing() {
    const COUNT: usize = 5000;
    let (addr, sent) = serve_numbers(Config::default().max_queued(200_000), COUNT);
    let mut raw = Raw::connect(addr);
    // The socket buffers take several megabytes of the 50, the queue 200 kB.
    assert!(wait_until_still(&sent) < COUNT);
    for i in 0..COUNT {
        let (opcode, payload) = raw.read_frame();
        assert_eq!((opcode, payload.len()), (2, 10_000));
        assert!(payload.iter().all(|byte| *byte == i as u8), "message {i}");
    }
    assert_eq!(raw.read_frame().0, 8);
}

#[test]
fn a_slow_reader_holds_up_nobody_else() {
    let (addr, sent) = serve_numbers(Config::default().max_queued(1), 5000);
    let _slow = Raw::connect(addr);
    wait_until_still(&sent);
    let mut other = Raw::connect(addr);
    assert_eq!(other.read_frame(), (2, vec![0; 10_000]));
}

#[test]
fn a_reader_that_takes_nothing_fails_the_connection() {
    let (tell, told) = mpsc::channel();
    let config = Config::default()
        .max_queued(10_000)
        .stall_limit(Duration::from_millis(200));
    let addr = serve(config, move |ws| {
        let failure = loop {
            if let Err(error) = ws.send(vec![0; 10_000]) {
                break error;
            }
        };
        tell.send(failure).unwrap();
        Ok(())
    });
    let _raw = Raw::connect(addr);
    match told.recv_timeout(DEADLINE).unwrap() {
        Error::Io(error) => assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{error}"),
        other => panic!("{other}"),
    }
}

#[test]
fn both_directions_at_once() {
    const COUNT: usize = 2000;
    let addr = serve(Config::default(), |ws| {
        let (sender, mut receiver) = ws.split();
        let source = thread::spawn(move || {
            (0..COUNT).try_for_each(|i| sender.send(format!("from the server {i}")))
        });
        let mut received = 0;
        while received < COUNT && receiver.receive()?.is_some() {
            received += 1;
        }
        assert_eq!(received, COUNT);
        source.join().unwrap()
    });
    let (sender, mut receiver) = connect(addr).split();
    let source = thread::spawn(move || {
        (0..COUNT).try_for_each(|i| sender.send(format!("from the client {i}")))
    });
    for i in 0..COUNT {
        let expected = Message::from(format!("from the server {i}"));
        assert_eq!(receiver.receive().unwrap(), Some(expected));
    }
    source.join().unwrap().unwrap();
    assert_eq!(receiver.receive().unwrap(), None);
}
