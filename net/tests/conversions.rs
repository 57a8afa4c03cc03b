//! From std's types and back: bytes, timeouts and blocking mode stay what they are.

mod support;

use greenwire_net::{TcpListener, TcpStream};
use socket2::SockRef;
use std::io::{ErrorKind, Read, Write};
use std::net;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;
use support::{DEADLINE, on_both, pair, pair_of_ours};

fn is_nonblocking(socket: &impl AsFd) -> bool {
    SockRef::from(socket).nonblocking().unwrap()
}

#[test]
fn unread_bytes_stay() {
    on_both(|| {
        let (stream, mut peer) = pair();
        peer.write_all(b"abcdef").unwrap();
        let mut buf = [0; 2];
        (&stream).read_exact(&mut buf).unwrap();
        let fd = stream.as_raw_fd();
        let mut stds = stream.into_std().unwrap();
        assert_eq!(stds.as_raw_fd(), fd);
        stds.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"cd");
        let mut ours = TcpStream::from(stds);
        ours.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"ef");
        assert_eq!(ours.as_raw_fd(), fd);
    });
}

#[test]
fn the_blocking_mode_is_the_users() {
    on_both(|| {
        for nonblocking in [false, true] {
            let (stream, _peer) = pair_of_ours();
            stream.set_nonblocking(nonblocking).unwrap();
            let stds = stream.into_std().unwrap();
            assert_eq!(is_nonblocking(&stds), nonblocking);
            let stream = TcpStream::from(stds);
            if nonblocking {
                let error = (&stream).read(&mut [0]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
            }
            let fd = OwnedFd::try_from(stream).unwrap();
            assert_eq!(is_nonblocking(&fd), nonblocking);
        }
    });
}

#[test]
fn timeouts_come_along() {
    on_both(|| {
        let limit = Some(Duration::from_millis(40));
        let (_stream, stds) = pair();
        stds.set_read_timeout(limit).unwrap();
        stds.set_write_timeout(limit).unwrap();
        let mut ours = TcpStream::from(stds);
        let error = ours.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        support::fill(&ours);
        let error = ours.write(&[0; 1 << 16]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        ours.set_read_timeout(Some(DEADLINE)).unwrap();
        let stds = ours.into_std().unwrap();
        assert_eq!(stds.read_timeout().unwrap(), Some(DEADLINE));
        assert!(stds.write_timeout().unwrap() >= limit);
    });
}

#[test]
#[cfg(not(target_vendor = "apple"))]
fn a_stream_with_other_handles_is_duplicated() {
    on_both(|| {
        let (stream, mut peer) = pair();
        let handle = stream.try_clone().unwrap();
        let mut stds = stream.into_std().unwrap();
        assert_ne!(stds.as_raw_fd(), handle.as_raw_fd());
        stds.write_all(b"a").unwrap();
        (&handle).write_all(b"b").unwrap();
        let mut buf = [0; 2];
        peer.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"ab");
    });
}

#[test]
fn a_listener_converts_only_alone() {
    on_both(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let handle = listener.try_clone().unwrap();
        let error = listener.into_std().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceBusy);
        let stds = handle.into_std().unwrap();
        assert!(!is_nonblocking(&stds));
        let _client = net::TcpStream::connect(stds.local_addr().unwrap()).unwrap();
        let ours = TcpListener::from(stds);
        ours.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        assert!(is_nonblocking(&OwnedFd::try_from(ours).unwrap()));
    });
}

#[test]
#[cfg(not(target_vendor = "apple"))]
fn connected_sockets_are_in_blocking_mode() {
    on_both(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let client = TcpStream::connect(addr).unwrap();
        let (server, _) = listener.accept().unwrap();
        let second = TcpStream::connect_timeout(&addr, DEADLINE).unwrap();
        for stream in [client, server, second] {
            assert!(!is_nonblocking(&stream));
        }
    });
}
