//! One TLS connection: rustls's state machine between a socket and its readers and writers.
//!
//! rustls has one state for both directions, behind one lock. The rules that keep two green threads from
//! waiting for each other:
//!
//! - Whoever holds the lock of the state never waits. It reads from the socket and writes to it only
//!   what that gives or takes at once.
//! - Records leave in the order in which rustls made them, since they are taken from it and handed to the
//!   socket under that lock, by whoever comes first.
//! - A writer waits until its records have left. A reader never waits for that: what it has to send (a new
//!   key, an alert, some tens of bytes) leaves with what is written next, or when it next reads, if the
//!   socket is full now.
//! - Readers take turns, by a lock that only readers want; so do writers, by another one. To take a turn is
//!   also what charges a call to its green thread's budget, so that a stream that is always ready does not
//!   keep the worker.

use super::Error;
use crate::TcpStream;
use greenwire_runtime::io::Direction;
use greenwire_runtime::{sync, thread};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much of a write is encrypted at a time, at most. It bounds what waits to be sent.
const CHUNK: usize = 64 * 1024;

/// How often is read at a time, 4 KiB each: then others may have the lock, and the worker.
const READS: usize = 16;

#[derive(Debug)]
pub(super) struct Connection {
    socket: TcpStream,
    state: Mutex<State>,
    readers: Turns,
    writers: Turns,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) tls: rustls::Connection,
    /// Why the connection is of no more use.
    failure: Option<rustls::Error>,
    /// Reading was ended here, so that an end without `close_notify` is no surprise.
    reading_ended: bool,
    /// `close_notify` has been sent, waits to be, or is not to be.
    writing_ended: bool,
}

impl Connection {
    /// Shakes hands within `limit`.
    pub(super) fn establish(
        mut tls: rustls::Connection,
        socket: TcpStream,
        limit: Duration,
    ) -> Result<Connection, Error> {
        tls.set_buffer_limit(None);
        let state = State {
            tls,
            failure: None,
            reading_ended: false,
            writing_ended: false,
        };
        let connection = Connection {
            socket,
            state: Mutex::new(state),
            readers: Turns::default(),
            writers: Turns::default(),
        };
        connection.shake_hands(Instant::now().checked_add(limit))?;
        Ok(connection)
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// For a look that does not wait.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shake_hands(&self, deadline: Option<Instant>) -> Result<(), Error> {
        loop {
            let waits_for = self.state().advance_handshake(&self.socket)?;
            let Some(direction) = waits_for else {
                return Ok(());
            };
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Err(Error::HandshakeTimedOut);
            }
            match self.socket.wait(direction, left) {
                // The time is looked at again, above.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => result?,
            }
        }
    }

    pub(super) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let _turn = self.readers.take();
        self.when_readable(|state| state.read(buf))
    }

    /// Reads what is there now, and never waits.
    pub(super) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let read = self.state().try_read(&self.socket, |state| state.read(buf));
        read?.ok_or_else(|| ErrorKind::WouldBlock.into())
    }

    /// Waits until a read need not.
    pub(super) fn park_until_readable(&self) -> io::Result<()> {
        let _turn = self.readers.take();
        self.when_readable(State::readable)
    }

    /// Runs `attempt` until it does not give `WouldBlock`, and waits for records in between.
    fn when_readable<R>(
        &self,
        mut attempt: impl FnMut(&mut State) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let tried = self.state().try_read(&self.socket, &mut attempt);
            match tried {
                Ok(Some(result)) => return Ok(result),
                // There may be records without end, and without a byte to read.
                Ok(None) => thread::yield_now(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.socket.wait_as_set(Direction::Read)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn write(&self, buf: &[u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let _turn = self.writers.take();
        self.flush()?;
        let taken = self.state().encrypt(&buf[..buf.len().min(CHUNK)])?;
        match self.flush() {
            // It is taken all the same, and leaves with the next write, flush or shutdown.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(taken),
            result => result.map(|()| taken),
        }
    }

    /// Takes what leaves now, or with the next write or flush; takes nothing while something else has to
    /// leave first. Never waits.
    pub(super) fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        if !state.send(&self.socket)? {
            return Err(ErrorKind::WouldBlock.into());
        }
        let taken = state.encrypt(&buf[..buf.len().min(CHUNK)])?;
        state.send(&self.socket)?;
        Ok(taken)
    }

    /// Sends records as far as the socket takes them now.
    pub(super) fn try_flush(&self) -> io::Result<()> {
        match self.state().send(&self.socket)? {
            true => Ok(()),
            false => Err(ErrorKind::WouldBlock.into()),
        }
    }

    /// Waits until all records have left.
    pub(super) fn flush(&self) -> io::Result<()> {
        while !self.state().send(&self.socket)? {
            self.socket.wait_as_set(Direction::Write)?;
        }
        Ok(())
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let reading = match how {
            Shutdown::Read | Shutdown::Both => self.end_reading(),
            Shutdown::Write => Ok(()),
        };
        match how {
            Shutdown::Write | Shutdown::Both => {
                self.state().queue_end();
                self.flush()?;
                self.socket.shutdown(Shutdown::Write)?;
            }
            Shutdown::Read => {}
        }
        reading
    }

    fn end_reading(&self) -> io::Result<()> {
        self.state().reading_ended = true;
        self.socket.shutdown(Shutdown::Read)
    }

    /// Says the end of what is written, if the socket takes that now. It is not said by who unwinds, nor ever
    /// after that: what was written may not be all.
    pub(super) fn end_writing(&self) {
        let mut state = self.state();
        if state.tls.is_handshaking() || state.failure.is_some() {
            return;
        }
        match thread::panicking() {
            true => state.writing_ended = true,
            false => state.queue_end(),
        }
        // Nobody is left to be told of an error.
        let _ = state.send(&self.socket);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.end_writing();
        // Takes in what only rustls reads: the tickets of a server, a peer's `close_notify`. When a socket is
        // closed with something unread, the system resets the connection and discards what was sent last.
        let _ = self.state().try_read(&self.socket, State::readable);
    }
}

impl State {
    /// What the handshake has to wait for, or `None` when it is done.
    fn advance_handshake(&mut self, socket: &TcpStream) -> Result<Option<Direction>, Error> {
        loop {
            if !self.send(socket)? {
                return Ok(Some(Direction::Write));
            }
            if !self.tls.is_handshaking() {
                return Ok(None);
            }
            match self.tls.read_tls(&mut AtOnce(socket)) {
                Ok(0) => return Err(left_early()),
                Ok(_) => self.process(socket).map_err(Error::Tls)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Ok(Some(Direction::Read));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Runs `attempt` until it does not give `WouldBlock`, and takes in records in between. `WouldBlock` if
    /// none has come, nothing if there are many.
    fn try_read<R>(
        &mut self,
        socket: &TcpStream,
        mut attempt: impl FnMut(&mut State) -> io::Result<R>,
    ) -> io::Result<Option<R>> {
        for _ in 0..READS {
            match attempt(self) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return result.map(Some),
            }
            self.tls.read_tls(&mut AtOnce(socket))?;
            // `read` tells of a failure once there is nothing left that came before it.
            let _ = self.process(socket);
        }
        Ok(None)
    }

    /// `WouldBlock` if nothing is decrypted.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.tls.reader().read(buf) {
            Ok(count) => Ok(count),
            Err(_) if self.reading_ended => Ok(0),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(Error::Truncated.into()),
            Err(error) => self.failed().and(Err(error)),
        }
    }

    /// As [`read`](State::read), and takes nothing.
    fn readable(&mut self) -> io::Result<()> {
        match self.tls.process_new_packets() {
            Ok(state) if state.plaintext_bytes_to_read() == 0 => self.read(&mut [0]).map(drop),
            _ => Ok(()),
        }
    }

    fn process(&mut self, socket: &TcpStream) -> Result<(), rustls::Error> {
        let result = self.tls.process_new_packets().map(drop);
        self.failure = result.clone().err();
        // A reader is not told that the peer does not take our answer: it may have sent more.
        let _ = self.send(socket);
        result
    }

    fn queue_end(&mut self) {
        if !self.writing_ended {
            self.tls.send_close_notify();
            self.writing_ended = true;
        }
    }

    fn encrypt(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.failed()?;
        if self.writing_ended {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.tls.writer().write(buf)
    }

    /// Sends what the socket takes at once; whether that was all.
    fn send(&mut self, socket: &TcpStream) -> io::Result<bool> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut AtOnce(socket)) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                result => result?,
            };
        }
        Ok(true)
    }

    fn failed(&self) -> io::Result<()> {
        match &self.failure {
            Some(error) => Err(Error::Tls(error.clone()).into()),
            None => Ok(()),
        }
    }
}

fn left_early() -> Error {
    let what = "the peer closed the connection during the TLS handshake";
    io::Error::new(ErrorKind::UnexpectedEof, what).into()
}

/// Whoever holds the guard has the turn; the others queue.
#[derive(Debug, Default)]
struct Turns(sync::Mutex<()>);

impl Turns {
    fn take(&self) -> sync::MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket as rustls reads and writes it: never waiting.
struct AtOnce<'a>(&'a TcpStream);

impl Read for AtOnce<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buf)
    }
}

impl Write for AtOnce<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.try_write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
