//! `Server`: its limit, its end, and peers that misbehave.

mod support;

use greenwire_net::server::Handle;
use greenwire_net::{Server, TcpListener, TcpStream};
use greenwire_runtime::thread;
use socket2::SockRef;
use std::collections::HashSet;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use support::DEADLINE;

/// Where a server accepts. The stories themselves are told on OS threads: their clients are std's.
#[derive(Clone, Copy, Debug)]
enum Acceptor {
    OsThread,
    GreenThread,
}

/// Tells the story with each kind of acceptor.
fn for_both(story: fn(Acceptor)) {
    for acceptor in [Acceptor::OsThread, Acceptor::GreenThread] {
        let (end, ended) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let _end = end;
            story(acceptor);
        });
        let hangs = ended.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout);
        assert!(!hangs, "the story hangs with {acceptor:?}");
        if let Err(panic) = thread.join() {
            eprintln!("it was with {acceptor:?}");
            std::panic::resume_unwind(panic);
        }
    }
}

struct Running {
    addr: SocketAddr,
    handle: Handle,
    serving: Box<dyn FnOnce() -> io::Result<()>>,
}

impl Running {
    fn new(
        acceptor: Acceptor,
        server: Server,
        handler: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> Running {
        let (addr, handle) = (server.local_addr().unwrap(), server.handle());
        let serve = || server.serve(move |stream, _| handler(stream));
        let serving: Box<dyn FnOnce() -> io::Result<()>> = match acceptor {
            Acceptor::OsThread => {
                let thread = std::thread::spawn(serve);
                Box::new(|| thread.join().unwrap())
            }
            Acceptor::GreenThread => {
                let thread = thread::spawn(serve);
                Box::new(|| thread.join().unwrap())
            }
        };
        Running {
            addr,
            handle,
            serving,
        }
    }

    /// Ends the server; how many connections were cut short.
    fn stop(self, grace: Duration) -> usize {
        let cut = self.handle.shutdown(grace);
        (self.serving)().unwrap();
        assert_eq!(self.handle.connections(), 0);
        let refused = net::TcpStream::connect(self.addr).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        cut
    }
}

fn local() -> Server {
    Server::bind("127.0.0.1:0").unwrap()
}

fn echo(mut stream: TcpStream) {
    let mut buf = [0; 64];
    while let Ok(count @ 1..) = stream.read(&mut buf) {
        if stream.write_all(&buf[..count]).is_err() {
            return;
        }
    }
}

fn client(addr: SocketAddr) -> net::TcpStream {
    let client = net::TcpStream::connect(addr).unwrap();
    client.set_read_timeout(Some(DEADLINE)).unwrap();
    client.set_write_timeout(Some(DEADLINE)).unwrap();
    client
}

#[track_caller]
fn talk(mut client: &net::TcpStream) {
    client.write_all(b"ping").unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"ping");
}

#[track_caller]
fn until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "it never comes true");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn at_the_limit_connections_queue() {
    for_both(|acceptor| {
        let server = Running::new(acceptor, local().max_connections(2), echo);
        let (first, second) = (client(server.addr), client(server.addr));
        talk(&first);
        talk(&second);
        let third = client(server.addr);
        (&third).write_all(b"ping").unwrap();
        third
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        assert!(third.peek(&mut [0]).is_err(), "served beyond the limit");
        assert_eq!(server.handle.connections(), 2);
        third.set_read_timeout(Some(DEADLINE)).unwrap();
        drop(first);
        (&third).read_exact(&mut [0; 4]).unwrap();
        talk(&second);
        drop((second, third));
        assert_eq!(server.stop(DEADLINE), 0);
    });
}

#[test]
fn live_connections_may_finish() {
    for_both(|acceptor| {
        let server = Running::new(acceptor, local(), echo);
        let live = client(server.addr);
        talk(&live);
        let handle = server.handle.clone();
        let stopping = std::thread::spawn(move || handle.shutdown(DEADLINE));
        // No connection any more, while the one there is goes on.
        until(|| net::TcpStream::connect(server.addr).is_err());
        talk(&live);
        assert!(!stopping.is_finished());
        drop(live);
        assert_eq!(stopping.join().unwrap(), 0);
        assert_eq!(server.stop(DEADLINE), 0);
    });
}

#[test]
fn what_never_ends_is_cut_short() {
    struct SetOnDrop(Arc<AtomicBool>);
    impl Drop for SetOnDrop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    for_both(|acceptor| {
        let unwound = Arc::new(AtomicBool::new(false));
        let watch = unwound.clone();
        let server = Running::new(acceptor, local(), move |mut stream| {
            let _watch = SetOnDrop(watch.clone());
            stream.write_all(b"!").unwrap();
            loop {
                thread::sleep(Duration::from_secs(1000));
            }
        });
        let mut client = client(server.addr);
        client.read_exact(&mut [0]).unwrap();
        assert_eq!(server.stop(Duration::from_millis(50)), 1);
        assert!(unwound.load(Ordering::SeqCst));
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    });
}

/// Both loops of a full-duplex handler end: the one that the server knows, and the one that only
/// has the stream.
#[test]
fn helpers_of_a_handler_meet_the_end_of_the_stream() {
    for_both(|acceptor| {
        let (report, reported) = mpsc::channel();
        let report = Mutex::new(report);
        let server = Running::new(acceptor, local(), move |stream| {
            let (mut other, report) = (stream.try_clone().unwrap(), report.lock().unwrap().clone());
            thread::spawn(move || report.send(other.read(&mut [0]).unwrap()).unwrap());
            (&stream).write_all(b"!").unwrap();
            thread::park();
        });
        let mut client = client(server.addr);
        client.read_exact(&mut [0]).unwrap();
        assert_eq!(server.stop(Duration::ZERO), 1);
        assert_eq!(reported.recv_timeout(DEADLINE).unwrap(), 0);
    });
}

#[test]
fn a_connection_may_stop_its_server() {
    for_both(|acceptor| {
        let server = local();
        let handle = server.handle();
        let server = Running::new(acceptor, server, move |mut stream| {
            let _ = stream.read(&mut [0]);
            let cut = handle.shutdown(Duration::from_millis(10));
            stream.write_all(&[cut as u8]).unwrap();
        });
        let other = client(server.addr);
        let mut asks = client(server.addr);
        until(|| server.handle.connections() == 2);
        asks.write_all(b"x").unwrap();
        let mut cut = [0];
        asks.read_exact(&mut cut).unwrap();
        assert_eq!(cut, [1]);
        (server.serving)().unwrap();
        drop(other);
    });
}

#[test]
fn a_server_that_is_stopped_before_it_serves() {
    let server = local();
    assert_eq!(server.handle().shutdown(DEADLINE), 0);
    server.serve(|_, _| ()).unwrap();
}

#[test]
fn it_serves_on_a_green_thread_that_can_be_cancelled() {
    let server = local();
    let addr = server.local_addr().unwrap();
    let serving = thread::spawn(|| server.serve(|stream, _| echo(stream)));
    let live = client(addr);
    talk(&live);
    serving.cancel().unwrap();
    assert!(serving.join().is_err());
    until(|| net::TcpStream::connect(addr).is_err());
    talk(&live);
}

#[test]
fn a_listener_that_is_there_already() {
    for_both(|acceptor| {
        let std = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Running::new(
            acceptor,
            Server::from_listener(TcpListener::from(std)),
            echo,
        );
        talk(&client(server.addr));
        server.stop(DEADLINE);
    });
}

#[test]
fn several_listeners_of_one_address() {
    for_both(|acceptor| {
        let error = Server::bind_each("127.0.0.1:0", 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let server = Server::bind_each("127.0.0.1:0", 2).unwrap();
        let server = Running::new(acceptor, server.max_connections(400), echo);
        let clients: Vec<_> = (0..100).map(|_| client(server.addr)).collect();
        clients.iter().for_each(talk);
        assert_eq!(server.handle.connections(), 100);
        drop(clients);
        assert_eq!(server.stop(DEADLINE), 0);
    });
}

#[test]
fn every_listener_gets_its_part() {
    let threads = Arc::new(Mutex::new(HashSet::new()));
    let seen = threads.clone();
    let server = Server::bind_each("127.0.0.1:0", 2).unwrap();
    let server = Running::new(
        Acceptor::OsThread,
        server.max_connections(2),
        move |stream| {
            // Each listener has one place, so two at a time come from both.
            seen.lock().unwrap().insert(thread::current().id());
            echo(stream);
        },
    );
    // The kernel deals by a hash of ports: some pair among these lands on both.
    let clients: Vec<_> = (0..40).map(|_| client(server.addr)).collect();
    until(|| server.handle.connections() == 2);
    drop(clients);
    until(|| threads.lock().unwrap().len() == 40);
    server.stop(DEADLINE);
}

#[test]
fn a_panic_ends_its_connection_only() {
    for_both(|acceptor| {
        let server = Running::new(acceptor, local(), |mut stream| {
            let mut first = [0];
            stream.read_exact(&mut first).unwrap();
            assert_ne!(first, *b"!", "as asked");
            stream.write_all(&first).unwrap();
            echo(stream);
        });
        let good = client(server.addr);
        talk(&good);
        let mut bad = client(server.addr);
        bad.write_all(b"!").unwrap();
        assert_eq!(bad.read(&mut [0]).unwrap_or(0), 0);
        talk(&good);
        until(|| server.handle.connections() == 1);
        drop(good);
        server.stop(DEADLINE);
    });
}

#[test]
fn a_reset_in_the_middle_of_a_write_disturbs_nobody() {
    for_both(|acceptor| {
        let (failed, failures) = (Arc::new(AtomicUsize::new(0)), 20);
        let count = failed.clone();
        let server = Running::new(acceptor, local(), move |mut stream| {
            let mut wish = [0];
            stream.read_exact(&mut wish).unwrap();
            if wish == *b"p" {
                stream.write_all(b"p").unwrap();
                return echo(stream);
            }
            // More than any socket takes: the peer resets in the middle. Zeros, which take no memory.
            let error = stream.write_all(&vec![0; 64 << 20]).unwrap_err();
            assert!(
                [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind()),
                "{error}"
            );
            count.fetch_add(1, Ordering::SeqCst);
        });
        let good = client(server.addr);
        talk(&good);
        for _ in 0..failures {
            let mut bad = client(server.addr);
            bad.write_all(b"!").unwrap();
            bad.read_exact(&mut [0; 1000]).unwrap();
            SockRef::from(&bad)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
            drop(bad);
            talk(&good);
        }
        until(|| failed.load(Ordering::SeqCst) == failures);
        drop(good);
        assert_eq!(server.stop(DEADLINE), 0);
    });
}

#[test]
fn a_path() {
    let path = std::env::temp_dir().join(format!("greenwire-server-{}", std::process::id()));
    let server = Server::bind_unix(&path).unwrap().max_connections(2);
    let handle = server.handle();
    let serving = std::thread::spawn(|| {
        server.serve(|mut stream, _| {
            let mut buf = [0; 4];
            while stream.read_exact(&mut buf).is_ok() {
                stream.write_all(&buf).unwrap();
            }
        })
    });
    let mut clients: Vec<_> = (0..3)
        .map(|_| UnixStream::connect(&path).unwrap())
        .collect();
    for client in &mut clients {
        client.set_read_timeout(Some(DEADLINE)).unwrap();
        client.write_all(b"ping").unwrap();
    }
    clients[0].read_exact(&mut [0; 4]).unwrap();
    clients[1].read_exact(&mut [0; 4]).unwrap();
    clients.remove(0);
    clients[1].read_exact(&mut [0; 4]).unwrap();
    assert_eq!(handle.shutdown(Duration::from_millis(10)), 2);
    assert_eq!(clients[0].read(&mut [0]).unwrap(), 0);
    serving.join().unwrap().unwrap();
    std::fs::remove_file(path).unwrap();
}
