//! A server that runs out of descriptors while it has other work. Alone in its process, which it robs of
//! them.

#![cfg(all(target_os = "linux", feature = "tls"))]

#[path = "support/certificates.rs"]
mod certificates;
mod support;

use certificates::{authority, client};
use greenwire_net::{Server, TcpStream};
use greenwire_runtime::thread;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use std::fs::File;
use std::io::{Read, Write};
use std::net;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, Once};
use std::time::{Duration, Instant};
use support::DEADLINE;

/// How often an acceptor has said that it cannot accept.
static COMPLAINTS: AtomicUsize = AtomicUsize::new(0);

struct Listener;

impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.args().to_string().contains("cannot accept") {
            COMPLAINTS.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn flush(&self) {}
}

/// One test at a time, in a process that may have few descriptors.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    static FEW: Once = Once::new();
    let turn = TURN.lock().unwrap_or_else(|panicked| panicked.into_inner());
    FEW.call_once(|| {
        let limit = Rlimit {
            current: Some(150),
            maximum: getrlimit(Resource::Nofile).maximum,
        };
        setrlimit(Resource::Nofile, limit).unwrap();
        log::set_logger(&Listener).unwrap();
        log::set_max_level(log::LevelFilter::Error);
    });
    turn
}

/// What it takes to have no descriptor left, and a socket that is still to connect.
struct Shortage {
    late: Socket,
    taken: Vec<File>,
}

impl Shortage {
    fn begin() -> Shortage {
        let late = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let files = std::iter::repeat_with(|| File::open("/dev/null"));
        Shortage {
            late,
            taken: files.map_while(Result::ok).collect(),
        }
    }

    /// Connects, so that the server cannot accept.
    fn complain(&self, addr: net::SocketAddr) {
        let before = COMPLAINTS.load(Ordering::SeqCst);
        self.late.connect(&addr.into()).unwrap();
        let start = Instant::now();
        while COMPLAINTS.load(Ordering::SeqCst) == before {
            assert!(start.elapsed() < DEADLINE, "it could accept");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn connect(addr: net::SocketAddr) -> net::TcpStream {
    let stream = net::TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn echo_one(mut stream: impl Read + Write) -> std::io::Result<()> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    stream.write_all(&byte)
}

fn check_echo(mut stream: impl Read + Write) {
    stream.write_all(b"x").unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"x");
}

#[test]
fn handshakes_that_have_begun_are_finished() {
    let _turn = alone();
    let acceptor = authority().acceptor("localhost");
    let server = Server::bind("127.0.0.1:0").unwrap();
    let (addr, handle) = (server.local_addr().unwrap(), server.handle());
    let secure = move |stream: TcpStream, _| {
        let stream = acceptor.accept(stream).unwrap();
        echo_one(stream).unwrap();
    };
    let serving = std::thread::spawn(|| server.serve(secure));
    let mut early: Vec<_> = (0..10).map(|_| client(connect(addr))).collect();
    for client in &mut early {
        // Their first message is on its way, and no more of the handshake.
        client.conn.write_tls(&mut client.sock).unwrap();
    }
    while handle.connections() < early.len() {
        thread::yield_now();
    }
    let shortage = Shortage::begin();
    shortage.complain(addr);
    early.into_iter().for_each(check_echo);
    drop(shortage.taken);
    let late = net::TcpStream::from(shortage.late);
    late.set_read_timeout(Some(DEADLINE)).unwrap();
    check_echo(client(late));
    handle.shutdown(DEADLINE);
    serving.join().unwrap().unwrap();
}

#[test]
fn a_server_that_cannot_accept_can_be_stopped() {
    let _turn = alone();
    for on_green in [false, true] {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let (addr, handle) = (server.local_addr().unwrap(), server.handle());
        let serve = || server.serve(|stream, _| drop(echo_one(stream)));
        let end: Box<dyn FnOnce() -> std::io::Result<()>> = if on_green {
            let serving = thread::spawn(serve);
            Box::new(|| serving.join().unwrap())
        } else {
            let serving = std::thread::spawn(serve);
            Box::new(|| serving.join().unwrap())
        };
        check_echo(connect(addr));
        // The server's end of it would give a descriptor back.
        while handle.connections() > 0 {
            std::thread::yield_now();
        }
        let mut shortage = Shortage::begin();
        shortage.complain(addr);
        assert_eq!(handle.shutdown(DEADLINE), 0);
        end().unwrap();
        // Who still waited in the queue is told.
        shortage.late.set_read_timeout(Some(DEADLINE)).unwrap();
        assert!(matches!(shortage.late.read(&mut [0]), Ok(0) | Err(_)));
    }
}
