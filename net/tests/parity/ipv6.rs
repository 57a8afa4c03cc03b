//! A program over IPv6.

use super::{net, thread};
use crate::support::DEADLINE;
use net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::io::{self, Read, Write};

stories! {
    streams,
    datagrams,
    both_families_at_one_listener,
    addresses,
}

/// Whether this machine speaks it at all.
fn is_there() -> bool {
    let there = std::net::UdpSocket::bind("[::1]:0").is_ok();
    if !there {
        eprintln!("skipped: no IPv6 on this machine");
    }
    there
}

fn streams() -> io::Result<()> {
    if !is_there() {
        return Ok(());
    }
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    assert!(addr.is_ipv6());
    let server = thread::spawn(move || -> io::Result<SocketAddr> {
        let (mut stream, peer) = listener.accept()?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        stream.write_all(text.to_uppercase().as_bytes())?;
        Ok(peer)
    });
    let mut client = TcpStream::connect_timeout(&addr, DEADLINE)?;
    assert_eq!(client.peer_addr()?, addr);
    client.write_all(b"hello")?;
    client.shutdown(net::Shutdown::Write)?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    assert_eq!(answer, "HELLO");
    assert_eq!(server.join().unwrap()?, client.local_addr()?);
    Ok(())
}

fn datagrams() -> io::Result<()> {
    if !is_there() {
        return Ok(());
    }
    let one = UdpSocket::bind("[::1]:0")?;
    let two = UdpSocket::bind("[::1]:0")?;
    two.set_read_timeout(Some(DEADLINE))?;
    one.send_to(b"hello", two.local_addr()?)?;
    let mut buf = [0; 9];
    assert_eq!(two.recv_from(&mut buf)?, (5, one.local_addr()?));
    one.connect(two.local_addr()?)?;
    one.send(b"")?;
    assert_eq!(two.recv(&mut buf)?, 0);
    let group = "ff02::1234".parse().unwrap();
    two.set_multicast_loop_v6(false)?;
    assert!(!two.multicast_loop_v6()?);
    two.join_multicast_v6(&group, 0)?;
    two.leave_multicast_v6(&group, 0)
}

fn both_families_at_one_listener() -> io::Result<()> {
    if !is_there() {
        return Ok(());
    }
    let listener = TcpListener::bind("[::]:0")?;
    let port = listener.local_addr()?.port();
    for host in ["127.0.0.1", "::1"] {
        let client = TcpStream::connect((host, port))?;
        let (_, peer) = listener.accept()?;
        assert_eq!(peer.ip().to_canonical(), client.local_addr()?.ip());
    }
    Ok(())
}

fn addresses() -> io::Result<()> {
    let of = |text: &str| -> io::Result<Vec<SocketAddr>> { Ok(text.to_socket_addrs()?.collect()) };
    assert_eq!(of("[::1]:80")?, [(Ipv6Addr::LOCALHOST, 80).into()]);
    let scoped = of("[fe80::1%1]:80")?;
    assert!(matches!(scoped[..], [SocketAddr::V6(addr)] if addr.scope_id() == 1));
    for bad in ["::1:80:", "[::1]", "[::1:80", "::1]:80"] {
        assert!(of(bad).is_err(), "{bad}");
    }
    Ok(())
}
