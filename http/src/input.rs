//! The reading side of a connection: the socket, and bytes that came early.

use greenwire_net::{Buffer, Stream};
use std::io::{self, Read};
use std::time::Duration;

/// What is read next comes from `carry` first, then from the socket.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) stream: Stream,
    pub(crate) carry: Carry,
    /// The socket's read timeout, remembered to save system calls.
    timeout: Option<Duration>,
}

impl Input {
    pub(crate) fn new(stream: Stream) -> Input {
        Input {
            stream,
            carry: Carry::default(),
            timeout: None,
        }
    }

    /// Lets the next waits last no longer than `limit`.
    pub(crate) fn limit_waits(&mut self, limit: Duration) -> io::Result<()> {
        if self.timeout != Some(limit) {
            self.stream.set_read_timeout(Some(limit))?;
            self.timeout = Some(limit);
        }
        Ok(())
    }

    /// Waits without a buffer, then reads what is there to the end of the carry. 0 at the end.
    pub(crate) fn fill(&mut self) -> io::Result<usize> {
        self.stream.park_until_readable()?;
        let mut buffer = Buffer::borrow();
        let count = self.read_socket(&mut buffer)?;
        self.carry.push(&buffer[..count]);
        Ok(count)
    }

    /// Reads once from the socket, past signals.
    pub(crate) fn read_socket(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// Bytes read from the socket and not used yet. Owns no memory while there are none.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    bytes: Vec<u8>,
    used: usize,
}

impl Carry {
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.used += count;
        if self.used == self.bytes.len() {
            *self = Carry::default();
        }
    }

    pub(crate) fn push(&mut self, more: &[u8]) {
        if self.used > 0 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        self.bytes.extend_from_slice(more);
    }

    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        self.bytes.drain(..self.used);
        self.bytes
    }
}

/// Whether the error says that a deadline passed.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
