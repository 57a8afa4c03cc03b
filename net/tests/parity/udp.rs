//! A program over UDP.

use super::{net, thread};
use crate::support::DEADLINE;
use net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

stories! {
    datagrams_keep_their_bounds,
    a_connected_socket_hears_its_peer_only,
    nobody_receives,
    bad_addresses,
    non_blocking_mode,
    one_receives_while_another_sends,
    options,
    descriptors,
}

fn socket() -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(DEADLINE))?;
    socket.set_write_timeout(Some(DEADLINE))?;
    let addr = socket.local_addr()?;
    Ok((socket, addr))
}

fn kind<T: Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn datagrams_keep_their_bounds() -> io::Result<()> {
    let ((one, one_addr), (two, two_addr)) = (socket()?, socket()?);
    assert_eq!(one.send_to(b"first", two_addr)?, 5);
    assert_eq!(one.send_to(b"", two_addr)?, 0);
    assert_eq!(one.send_to(b"third", &[two_addr][..])?, 5);
    let mut buf = [0; 10];
    assert_eq!(two.peek_from(&mut buf)?, (5, one_addr));
    assert_eq!(two.peek(&mut buf[..2])?, 2);
    assert_eq!(two.recv_from(&mut buf)?, (5, one_addr));
    assert_eq!(&buf[..5], b"first");
    assert_eq!(two.recv(&mut buf)?, 0);
    // The rest of a datagram is lost.
    assert_eq!(two.recv_from(&mut buf[..3])?, (3, one_addr));
    assert_eq!(&buf[..3], b"thi");
    two.set_read_timeout(Some(Duration::from_millis(10)))?;
    assert_eq!(kind(two.recv(&mut buf)), ErrorKind::WouldBlock);
    Ok(())
}

fn a_connected_socket_hears_its_peer_only() -> io::Result<()> {
    let ((one, one_addr), (two, two_addr), (stranger, _)) = (socket()?, socket()?, socket()?);
    assert_eq!(kind(one.peer_addr()), ErrorKind::NotConnected);
    assert!(one.send(b"to whom?").is_err());
    one.connect(two_addr)?;
    assert_eq!(one.peer_addr()?, two_addr);
    stranger.send_to(b"hello", one_addr)?;
    assert_eq!(one.send(b"ping")?, 4);
    let mut buf = [0; 10];
    let (count, from) = two.recv_from(&mut buf)?;
    assert_eq!((&buf[..count], from), (&b"ping"[..], one_addr));
    two.send_to(b"pong", from)?;
    let count = one.recv(&mut buf)?;
    assert_eq!(&buf[..count], b"pong");
    Ok(())
}

fn nobody_receives() -> io::Result<()> {
    let (one, _) = socket()?;
    let (gone, gone_addr) = socket()?;
    drop(gone);
    one.connect(gone_addr)?;
    one.send(b"anyone?")?;
    assert_eq!(kind(one.recv(&mut [0])), ErrorKind::ConnectionRefused);
    Ok(())
}

fn bad_addresses() -> io::Result<()> {
    let (one, addr) = socket()?;
    let none: &[SocketAddr] = &[];
    let errors = [
        one.send_to(b"x", none).map(drop).unwrap_err(),
        UdpSocket::bind(none).map(drop).unwrap_err(),
        one.connect(none).unwrap_err(),
        one.send_to(b"x", "no port").map(drop).unwrap_err(),
        one.set_read_timeout(Some(Duration::ZERO)).unwrap_err(),
        one.set_write_timeout(Some(Duration::ZERO)).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    assert_eq!(kind(UdpSocket::bind(addr)), ErrorKind::AddrInUse);
    let much = vec![0; 70_000];
    assert!(one.send_to(&much, addr).is_err());
    Ok(())
}

fn non_blocking_mode() -> io::Result<()> {
    let (one, addr) = socket()?;
    one.set_nonblocking(true)?;
    let mut buf = [0; 4];
    assert_eq!(kind(one.recv(&mut buf)), ErrorKind::WouldBlock);
    assert_eq!(kind(one.recv_from(&mut buf)), ErrorKind::WouldBlock);
    assert_eq!(kind(one.peek(&mut buf)), ErrorKind::WouldBlock);
    assert_eq!(kind(one.peek_from(&mut buf)), ErrorKind::WouldBlock);
    one.set_nonblocking(false)?;
    one.send_to(b"self", addr)?;
    assert_eq!(one.recv_from(&mut buf)?, (4, addr));
    Ok(())
}

fn one_receives_while_another_sends() -> io::Result<()> {
    let ((one, one_addr), (two, two_addr)) = (socket()?, socket()?);
    let sender = one.try_clone()?;
    let echo = thread::spawn(move || -> io::Result<()> {
        let mut buf = [0; 8];
        for _ in 0..100 {
            let (count, from) = two.recv_from(&mut buf)?;
            two.send_to(&buf[..count], from)?;
        }
        Ok(())
    });
    let receiver = thread::spawn(move || -> io::Result<u32> {
        let mut sum = 0;
        let mut buf = [0; 4];
        for _ in 0..100 {
            assert_eq!(one.recv_from(&mut buf)?, (4, two_addr));
            sum += u32::from_be_bytes(buf);
        }
        Ok(sum)
    });
    for number in 0..100u32 {
        sender.send_to(&number.to_be_bytes(), two_addr)?;
    }
    echo.join().unwrap()?;
    assert_eq!(receiver.join().unwrap()?, (0..100).sum());
    assert_eq!(sender.local_addr()?, one_addr);
    Ok(())
}

fn options() -> io::Result<()> {
    let (one, _) = socket()?;
    for on in [true, false] {
        one.set_broadcast(on)?;
        assert_eq!(one.broadcast()?, on);
        one.set_multicast_loop_v4(on)?;
        assert_eq!(one.multicast_loop_v4()?, on);
    }
    one.set_multicast_ttl_v4(7)?;
    assert_eq!(one.multicast_ttl_v4()?, 7);
    one.set_ttl(8)?;
    assert_eq!(one.ttl()?, 8);
    assert!(one.take_error()?.is_none());
    let (group, any) = (Ipv4Addr::new(224, 0, 0, 251), Ipv4Addr::LOCALHOST);
    one.join_multicast_v4(&group, &any)?;
    assert_eq!(
        kind(one.join_multicast_v4(&group, &any)),
        ErrorKind::AddrInUse
    );
    one.leave_multicast_v4(&group, &any)?;
    assert!(one.leave_multicast_v4(&group, &any).is_err());
    assert!(one.join_multicast_v6(&Ipv6Addr::LOCALHOST, 0).is_err());
    Ok(())
}

fn descriptors() -> io::Result<()> {
    let (one, addr) = socket()?;
    assert_eq!(one.as_fd().as_raw_fd(), one.as_raw_fd());
    assert!(format!("{one:?}").starts_with("UdpSocket {"));
    let duplicate = one.as_fd().try_clone_to_owned()?;
    drop(one);
    assert_eq!(UdpSocket::from(duplicate).local_addr()?, addr);
    Ok(())
}
