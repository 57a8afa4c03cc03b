//! A program over TCP.

use super::{net, thread};
use crate::support::{DEADLINE, refusing};
use net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::fmt::Debug;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

stories! {
    reading_and_writing,
    nothing_to_write,
    more_slices_than_a_call_takes,
    ends,
    timeouts,
    non_blocking_mode,
    connecting,
    names,
    options,
    clones,
    incoming_connections,
    descriptors,
}

fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, addr) = listener.accept()?;
    assert_eq!(addr, client.local_addr()?);
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
    }
    Ok((client, server))
}

fn kind<T: Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn reading_and_writing() -> io::Result<()> {
    let (mut client, mut server) = pair()?;
    client.write_all(b"hello, ")?;
    let parts = [IoSlice::new(b"wo"), IoSlice::new(b""), IoSlice::new(b"rld")];
    assert_eq!(client.write_vectored(&parts)?, 5);
    client.flush()?;
    let mut buf = [0; 12];
    server.read_exact(&mut buf[..7])?;
    assert_eq!(server.peek(&mut [0; 2])?, 2);
    let (mut one, mut two) = ([0; 2], [0; 8]);
    let mut parts = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
    assert_eq!(server.read_vectored(&mut parts)?, 5);
    assert_eq!((&one, &two[..3]), (b"wo", &b"rld"[..]));
    (&server).write_all(b"by reference")?;
    (&client).read_exact(&mut buf)?;
    assert_eq!(&buf, b"by reference");
    Ok(())
}

fn nothing_to_write() -> io::Result<()> {
    let (mut client, _server) = pair()?;
    assert_eq!(client.write(&[])?, 0);
    assert_eq!(client.write_vectored(&[])?, 0);
    Ok(())
}

fn more_slices_than_a_call_takes() -> io::Result<()> {
    let (mut client, mut server) = pair()?;
    let parts = vec![IoSlice::new(b"x"); 3000];
    let sent = client.write_vectored(&parts)?;
    assert!((1..3000).contains(&sent));
    client.shutdown(Shutdown::Write)?;
    let mut bytes = vec![0; 3000];
    let mut parts: Vec<_> = bytes.chunks_mut(1).map(IoSliceMut::new).collect();
    let mut received = 0;
    while let count @ 1.. = server.read_vectored(&mut parts)? {
        received += count;
    }
    assert_eq!(received, sent);
    Ok(())
}

fn ends() -> io::Result<()> {
    let (mut client, mut server) = pair()?;
    client.shutdown(Shutdown::Write)?;
    assert_eq!(kind(client.write(b"x")), ErrorKind::BrokenPipe);
    let mut text = String::new();
    assert_eq!(server.read_to_string(&mut text)?, 0);
    server.write_all(b"late")?;
    drop(server);
    assert_eq!(client.read_to_string(&mut text)?, 4);
    assert_eq!(client.read(&mut [0])?, 0);
    Ok(())
}

fn timeouts() -> io::Result<()> {
    let (mut client, _server) = pair()?;
    client.set_read_timeout(Some(Duration::from_millis(20)))?;
    assert!(client.read_timeout()?.unwrap() >= Duration::from_millis(20));
    assert_eq!(kind(client.read(&mut [0])), ErrorKind::WouldBlock);
    assert_eq!(kind(client.peek(&mut [0])), ErrorKind::WouldBlock);
    client.set_read_timeout(None)?;
    assert_eq!(client.read_timeout()?, None);
    client.set_write_timeout(Some(Duration::from_millis(20)))?;
    assert!(client.write_timeout()?.is_some());
    let full = loop {
        if let Err(error) = client.write(&[0; 1 << 16]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    let zero = Some(Duration::ZERO);
    assert_eq!(kind(client.set_read_timeout(zero)), ErrorKind::InvalidInput);
    assert_eq!(
        kind(client.set_write_timeout(zero)),
        ErrorKind::InvalidInput
    );
    Ok(())
}

fn non_blocking_mode() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
    let (mut client, mut server) = pair()?;
    client.set_nonblocking(true)?;
    assert_eq!(kind(client.read(&mut [0])), ErrorKind::WouldBlock);
    assert_eq!(kind(client.peek(&mut [0])), ErrorKind::WouldBlock);
    client.set_nonblocking(false)?;
    server.write_all(b"x")?;
    assert_eq!(client.read(&mut [0])?, 1);
    Ok(())
}

fn connecting() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let good = listener.local_addr()?;
    let (_bound, gone) = refusing();
    assert_eq!(kind(TcpStream::connect(gone)), ErrorKind::ConnectionRefused);
    assert_eq!(TcpStream::connect(&[gone, good][..])?.peer_addr()?, good);
    let none: &[SocketAddr] = &[];
    assert_eq!(kind(TcpStream::connect(none)), ErrorKind::InvalidInput);
    assert_eq!(kind(TcpListener::bind(none)), ErrorKind::InvalidInput);
    assert_eq!(kind(TcpListener::bind(good)), ErrorKind::AddrInUse);
    assert_eq!(kind(TcpStream::connect("no port")), ErrorKind::InvalidInput);
    TcpStream::connect_timeout(&good, DEADLINE)?;
    let refused = TcpStream::connect_timeout(&gone, DEADLINE);
    assert_eq!(kind(refused), ErrorKind::ConnectionRefused);
    let at_once = TcpStream::connect_timeout(&good, Duration::ZERO);
    assert_eq!(kind(at_once), ErrorKind::InvalidInput);
    Ok(())
}

fn names() -> io::Result<()> {
    let listener = TcpListener::bind("localhost:0")?;
    let port = listener.local_addr()?.port();
    TcpStream::connect(("localhost", port))?;
    TcpStream::connect(format!("localhost:{port}"))?;
    TcpStream::connect(&(String::from("localhost"), port))?;
    assert!(
        "localhost:1"
            .to_socket_addrs()?
            .all(|addr| addr.port() == 1)
    );
    Ok(())
}

fn options() -> io::Result<()> {
    let (client, _server) = pair()?;
    for on in [true, false] {
        client.set_nodelay(on)?;
        assert_eq!(client.nodelay()?, on);
    }
    client.set_ttl(7)?;
    assert_eq!(client.ttl()?, 7);
    assert!(client.take_error()?.is_none());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_ttl(8)?;
    assert_eq!(listener.ttl()?, 8);
    assert!(listener.take_error()?.is_none());
    Ok(())
}

fn clones() -> io::Result<()> {
    let (client, server) = pair()?;
    let mut writer = client.try_clone()?;
    let source = thread::spawn(move || writer.write_all(&vec![1; 1 << 20]));
    let mut echo = server.try_clone()?;
    let back = thread::spawn(move || io::copy(&mut &server, &mut echo));
    let mut bytes = vec![0; 1 << 20];
    (&client).read_exact(&mut bytes)?;
    source.join().unwrap()?;
    client.shutdown(Shutdown::Write)?;
    assert_eq!(back.join().unwrap()?, 1 << 20);
    Ok(())
}

fn incoming_connections() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    let acceptor = listener.try_clone()?;
    let clients: Vec<_> = (0..3).map(|_| TcpStream::connect(addr)).collect();
    for (client, stream) in clients.into_iter().zip(acceptor.incoming()) {
        stream?.write_all(b"x")?;
        client?.read_exact(&mut [0])?;
    }
    Ok(())
}

fn descriptors() -> io::Result<()> {
    let (client, mut server) = pair()?;
    assert_eq!(client.as_fd().as_raw_fd(), client.as_raw_fd());
    assert!(format!("{client:?}").starts_with("TcpStream {"));
    let duplicate: OwnedFd = client.as_fd().try_clone_to_owned()?;
    drop(client);
    TcpStream::from(duplicate).write_all(b"x")?;
    assert_eq!(server.read(&mut [0])?, 1);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    assert_eq!(listener.as_fd().as_raw_fd(), listener.as_raw_fd());
    assert!(format!("{listener:?}").starts_with("TcpListener {"));
    let duplicate = listener.as_fd().try_clone_to_owned()?;
    let addr = listener.local_addr()?;
    assert_eq!(TcpListener::from(duplicate).local_addr()?, addr);
    Ok(())
}
