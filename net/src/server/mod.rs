//! A server: accepts connections, gives each a thread of its own, and ends them all in good order.
//!
//! [`Server`] is gevent's `StreamServer`. It owns the rules that every accept loop needs: how many
//! connections may be open, what to do when accepting fails, how to stop.
//!
//! ```
//! use greenwire_net::{Server, TcpStream};
//! use greenwire_runtime::thread;
//! use std::io::{self, Read, Write};
//! use std::time::Duration;
//!
//! fn main() -> io::Result<()> {
//!     let server = Server::bind("127.0.0.1:0")?.max_connections(1000);
//!     let (addr, handle) = (server.local_addr()?, server.handle());
//!     let serving = thread::spawn(|| server.serve(|mut stream, _peer| {
//!         let _ = io::copy(&mut &stream, &mut &stream);
//!         let _ = stream.write_all(b" and goodbye");
//!     }));
//!
//!     let mut client = TcpStream::connect(addr)?;
//!     client.write_all(b"hello")?;
//!     client.shutdown(greenwire_net::Shutdown::Write)?;
//!     assert_eq!(io::read_to_string(client)?, "hello and goodbye");
//!
//!     handle.shutdown(Duration::from_secs(5));
//!     serving.join().unwrap()
//! }
//! ```
//!
//! # Threads
//!
//! Each connection has a thread of its own: a green one, or an OS thread with
//! [`Builder::os_threads`](greenwire_runtime::Builder::os_threads), which makes the same server one
//! with a thread per connection.
//!
//! [`Server::serve`] accepts on the thread that calls it. From an OS thread, such as `main`, every
//! connection goes to the worker with the fewest green threads; from a green thread it stays on
//! that one's worker, unless another has clearly fewer. [`Server::bind_each`] makes several listeners
//! of one address (`SO_REUSEPORT`), among which the kernel deals, and accepts from each on a green
//! thread of its own: for servers whose connections are many and short.
//!
//! # When accepting fails
//!
//! Without free descriptors or memory the server writes a line to the log (the next one after a
//! minute without trouble) and tries again: after 10 ms at first, then after twice as long, up to a
//! second; at once when one of its connections ends. Connections that were reset while they queued are passed over. Meanwhile nothing that
//! was accepted is disturbed.

mod accept;
mod listener;
mod live;

use crate::addr::ToSocketAddrs;
use crate::tcp::TcpListener;
use crate::unix::UnixListener;
use accept::Acceptor;
use greenwire_runtime::{thread, unblock};
pub use listener::Listener;
pub(crate) use listener::Shut;
use live::Live;
pub use live::Slot;
use std::io;
use std::net::SocketAddr;
use std::panic;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many connections may be open unless the program says otherwise.
const MAX_CONNECTIONS: usize = 100_000;

/// How long a shutdown waits for connections that it has cut short to unwind.
const UNWINDING: Duration = Duration::from_secs(1);

/// Accepts connections and runs a function on each. See the [module](self).
#[derive(Debug)]
#[must_use = "nothing is accepted before `serve`"]
pub struct Server<L = TcpListener> {
    /// At least one.
    acceptors: Vec<Acceptor<L>>,
    handle: Handle,
}

impl Server {
    /// Listens on the first of the addresses that can be bound; connections queue until
    /// [`serve`](Server::serve) accepts them.
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::bind`].
    pub fn bind(addr: impl ToSocketAddrs) -> io::Result<Server> {
        TcpListener::bind(addr).map(Server::from_listener)
    }

    /// Listens on one address with this many listeners, among which the kernel deals connections
    /// (`SO_REUSEPORT`). As many as there are workers is usual.
    ///
    /// Each listener accepts at most its share of [`max_connections`](Server::max_connections).
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::bind`]. `InvalidInput` for no listener at all.
    ///
    /// # Platforms
    ///
    /// On Linux the kernel deals evenly, by a hash of the addresses. Other systems may prefer one of
    /// the listeners.
    pub fn bind_each(addr: impl ToSocketAddrs, listeners: usize) -> io::Result<Server> {
        let Some(others) = listeners.checked_sub(1) else {
            let message = "a server needs at least one listener";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        let mut all = vec![TcpListener::bind_shared(addr)?];
        let addr = all[0].local_addr()?;
        for _ in 0..others {
            all.push(TcpListener::bind_shared(addr)?);
        }
        Ok(Server::of(all))
    }
}

impl Server<UnixListener> {
    /// Listens on a path, at which there must be nothing yet. Its file stays when the server is gone.
    ///
    /// # Errors
    ///
    /// Those of [`UnixListener::bind`].
    pub fn bind_unix(path: impl AsRef<Path>) -> io::Result<Server<UnixListener>> {
        UnixListener::bind(path).map(Server::from_listener)
    }
}

impl<L: Listener> Server<L> {
    /// A server on a listener that is there already, whatever its family: one that was inherited,
    /// say.
    pub fn from_listener(listener: L) -> Server<L> {
        Server::of(vec![listener])
    }

    fn of(listeners: Vec<L>) -> Server<L> {
        let acceptors: Vec<_> = listeners.into_iter().map(Acceptor::new).collect();
        let live = acceptors.iter().map(|acceptor| acceptor.live.clone());
        let handle = Handle(Arc::new(Shared {
            live: live.collect(),
            ended: Mutex::new(Ended::default()),
        }));
        Server { acceptors, handle }.max_connections(MAX_CONNECTIONS)
    }

    /// How many connections may be open at once. The server stops accepting at the limit, so that
    /// further ones queue in the kernel, and goes on when one ends. Default 100,000; at least one for
    /// each listener.
    pub fn max_connections(self, count: usize) -> Server<L> {
        let share = count.div_ceil(self.acceptors.len());
        for acceptor in &self.acceptors {
            acceptor.live.set_limit(share.max(1));
        }
        self
    }

    /// What stops the server, from whichever thread.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The listener; the first, if there are several.
    pub fn listener(&self) -> &L {
        &self.acceptors[0].listener
    }

    /// Calls `handler` on each connection, on a thread of its own, until
    /// [`shutdown`](Handle::shutdown) has ended. The connection closes when the handler, and whoever
    /// it gave the stream to, has dropped it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` and the like if the listener is one no longer. Open connections go on.
    ///
    /// # Cancellation
    ///
    /// Parks here. When the accepting green thread is cancelled the listener closes, and open
    /// connections go on.
    pub fn serve<F>(self, handler: F) -> io::Result<()>
    where
        F: Fn(L::Stream, L::Addr) + Send + Sync + 'static,
    {
        self.serve_with_slot(move |stream, peer, _slot| handler(stream, peer))
    }

    /// As [`serve`](Server::serve), for protocols that can end a connection in good order: the
    /// [`Slot`] tells when that is wanted. The connection counts as open until its slot is dropped.
    ///
    /// # Errors
    ///
    /// As [`serve`](Server::serve).
    pub fn serve_with_slot<F>(mut self, handler: F) -> io::Result<()>
    where
        F: Fn(L::Stream, L::Addr, &Slot) + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        let result = match (self.acceptors.len(), self.acceptors.pop()) {
            (1, Some(only)) => only.run(&handler),
            (_, last) => {
                self.acceptors.extend(last);
                accept_beside(self.acceptors, &handler, &self.handle)
            }
        };
        self.handle.0.wait_if_stopping();
        result
    }
}

impl Server {
    /// The address listened on: the way to learn the port if it was 0.
    ///
    /// # Errors
    ///
    /// Those of [`TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener().local_addr()
    }
}

/// Runs each acceptor on a thread of its own until one of them ends, which ends the others. The first
/// error, if any.
fn accept_beside<L: Listener, F>(
    acceptors: Vec<Acceptor<L>>,
    handler: &Arc<F>,
    handle: &Handle,
) -> io::Result<()>
where
    F: Fn(L::Stream, L::Addr, &Slot) + Send + Sync + 'static,
{
    let _all_end = StopAccepting(handle.clone());
    let run = |acceptor: Acceptor<L>| {
        let (handler, all_end) = (handler.clone(), StopAccepting(handle.clone()));
        move || {
            let _all_end = all_end;
            acceptor.run(&handler)
        }
    };
    let runs: Vec<_> = acceptors.into_iter().map(run).collect();
    // An OS thread places green threads on the worker that has the fewest: here one on each.
    let threads: Vec<_> = unblock(|| runs.into_iter().map(thread::spawn).collect());
    let mut result = Ok(());
    for thread in threads {
        match thread.join() {
            Ok(end) => result = result.and(end),
            Err(payload) => panic::resume_unwind(payload),
        }
    }
    result
}

/// Ends all acceptors of a server when it is dropped.
struct StopAccepting(Handle);

impl Drop for StopAccepting {
    fn drop(&mut self) {
        self.0.0.live.iter().for_each(|live| live.stop_accepting());
    }
}

/// The shutdown of a [`Server`].
#[derive(Clone, Debug)]
pub struct Handle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// One for each listener.
    live: Vec<Arc<Live>>,
    ended: Mutex<Ended>,
}

#[derive(Debug, Default)]
struct Ended {
    done: bool,
    waiting: Vec<thread::Thread>,
}

impl Handle {
    /// Stops the server: no connection is accepted any more, idle ones are closed (if the protocol
    /// says which are), and the others may go on for `grace`. Those that are left are cut
    /// short: their streams are shut down, and their green threads cancelled. Returns how many these
    /// were, after all have ended; one that does not even heed its cancellation is left behind after a
    /// second. Then [`Server::serve`] returns, too.
    ///
    /// Connections that still queue in the kernel are reset. A connection's own thread may call this;
    /// it is not waited for. A second call waits as the first does.
    ///
    /// # Cancellation
    ///
    /// Parks here. If the caller is cancelled, the server has stopped accepting all the same.
    ///
    /// # On OS threads
    ///
    /// An OS thread cannot be cancelled: it ends when it meets the end of its stream.
    pub fn shutdown(&self, grace: Duration) -> usize {
        let _done = MarkDone(&self.0);
        let live = &self.0.live;
        live.iter().for_each(|live| live.stop());
        let deadline = Instant::now().checked_add(grace);
        live.iter().for_each(|live| live.wait_for_end(deadline));
        let rest = live.iter().map(|live| live.cut_short()).sum();
        let deadline = Instant::now().checked_add(UNWINDING);
        live.iter().for_each(|live| live.wait_for_end(deadline));
        rest
    }

    /// How many connections are open now.
    pub fn connections(&self) -> usize {
        self.0.live.iter().map(|live| live.count()).sum()
    }
}

impl Shared {
    /// If a shutdown is under way, its end is that of `serve`, too.
    fn wait_if_stopping(&self) {
        if !self.live.iter().any(|live| live.is_stopping()) {
            return;
        }
        loop {
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            if ended.done {
                return;
            }
            ended.waiting.push(thread::current());
            drop(ended);
            thread::park();
        }
    }
}

/// Lets `serve` return, however the shutdown ends.
struct MarkDone<'a>(&'a Shared);

impl Drop for MarkDone<'_> {
    fn drop(&mut self) {
        let mut ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.done = true;
        ended.waiting.drain(..).for_each(|thread| thread.unpark());
    }
}
