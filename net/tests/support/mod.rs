//! What the stories share: both kinds of thread, a deadline on everything, connected pairs.

#![allow(dead_code, reason = "every story uses a part of it")]

use greenwire_net::{TcpListener, TcpStream};
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{net, thread};

/// No step of a story takes that long, unless it hangs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Tells the story on an OS thread, then on a green one.
pub(crate) fn on_both(story: fn()) {
    within_deadline("on an OS thread", |end| {
        let thread = thread::spawn(move || ended_by(story, end));
        || thread.join()
    });
    on_green(story);
}

/// Tells the story on a green thread.
pub(crate) fn on_green(story: fn()) {
    within_deadline("on a green thread", |end| {
        let thread = greenwire_runtime::thread::spawn(move || ended_by(story, end));
        || thread.join()
    });
}

/// Starts `work` on a thread as `spawn` makes them; returns once it runs.
pub(crate) fn started<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> greenwire_runtime::thread::JoinHandle<T> {
    let (tell, told) = mpsc::channel();
    let thread = greenwire_runtime::thread::spawn(move || {
        tell.send(()).unwrap();
        work()
    });
    // Yielding, unlike a channel of std's: the other may be a green thread of the same OS thread.
    while told.try_recv().is_err() {
        greenwire_runtime::thread::yield_now();
    }
    thread
}

/// Runs `peer` on an OS thread, to be joined at the end of a story.
pub(crate) fn peer<T: Send + 'static>(
    peer: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    thread::spawn(peer)
}

/// A connected pair: ours as accepted, and std's with deadlines as the peer that connected.
pub(crate) fn pair() -> (TcpStream, net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    peer.set_read_timeout(Some(DEADLINE)).unwrap();
    peer.set_write_timeout(Some(DEADLINE)).unwrap();
    (listener.accept().unwrap().0, peer)
}

/// A connected pair, both of them ours.
pub(crate) fn pair_of_ours() -> (TcpStream, TcpStream) {
    let (stream, peer) = pair();
    peer.set_read_timeout(None).unwrap();
    peer.set_write_timeout(None).unwrap();
    (stream, peer.into())
}

/// An address that refuses connections for as long as the socket lives: bound, but not listening.
pub(crate) fn refusing() -> (Socket, net::SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = net::SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, addr)
}

/// Writes without waiting until the socket takes nothing; how much it took.
pub(crate) fn fill(stream: &TcpStream) -> usize {
    let mut taken = 0;
    loop {
        match stream.try_write(&[7; 100_000]) {
            Ok(count) => taken += count,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return taken,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A folder of its own for the sockets of a story; removed on drop.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("greenwire-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        Folder(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Says that a program is absent; on CI that is a failure. Written past the test runner, which
/// swallows what `println!` says.
pub(crate) fn skip(missing: &str) {
    let note = format!("skipped: {missing} not found");
    let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!ci, "{note}");
    let _ = writeln!(std::io::stderr(), "{note}");
}

/// The sender is dropped with the story, whether it returns or panics.
fn ended_by(story: fn(), end: mpsc::Sender<()>) {
    let _end = end;
    story();
}

fn within_deadline<J>(place: &str, start: impl FnOnce(mpsc::Sender<()>) -> J)
where
    J: FnOnce() -> thread::Result<()>,
{
    let (end, ended) = mpsc::channel();
    let join = start(end);
    if ended.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
        panic!("the story hangs {place}");
    }
    if let Err(panic) = join() {
        eprintln!("it was {place}");
        resume_unwind(panic);
    }
}
