//! A program over Unix sockets.

use super::{thread, unix};
use crate::support::{DEADLINE, Folder};
use std::fmt::Debug;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;
use unix::{SocketAddr, UnixDatagram, UnixListener, UnixStream};

stories! {
    a_server_and_its_clients,
    nobody_listens,
    #[cfg(target_os = "linux")] abstract_names,
    reading_and_writing,
    both_directions_at_once,
    timeouts_and_modes,
    datagrams,
    pairs_of_datagram_sockets,
    descriptors,
}

fn kind<T: Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (one, two) = UnixStream::pair()?;
    for stream in [&one, &two] {
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
    }
    Ok((one, two))
}

fn a_server_and_its_clients() -> io::Result<()> {
    let folder = Folder::new();
    let path = folder.path("socket");
    let listener = UnixListener::bind(&path)?;
    assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path));
    let acceptor = listener.try_clone()?;
    let server = thread::spawn(move || -> io::Result<()> {
        for stream in acceptor.incoming().take(2) {
            let mut stream = stream?;
            let mut question = String::new();
            stream.read_to_string(&mut question)?;
            stream.write_all(question.to_uppercase().as_bytes())?;
        }
        Ok(())
    });
    for mut client in [
        UnixStream::connect(&path)?,
        UnixStream::connect_addr(&SocketAddr::from_pathname(&path)?)?,
    ] {
        assert_eq!(client.peer_addr()?.as_pathname(), Some(&*path));
        assert!(client.local_addr()?.is_unnamed());
        client.write_all(b"hello")?;
        client.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        client.read_to_string(&mut answer)?;
        assert_eq!(answer, "HELLO");
    }
    server.join().unwrap()?;
    listener.set_nonblocking(true)?;
    assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
    let _client = UnixStream::connect(&path)?;
    assert!(listener.accept()?.1.is_unnamed());
    assert!(listener.take_error()?.is_none());
    assert_eq!(kind(UnixListener::bind(&path)), ErrorKind::AddrInUse);
    drop((listener.into_iter(), folder));
    Ok(())
}

fn nobody_listens() -> io::Result<()> {
    let folder = Folder::new();
    let path = folder.path("socket");
    assert_eq!(kind(UnixStream::connect(&path)), ErrorKind::NotFound);
    drop(UnixListener::bind(&path)?);
    assert_eq!(
        kind(UnixStream::connect(&path)),
        ErrorKind::ConnectionRefused
    );
    let long = "x".repeat(200);
    assert_eq!(kind(UnixStream::connect(&long)), ErrorKind::InvalidInput);
    assert_eq!(kind(UnixListener::bind("zero\0")), ErrorKind::InvalidInput);
    Ok(())
}

#[cfg(target_os = "linux")]
fn abstract_names() -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    let folder = Folder::new();
    let name = folder.path("name");
    let addr = SocketAddr::from_abstract_name(name.as_os_str().as_encoded_bytes())?;
    let listener = UnixListener::bind_addr(&addr)?;
    let mut client = UnixStream::connect_addr(&addr)?;
    listener.accept()?.0.write_all(b"x")?;
    client.read_exact(&mut [0])?;
    let receiver = UnixDatagram::bind_addr(&addr)?;
    let sender = UnixDatagram::unbound()?;
    sender.send_to_addr(b"hello", &addr)?;
    sender.connect_addr(&addr)?;
    sender.send(b"again")?;
    let mut buf = [0; 9];
    assert!(receiver.recv_from(&mut buf)?.1.is_unnamed());
    assert_eq!(receiver.recv(&mut buf)?, 5);
    Ok(())
}

fn reading_and_writing() -> io::Result<()> {
    let (mut one, mut two) = pair()?;
    one.write_all(b"hello, ")?;
    let parts = [IoSlice::new(b"wo"), IoSlice::new(b""), IoSlice::new(b"rld")];
    assert_eq!(one.write_vectored(&parts)?, 5);
    one.flush()?;
    let mut buf = [0; 7];
    two.read_exact(&mut buf)?;
    let (mut head, mut tail) = ([0; 2], [0; 8]);
    let mut parts = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut tail)];
    assert_eq!(two.read_vectored(&mut parts)?, 5);
    assert_eq!((&head, &tail[..3]), (b"wo", &b"rld"[..]));
    (&two).write_all(b"by ref.")?;
    (&one).read_exact(&mut buf)?;
    assert_eq!(&buf, b"by ref.");
    one.shutdown(Shutdown::Both)?;
    assert_eq!(two.read(&mut buf)?, 0);
    assert_eq!(kind(two.write(b"x")), ErrorKind::BrokenPipe);
    Ok(())
}

fn both_directions_at_once() -> io::Result<()> {
    const LEN: usize = 1 << 20;
    let (one, mut two) = pair()?;
    let mut writer = one.try_clone()?;
    let source = thread::spawn(move || {
        writer.write_all(&vec![1; LEN])?;
        writer.shutdown(Shutdown::Write)
    });
    let mut sink = two.try_clone()?;
    let echo = thread::spawn(move || io::copy(&mut two, &mut sink));
    let mut bytes = vec![0; LEN];
    (&one).read_exact(&mut bytes)?;
    source.join().unwrap()?;
    assert_eq!(echo.join().unwrap()?, LEN as u64);
    Ok(())
}

fn timeouts_and_modes() -> io::Result<()> {
    let (mut one, _two) = pair()?;
    let short = Some(Duration::from_millis(20));
    one.set_read_timeout(short)?;
    one.set_write_timeout(short)?;
    assert!(one.read_timeout()? >= short && one.write_timeout()? >= short);
    assert_eq!(kind(one.read(&mut [0])), ErrorKind::WouldBlock);
    let full = loop {
        if let Err(error) = one.write(&[0; 1 << 16]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    let zero = Some(Duration::ZERO);
    assert_eq!(kind(one.set_read_timeout(zero)), ErrorKind::InvalidInput);
    assert_eq!(kind(one.set_write_timeout(zero)), ErrorKind::InvalidInput);
    one.set_read_timeout(None)?;
    assert_eq!(one.read_timeout()?, None);
    one.set_nonblocking(true)?;
    assert_eq!(kind(one.read(&mut [0])), ErrorKind::WouldBlock);
    assert_eq!(kind(one.write(&[0])), ErrorKind::WouldBlock);
    assert!(one.take_error()?.is_none());
    Ok(())
}

fn datagrams() -> io::Result<()> {
    let folder = Folder::new();
    let (near, far) = (folder.path("near"), folder.path("far"));
    let one = UnixDatagram::bind(&near)?;
    let two = UnixDatagram::bind(&far)?;
    two.set_read_timeout(Some(DEADLINE))?;
    assert_eq!(one.send_to(b"first", &far)?, 5);
    let mut buf = [0; 10];
    let (count, from) = two.recv_from(&mut buf)?;
    assert_eq!(
        (&buf[..count], from.as_pathname()),
        (&b"first"[..], Some(&*near))
    );
    assert_eq!(kind(one.peer_addr()), ErrorKind::NotConnected);
    assert_eq!(kind(one.send(b"to whom?")), ErrorKind::NotConnected);
    one.connect(&far)?;
    assert_eq!(one.peer_addr()?.as_pathname(), Some(&*far));
    assert_eq!(one.send(b"")?, 0);
    assert_eq!(two.recv(&mut buf)?, 0);
    assert_eq!(
        one.send_to(b"x", folder.path("none")).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    drop(two);
    assert_eq!(kind(one.send(b"gone?")), ErrorKind::ConnectionRefused);
    assert_eq!(kind(UnixDatagram::bind(&far)), ErrorKind::AddrInUse);
    Ok(())
}

fn pairs_of_datagram_sockets() -> io::Result<()> {
    let (one, two) = UnixDatagram::pair()?;
    let short = Some(Duration::from_millis(20));
    one.set_read_timeout(short)?;
    one.set_write_timeout(short)?;
    assert!(one.read_timeout()? >= short && one.write_timeout()? >= short);
    assert_eq!(kind(one.recv(&mut [0])), ErrorKind::WouldBlock);
    let full = loop {
        if let Err(error) = one.send(&[0; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    two.set_nonblocking(true)?;
    let clone = two.try_clone()?;
    while clone.recv(&mut [0; 4096]).is_ok() {}
    assert_eq!(kind(two.recv_from(&mut [0])), ErrorKind::WouldBlock);
    assert!(two.local_addr()?.is_unnamed() && two.take_error()?.is_none());
    two.set_nonblocking(false)?;
    two.shutdown(Shutdown::Both)?;
    assert_eq!(two.recv(&mut [0])?, 0);
    assert!(one.send(b"x").is_err());
    Ok(())
}

fn descriptors() -> io::Result<()> {
    let (one, mut two) = pair()?;
    assert_eq!(one.as_fd().as_raw_fd(), one.as_raw_fd());
    assert!(format!("{one:?}").starts_with("UnixStream {"));
    let duplicate = one.as_fd().try_clone_to_owned()?;
    drop(one);
    UnixStream::from(duplicate).write_all(b"x")?;
    assert_eq!(two.read(&mut [0])?, 1);
    let (one, two) = UnixDatagram::pair()?;
    assert!(format!("{one:?}").starts_with("UnixDatagram {"));
    let duplicate = one.as_fd().try_clone_to_owned()?;
    assert_eq!(UnixDatagram::from(duplicate).send(b"x")?, 1);
    assert_eq!(two.recv(&mut [0])?, 1);
    let folder = Folder::new();
    let listener = UnixListener::bind(folder.path("socket"))?;
    assert!(format!("{listener:?}").starts_with("UnixListener {"));
    let duplicate = listener.as_fd().try_clone_to_owned()?;
    let listener = UnixListener::from(duplicate);
    assert!(listener.local_addr()?.as_pathname().is_some());
    Ok(())
}
