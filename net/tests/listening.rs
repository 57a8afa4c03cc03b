//! Accepting and connecting, on either kind of thread.

mod support;

use greenwire_net::{TcpListener, TcpStream};
use greenwire_runtime::thread;
use std::io::{ErrorKind, Read, Write};
use std::net;
use std::time::{Duration, Instant};
use support::{DEADLINE, on_both, peer, refusing};

#[test]
fn an_accept_waits_for_its_connection() {
    on_both(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let acceptor = listener.try_clone().unwrap();
        let accepted = thread::spawn(move || acceptor.accept().unwrap());
        let client = TcpStream::connect(addr).unwrap();
        let (mut stream, from) = accepted.join().unwrap();
        assert_eq!(from, client.local_addr().unwrap());
        assert_eq!(stream.peer_addr().unwrap(), from);
        (&client).write_all(b"x").unwrap();
        assert_eq!(stream.read(&mut [0; 2]).unwrap(), 1);
    });
}

#[test]
fn several_threads_accept_from_one_listener() {
    on_both(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let acceptors: Vec<_> = (0..4)
            .map(|_| listener.try_clone().unwrap())
            .map(|listener| thread::spawn(move || listener.into_incoming().take(5).count()))
            .collect();
        let clients: Vec<_> = (0..20)
            .map(|_| TcpStream::connect_timeout(&addr, DEADLINE).unwrap())
            .collect();
        let accepted = acceptors.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(accepted.sum::<usize>(), clients.len());
    });
}

/// Std's listener loses the packets of all connections beyond its 128, until somebody accepts.
#[test]
fn the_queue_is_as_long_as_the_system_permits() {
    on_both(|| {
        let permitted = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
        let permitted = permitted.map_or(128, |text| text.trim().parse().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let clients: Vec<_> = (0..400.min(permitted))
            .map(|_| TcpStream::connect_timeout(&addr, DEADLINE / 2).unwrap())
            .collect();
        assert_eq!(
            listener.incoming().take(clients.len()).count(),
            clients.len()
        );
    });
}

#[test]
fn a_listener_in_non_blocking_mode_does_not_wait() {
    on_both(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let error = listener.accept().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(listener.accept().is_ok());
        listener.set_nonblocking(false).unwrap();
        let addr = listener.local_addr().unwrap();
        let client = peer(move || net::TcpStream::connect(addr).unwrap());
        assert!(listener.accept().is_ok());
        client.join().unwrap();
    });
}

#[test]
fn nobody_listens() {
    on_both(|| {
        let (_bound, nobody) = refusing();
        let refused = TcpStream::connect(nobody).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let refused = TcpStream::connect_timeout(&nobody, DEADLINE).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn the_addresses_are_tried_in_turn() {
    on_both(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let (_bound, nobody) = refusing();
        let stream = TcpStream::connect(&[nobody, nobody, good][..]).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        let error = TcpStream::connect(&[][..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn names_are_looked_up() {
    on_both(|| {
        let listener = TcpListener::bind("localhost:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("localhost", port)).unwrap();
        TcpStream::connect(format!("localhost:{port}")).unwrap();
        let error = TcpStream::connect("localhost").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_connect_gives_up_after_its_timeout() {
    const LIMIT: Duration = Duration::from_millis(50);
    on_both(|| {
        // Once its queue is full a listener ignores who comes.
        let (socket, addr) = refusing();
        socket.listen(1).unwrap();
        let mut queued = Vec::new();
        loop {
            let start = Instant::now();
            match TcpStream::connect_timeout(&addr, LIMIT) {
                Ok(stream) => queued.push(stream),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::TimedOut);
                    assert!(start.elapsed() >= LIMIT);
                    return;
                }
            }
            assert!(queued.len() < 100, "the queue is never full");
        }
    });
}

#[test]
fn no_time_at_all_is_refused() {
    on_both(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let error = TcpStream::connect_timeout(&addr, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let stream = TcpStream::connect(addr).unwrap();
        let error = stream.set_read_timeout(Some(Duration::ZERO)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}
