//! The accept loop of one listener.

use super::listener::Listener;
use super::live::{Live, Slot};
use greenwire_runtime::io::{Direction, blocks_in_kernel};
use greenwire_runtime::thread;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often an OS thread inside of a `timeout` block looks whether the server stops.
const GLANCE: Duration = Duration::from_millis(100);

/// After so long without a failure the next one is worth a line in the log.
const CALM: Duration = Duration::from_secs(60);

/// A listener and its connections.
#[derive(Debug)]
pub(super) struct Acceptor<L> {
    pub(super) listener: Arc<L>,
    pub(super) live: Arc<Live>,
}

impl<L: Listener> Acceptor<L> {
    pub(super) fn new(listener: L) -> Acceptor<L> {
        let listener = Arc::new(listener);
        let waiting = Arc::downgrade(&listener);
        let live = Live::new(move || {
            if let Some(listener) = waiting.upgrade() {
                listener.source().wake_all();
            }
        });
        Acceptor { listener, live }
    }

    /// Accepts on the calling thread until the server stops.
    pub(super) fn run<F>(self, handler: &Arc<F>) -> io::Result<()>
    where
        F: Fn(L::Stream, L::Addr, &Slot) + Send + Sync + 'static,
    {
        let bell = Bell::hang(&self.live)?;
        let mut backoff = Backoff::default();
        while let Some(slot) = self.live.take_slot() {
            match self.accept(&bell) {
                Ok(Some((stream, peer))) => {
                    backoff.reset();
                    start::<L, F>(stream, peer, slot, handler.clone());
                }
                Ok(None) => break,
                Err(error) => match Failure::of(&error) {
                    Failure::Connection => log::debug!("a connection ended in the queue: {error}"),
                    Failure::Listener => return Err(error),
                    Failure::Shortage => {
                        if backoff.is_news() {
                            log::error!("cannot accept connections, will go on trying: {error}");
                        }
                        drop(slot);
                        self.live.pause(backoff.next_pause());
                    }
                },
            }
        }
        Ok(())
    }

    /// The next connection, or `None` once the server stops.
    fn accept(&self, bell: &Bell) -> io::Result<Option<(L::Stream, L::Addr)>> {
        let Some(bell) = &bell.ours else {
            return self.accept_within(None);
        };
        loop {
            let limit = if blocks_in_kernel() {
                Duration::ZERO
            } else {
                GLANCE
            };
            match self.accept_within(Some(limit)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            if blocks_in_kernel() {
                let fds = &mut [
                    PollFd::new(&*self.listener, PollFlags::IN),
                    PollFd::new(bell, PollFlags::IN),
                ];
                match poll(fds, None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    fn accept_within(&self, timeout: Option<Duration>) -> io::Result<Option<(L::Stream, L::Addr)>> {
        let source = self.listener.source();
        source.perform(Direction::Read, timeout, |io| {
            match self.live.is_closing() {
                true => Ok(None),
                false => L::try_accept(io).map(Some),
            }
        })
    }
}

/// Gives the connection a thread.
fn start<L: Listener, F>(stream: L::Stream, peer: L::Addr, slot: Slot, handler: Arc<F>)
where
    F: Fn(L::Stream, L::Addr, &Slot) + Send + Sync + 'static,
{
    slot.occupy(L::shutter(&stream));
    let keep_thread = slot.thread_keeper();
    // In this order, should it never run: whose stream is closed has ended. In a box, from which it runs: the
    // frames through which a closure is passed on would each keep a copy, for as long as the connection lives.
    let run: Box<dyn FnOnce() + Send> = Box::new(move || {
        let slot = slot;
        handler(stream, peer, &slot);
    });
    match thread::Builder::new().spawn(run) {
        Ok(thread) => keep_thread(thread.thread().clone()),
        Err(error) => log::error!("dropped a connection: cannot start a thread: {error}"),
    }
}

/// How an acceptor on an OS thread learns that the server stops. A green one is woken.
struct Bell {
    ours: Option<UnixStream>,
    _accepting: super::live::Accepting,
}

impl Bell {
    fn hang(live: &Arc<Live>) -> io::Result<Bell> {
        let pair = (!thread::is_green()).then(UnixStream::pair).transpose()?;
        let (ours, theirs) = pair.unzip();
        let _accepting = live.begin(theirs);
        Ok(Bell { ours, _accepting })
    }
}

/// What it means that accepting failed.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// Of the one connection: there are others. Linux reports errors of its network here.
    Connection,
    /// There will be no other: the descriptor is no listening socket.
    Listener,
    /// Of descriptors or memory, most likely: later perhaps.
    Shortage,
}

impl Failure {
    fn of(error: &io::Error) -> Failure {
        match Errno::from_io_error(error) {
            Some(
                Errno::CONNABORTED
                | Errno::PERM
                | Errno::PROTO
                | Errno::NETDOWN
                | Errno::NETUNREACH
                | Errno::HOSTDOWN
                | Errno::HOSTUNREACH,
            ) => Failure::Connection,
            Some(Errno::BADF | Errno::INVAL | Errno::NOTSOCK | Errno::OPNOTSUPP) => {
                Failure::Listener
            }
            _ => Failure::Shortage,
        }
    }
}

/// How long to wait after failures in a row: 10 ms, doubling to a second.
#[derive(Debug, Default)]
struct Backoff {
    last_pause: Option<Duration>,
    last_failure: Option<Instant>,
}

impl Backoff {
    /// Whether there was no failure for long. At a limit of the system, accepting fails and succeeds
    /// in turn, with every connection that ends.
    fn is_news(&mut self) -> bool {
        let last = self.last_failure.replace(Instant::now());
        last.is_none_or(|last| last.elapsed() > CALM)
    }

    fn next_pause(&mut self) -> Duration {
        let double = |last: Duration| (last * 2).min(Duration::from_secs(1));
        let pause = self.last_pause.map_or(Duration::from_millis(10), double);
        self.last_pause = Some(pause);
        pause
    }

    fn reset(&mut self) {
        self.last_pause = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_second() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..9).map(|_| backoff.next_pause().as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        backoff.reset();
        assert_eq!(backoff.next_pause(), Duration::from_millis(10));
    }

    #[test]
    fn failures_in_a_row_are_told_once() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_news());
        backoff.reset();
        assert!(!backoff.is_news());
    }

    #[test]
    fn failures() {
        for (errno, failure) in [
            (Errno::MFILE, Failure::Shortage),
            (Errno::NFILE, Failure::Shortage),
            (Errno::NOBUFS, Failure::Shortage),
            (Errno::NOMEM, Failure::Shortage),
            (Errno::CONNABORTED, Failure::Connection),
            (Errno::NOTSOCK, Failure::Listener),
        ] {
            assert_eq!(Failure::of(&errno.into()), failure, "{errno}");
        }
    }
}
