//! A listening socket, whatever its family: how accepting waits on either kind of thread.

use greenwire_runtime::io::{Direction, Source};
use socket2::SockRef;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// More than any kernel permits: each cuts it to its own limit (`somaxconn`).
pub(crate) const BACKLOG: i32 = i32::MAX;

/// Its descriptor is in non-blocking mode for as long as it is here: no flag makes a single `accept`
/// not wait.
#[derive(Debug)]
pub(crate) struct Listener<T: AsFd> {
    source: Source<T>,
    /// What the user asked of `set_nonblocking`.
    nonblocking: AtomicBool,
}

impl<T: AsFd> Listener<T> {
    /// For a listener made here, in non-blocking mode.
    pub(crate) fn new(io: T) -> Listener<T> {
        Listener {
            source: Source::new(io),
            nonblocking: AtomicBool::new(false),
        }
    }

    /// For a listener made elsewhere, with the mode it comes with.
    pub(crate) fn adopt(io: T) -> Listener<T> {
        let socket = SockRef::from(&io);
        // These fail only on a descriptor that is no socket; then so does every later call.
        let nonblocking = socket.nonblocking().unwrap_or(false);
        let _ = socket.set_nonblocking(true);
        Listener {
            source: Source::new(io),
            nonblocking: AtomicBool::new(nonblocking),
        }
    }

    /// Waits until `accept`, which is std's, gives something.
    pub(crate) fn accept<R>(&self, accept: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let nonblocking = self.nonblocking.load(Ordering::Relaxed);
        let timeout = nonblocking.then_some(Duration::ZERO);
        self.source.perform(Direction::Read, timeout, accept)
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) {
        self.nonblocking.store(nonblocking, Ordering::Relaxed);
    }

    pub(crate) fn get_ref(&self) -> &T {
        self.source.get_ref()
    }

    pub(crate) fn source(&self) -> &Source<T> {
        &self.source
    }

    /// Gives the listener up, in the mode that the user knows it to be in.
    pub(crate) fn into_inner(self) -> io::Result<T> {
        let io = self.source.into_inner();
        SockRef::from(&io).set_nonblocking(self.nonblocking.into_inner())?;
        Ok(io)
    }
}
