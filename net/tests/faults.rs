//! Peers that fail, and a number of descriptors that was another's a moment ago.

mod support;

use greenwire_net::unix::{UnixDatagram, UnixListener, UnixStream};
use greenwire_net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use greenwire_runtime::{thread, time};
use std::io::{ErrorKind, Read, Write};
use std::net;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use support::{DEADLINE, Folder, fill, on_both, on_green, pair, peer, started};

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn a_reset_ends_a_waiting_write() {
    on_both(|| {
        for _ in 0..10 {
            let (mut stream, far) = pair();
            fill(&stream);
            let writer = started(move || stream.write_all(&vec![0; 1 << 20]));
            let far = TcpStream::from(far);
            far.set_linger(Some(Duration::ZERO)).unwrap();
            drop(far);
            let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
            let error = writer.join().unwrap().unwrap_err();
            assert!(kinds.contains(&error.kind()), "{error}");
        }
    });
}

/// Its peer is there for the kernel, and says nothing: only the limit ends the wait.
#[test]
fn half_open_peers_are_given_up_after_the_read_timeout() {
    on_both(|| {
        let readers: Vec<_> = (0..100)
            .map(|_| {
                let (mut stream, silent) = pair();
                stream.set_read_timeout(Some(SHORT)).unwrap();
                let start = Instant::now();
                let reader = started(move || (stream.read(&mut [0]), start.elapsed()));
                (reader, silent)
            })
            .collect();
        for (reader, _silent) in readers {
            let (read, after) = reader.join().unwrap();
            assert_eq!(read.unwrap_err().kind(), ErrorKind::WouldBlock);
            assert!((SHORT..DEADLINE).contains(&after), "{after:?}");
        }
    });
}

/// Dropping a handle is no shutdown: who waits holds one of its own.
#[test]
fn dropping_a_handle_leaves_those_who_wait() {
    on_both(|| {
        let (stream, mut far) = pair();
        let mut waiting = stream.try_clone().unwrap();
        let reader = started(move || waiting.read(&mut [0; 9]).unwrap());
        drop(stream);
        far.write_all(b"still").unwrap();
        assert_eq!(reader.join().unwrap(), 5);
        assert_eq!(far.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn two_readers_get_a_part_each() {
    on_both(|| {
        let (stream, mut far) = pair();
        let readers: Vec<_> = (0..3)
            .map(|_| stream.try_clone().unwrap())
            .map(|mut stream| started(move || stream.read_exact(&mut [0; 1000])))
            .collect();
        for _ in 0..300 {
            far.write_all(&[0; 10]).unwrap();
        }
        for reader in readers {
            reader.join().unwrap().unwrap();
        }
        stream.set_nonblocking(true).unwrap();
        assert!((&stream).read(&mut [0]).is_err());
    });
}

/// Each round uses the numbers of the one before, whose events may still be on their way.
#[test]
fn a_number_used_again_wakes_nobody_else() {
    on_green(|| {
        let mut numbers = Vec::new();
        for round in 0..200u8 {
            let (stream, mut far) = pair();
            numbers.push(stream.as_raw_fd());
            let mut waiting = stream.try_clone().unwrap();
            let reader = thread::spawn(move || {
                let mut bytes = [0; 3];
                waiting.read_exact(&mut bytes).map(|()| bytes)
            });
            for _ in 0..3 {
                thread::yield_now();
                far.write_all(&[round]).unwrap();
            }
            // Everything that a connection can tell at its end, just before its number is free.
            far.write_all(b"unread").unwrap();
            drop(far);
            assert_eq!(reader.join().unwrap().unwrap(), [round; 3]);
            drop(stream);

            let (stream, _silent) = pair();
            stream
                .set_read_timeout(Some(Duration::from_millis(1)))
                .unwrap();
            let error = (&stream).read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock, "in round {round}");
        }
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.dedup();
        assert!(numbers.len() < count, "no number was used again");
    });
}

#[test]
fn a_listener_that_is_cancelled_can_be_used_again() {
    on_green(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        assert!(time::timeout(SHORT, || listener.accept()).is_err());
        let client = peer(move || net::TcpStream::connect(addr).unwrap());
        listener.accept().unwrap();
        client.join().unwrap();
    });
}

#[test]
fn a_datagram_wakes_one_who_waits() {
    on_both(|| {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let addr = receiver.local_addr().unwrap();
        receiver.set_read_timeout(Some(DEADLINE)).unwrap();
        let waits = started(move || receiver.recv_from(&mut [0; 9]).unwrap());
        let sender = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.send_to(b"hello", addr).unwrap();
        assert_eq!(waits.join().unwrap(), (5, sender.local_addr().unwrap()));
    });
}

#[test]
fn a_udp_receive_gives_up_after_its_timeout() {
    on_both(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(SHORT)).unwrap();
        let start = Instant::now();
        let error = socket.recv_from(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(start.elapsed() >= SHORT);
    });
}

#[test]
fn shutdown_wakes_who_waits_on_unix_sockets() {
    on_both(|| {
        let (stream, _far) = UnixStream::pair().unwrap();
        let mut waiting = stream.try_clone().unwrap();
        let reader = started(move || waiting.read(&mut [0]).unwrap());
        stream.shutdown(Shutdown::Read).unwrap();
        assert_eq!(reader.join().unwrap(), 0);

        let (socket, _far) = UnixDatagram::pair().unwrap();
        let waiting = socket.try_clone().unwrap();
        let receiver = started(move || waiting.recv(&mut [0]).unwrap());
        socket.shutdown(Shutdown::Both).unwrap();
        assert_eq!(receiver.join().unwrap(), 0);
    });
}

/// The kernel queues as many as it is told to, and says nothing when there is room again.
#[test]
fn a_full_unix_listener_is_waited_for() {
    on_both(|| {
        let folder = Folder::new();
        let path = folder.path("socket");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        socket2::SockRef::from(&listener).listen(1).unwrap();
        let clients: Vec<_> = (0..10)
            .map(|_| path.clone())
            .map(|path| thread::spawn(move || UnixStream::connect(path)))
            .collect();
        let listener = UnixListener::from(listener);
        let accepted: Vec<_> = listener.incoming().take(10).map(Result::unwrap).collect();
        for client in clients {
            client.join().unwrap().unwrap();
        }
        assert_eq!(accepted.len(), 10);
    });
}

#[test]
fn a_full_unix_receiver_is_waited_for() {
    on_both(|| {
        let folder = Folder::new();
        let path = folder.path("socket");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.set_write_timeout(Some(SHORT)).unwrap();
        let mut sent = 0;
        let error = loop {
            match sender.send_to(b"x", &path) {
                Ok(_) => sent += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        sender.set_write_timeout(Some(DEADLINE)).unwrap();
        let late = started(move || sender.send_to(b"late", path).unwrap());
        for _ in 0..sent {
            assert_eq!(receiver.recv(&mut [0; 9]).unwrap(), 1);
        }
        assert_eq!(receiver.recv(&mut [0; 9]).unwrap(), 4);
        assert_eq!(late.join().unwrap(), 4);
    });
}

#[test]
fn a_full_connected_receiver_is_waited_for() {
    on_both(|| {
        let (sender, receiver) = UnixDatagram::pair().unwrap();
        let late = started(move || (0..1000).try_for_each(|_| sender.send(b"x").map(drop)));
        for _ in 0..1000 {
            assert_eq!(receiver.recv(&mut [0; 9]).unwrap(), 1);
        }
        late.join().unwrap().unwrap();
    });
}
