//! The accept loop: one green thread accepts, and starts one for each connection.

use crate::Request;
use crate::config::Config;
use crate::connection;
use crate::handler::{Handler, IntoResponse};
use greenwire_net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use greenwire_runtime::thread::{self, Thread};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// An HTTP/1.1 server.
///
/// ```no_run
/// use greenwire_http::{Config, Request, Server};
///
/// fn main() -> std::io::Result<()> {
///     let server = Server::bind("127.0.0.1:0")?.config(Config::default().max_body(1 << 10));
///     println!("listening on {}", server.local_addr()?);
///     server.serve(|request| format!("you asked for {}", request.uri()))
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Server {
    listener: TcpListener,
    config: Config,
}

impl Server {
    /// Listens on `addr`; connections queue until [`serve`](Server::serve) accepts them.
    ///
    /// # Errors
    /// Those of [`TcpListener::bind`].
    pub fn bind(addr: impl ToSocketAddrs) -> io::Result<Server> {
        TcpListener::bind(addr).map(Server::from_listener)
    }

    /// A server on a listener that is there already.
    pub fn from_listener(listener: TcpListener) -> Server {
        Server {
            listener,
            config: Config::default(),
        }
    }

    /// Replaces the limits.
    pub fn config(mut self, config: Config) -> Server {
        self.config = config;
        self
    }

    /// The address listened on: the way to learn the port if it was 0.
    ///
    /// # Errors
    /// Those of [`TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers every request with `handler`, one green thread for each connection, for ever.
    ///
    /// When accepting fails, as it does without free descriptors, the server tries again, after
    /// 10 ms at first and never more than a second.
    ///
    /// # Errors
    /// `ErrorKind::InvalidInput` if the listener is one no longer.
    ///
    /// # Cancellation
    /// Parks here. Open connections go on when the accepting green thread is cancelled.
    pub fn serve<F, R>(self, handler: F) -> io::Result<()>
    where
        F: Fn(Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.serve_handler(handler)
    }

    /// As [`serve`](Server::serve), for a [`Handler`] that is not a function.
    ///
    /// # Errors
    /// As [`serve`](Server::serve).
    pub fn serve_handler(self, handler: impl Handler) -> io::Result<()> {
        let handler: Arc<dyn Handler> = Arc::new(handler);
        let config = Arc::new(self.config);
        let slots = Slots::new(config.max_connections);
        let mut backoff = Backoff::default();
        loop {
            let slot = slots.acquire();
            match self.listener.accept() {
                Ok((stream, peer)) => {
                    backoff = Backoff::default();
                    start(stream, peer, handler.clone(), config.clone(), slot);
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    if backoff.is_first() {
                        log::error!("cannot accept connections, will go on trying: {error}");
                    }
                    drop(slot);
                    thread::sleep(backoff.next_pause());
                }
            }
        }
    }
}

fn start(
    stream: TcpStream,
    peer: SocketAddr,
    handler: Arc<dyn Handler>,
    config: Arc<Config>,
    slot: Slot,
) {
    let run = move || {
        connection::serve(stream, peer, &*handler, &config);
        drop(slot);
    };
    if let Err(error) = thread::Builder::new().spawn(run) {
        log::error!("dropped the connection of {peer}: cannot start a thread: {error}");
    }
}

/// How long to wait after failures in a row: 10 ms, doubling to a second.
#[derive(Debug, Default)]
struct Backoff(Option<Duration>);

impl Backoff {
    fn is_first(&self) -> bool {
        self.0.is_none()
    }

    fn next_pause(&mut self) -> Duration {
        let pause = match self.0 {
            None => Duration::from_millis(10),
            Some(last) => (last * 2).min(Duration::from_secs(1)),
        };
        self.0 = Some(pause);
        pause
    }
}

/// Counts the open connections. Only the accepting thread acquires.
#[derive(Debug)]
struct Slots {
    live: AtomicUsize,
    limit: usize,
    acceptor: Thread,
}

/// One open connection.
#[derive(Debug)]
struct Slot(Arc<Slots>);

impl Slots {
    fn new(limit: usize) -> Arc<Slots> {
        Arc::new(Slots {
            live: AtomicUsize::new(0),
            limit,
            acceptor: thread::current(),
        })
    }

    /// Parks until a slot is free.
    fn acquire(self: &Arc<Slots>) -> Slot {
        if self.live.load(Ordering::SeqCst) >= self.limit {
            log::warn!(
                "{} connections are open: waiting for one to end",
                self.limit
            );
        }
        while self.live.load(Ordering::SeqCst) >= self.limit {
            thread::park();
        }
        self.live.fetch_add(1, Ordering::SeqCst);
        Slot(self.clone())
    }
}

impl Drop for Slot {
    /// Wakes the acceptor only if it may be waiting: it waits only at the limit, and the first to
    /// leave that sees it.
    fn drop(&mut self) {
        if self.0.live.fetch_sub(1, Ordering::SeqCst) == self.0.limit {
            self.0.acceptor.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_second() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_first());
        let pauses: Vec<u128> = (0..9).map(|_| backoff.next_pause().as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert!(!backoff.is_first());
    }

    #[test]
    fn a_slot_is_free_again_when_it_drops() {
        let slots = Slots::new(1);
        let slot = slots.acquire();
        let other = std::thread::spawn(move || drop(slot));
        drop(slots.acquire());
        other.join().unwrap();
        assert_eq!(slots.live.load(Ordering::SeqCst), 0);
    }
}
