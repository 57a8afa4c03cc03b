//! One worker, many connections: a busy one does not keep the others waiting.

#[cfg(feature = "tls")]
#[path = "support/certificates.rs"]
mod certificates;
mod support;

use greenwire_net::TcpListener;
use greenwire_net::unix::UnixDatagram;
use greenwire_runtime::{Builder, thread};
use std::io::{Read, Write};
use std::net;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{pair, peer};

/// Far above what it takes (well under 10 ms), far below what an unfair scheduler shows (for ever).
const LATE: Duration = Duration::from_secs(10);

fn one_worker() {
    // Another story of this file may have been first.
    let _ = Builder::new().workers(1).start();
}

/// Echoes 300 bytes, one by one, and tells the slowest round trip with `--nocapture`.
fn check_echo(beside: &str) {
    let (mut stream, mut peer) = pair();
    peer.set_nodelay(true).unwrap();
    let server = thread::spawn(move || {
        let mut byte = [0];
        while stream.read(&mut byte).unwrap() > 0 {
            stream.write_all(&byte).unwrap();
        }
    });
    let round_trips = (0..300).map(|_| {
        let begin = Instant::now();
        peer.write_all(b"x").unwrap();
        peer.read_exact(&mut [0]).unwrap();
        begin.elapsed()
    });
    let slowest = round_trips.max().unwrap();
    println!("slowest echo beside {beside}: {slowest:?}");
    assert!(slowest < LATE, "{slowest:?}");
    drop(peer);
    server.join().unwrap();
}

#[test]
fn a_yield_loop_does_not_delay_an_echo() {
    one_worker();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let busy = thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            thread::yield_now();
        }
    });
    check_echo("a yield loop");
    stop.store(true, Ordering::Relaxed);
    busy.join().unwrap();
}

#[test]
fn a_flooded_reader_does_not_delay_an_echo() {
    one_worker();
    let (mut stream, mut flood) = pair();
    let reader = thread::spawn(move || {
        let (mut buf, mut total) = ([0; 4096], 0);
        while let Ok(n @ 1..) = stream.read(&mut buf) {
            total += n;
        }
        total
    });
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let writer = peer(move || {
        let mut total = 0;
        while !stopped.load(Ordering::Relaxed) {
            total += flood.write(&[0; 256 * 1024]).unwrap();
        }
        total
    });
    check_echo("a flooded reader");
    stop.store(true, Ordering::Relaxed);
    assert_eq!(writer.join().unwrap(), reader.join().unwrap());
}

#[test]
fn a_crowd_of_new_connections_does_not_delay_an_echo() {
    one_worker();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = thread::spawn(move || {
        let streams = listener.incoming().take(500).map(Result::unwrap);
        streams.collect::<Vec<_>>()
    });
    let crowd = peer(move || {
        let streams = (0..500).map(|_| net::TcpStream::connect(address).unwrap());
        streams.collect::<Vec<_>>()
    });
    check_echo("a crowd of new connections");
    assert_eq!(acceptor.join().unwrap().len(), 500);
    drop(crowd.join().unwrap());
}

#[test]
fn a_busy_sender_of_datagrams_does_not_delay_an_echo() {
    one_worker();
    let folder = support::Folder::new();
    let path = folder.path("socket");
    let receiver = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let sender = thread::spawn(move || {
        let sender = UnixDatagram::unbound().unwrap();
        while !stopped.load(Ordering::Relaxed) {
            sender.send_to(b"x", &path).unwrap();
        }
        sender.send_to(b"", &path).unwrap();
    });
    let receiver = peer(move || while receiver.recv(&mut [0]).unwrap() > 0 {});
    check_echo("a busy sender of datagrams");
    stop.store(true, Ordering::Relaxed);
    sender.join().unwrap();
    receiver.join().unwrap();
}

#[test]
#[cfg(feature = "tls")]
fn a_flooded_reader_of_tls_does_not_delay_an_echo() {
    one_worker();
    let (stream, flood) = pair();
    let acceptor = certificates::authority().acceptor("localhost");
    let reader = thread::spawn(move || {
        let mut stream = acceptor.accept(stream).unwrap();
        let mut buf = [0; 4096];
        while let Ok(1..) = stream.read(&mut buf) {}
    });
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let writer = peer(move || {
        let mut flood = certificates::client(flood);
        while !stopped.load(Ordering::Relaxed) {
            flood.write_all(&[0; 256 * 1024]).unwrap();
        }
    });
    check_echo("a flooded reader of TLS");
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    reader.join().unwrap();
}

#[test]
#[cfg(feature = "tls")]
fn a_busy_writer_of_tls_does_not_delay_an_echo() {
    one_worker();
    let (stream, sink) = pair();
    let acceptor = certificates::authority().acceptor("localhost");
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let writer = thread::spawn(move || {
        let mut stream = acceptor.accept(stream).unwrap();
        // Little at a time, so that there is always room.
        while !stopped.load(Ordering::Relaxed) {
            stream.write_all(b"x").unwrap();
        }
    });
    let reader = peer(move || {
        let mut sink = certificates::client(sink);
        std::io::copy(&mut sink, &mut std::io::sink()).unwrap()
    });
    check_echo("a busy writer of TLS");
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    reader.join().unwrap();
}
