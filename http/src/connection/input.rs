//! The reading side of a connection: the socket, and bytes that came early.

use greenwire_net::{Buffer, Stream};
use std::io::{self, Read};
use std::time::Duration;

/// What is read next comes from `carry` first, then from the socket.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) stream: Stream,
    pub(crate) carry: Carry,
}

impl Input {
    pub(crate) fn new(stream: Stream) -> Input {
        Input {
            stream,
            carry: Carry::default(),
        }
    }

    /// Lets the next waits last no longer than `limit`.
    pub(crate) fn limit_waits(&self, limit: Duration) -> io::Result<()> {
        self.stream.limit_reads(Some(limit))
    }

    /// Waits without a buffer, for up to `limit`, then reads what is there to the end of the carry. 0 at the end.
    pub(crate) fn fill(&mut self, limit: Duration) -> io::Result<usize> {
        self.carry.keep();
        let (buffer, count) = self.stream.read_lent(Some(limit))?;
        self.carry.push(buffer, count);
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
    bytes: Bytes,
    used: usize,
}

#[derive(Debug, Default)]
enum Bytes {
    #[default]
    None,
    /// So many at the start of a borrowed buffer: just read, and mostly used up before anybody waits.
    Lent(Buffer, usize),
    Kept(Vec<u8>),
}

impl Carry {
    pub(crate) fn unread(&self) -> &[u8] {
        let bytes = match &self.bytes {
            Bytes::None => &[],
            Bytes::Lent(buffer, end) => &buffer[..*end],
            Bytes::Kept(bytes) => &bytes[..],
        };
        &bytes[self.used..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.bytes, Bytes::None)
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.used += count;
        if self.unread().is_empty() {
            *self = Carry::default();
        } else {
            self.keep();
        }
    }

    fn push(&mut self, buffer: Buffer, count: usize) {
        match &mut self.bytes {
            Bytes::Kept(bytes) => {
                bytes.drain(..self.used);
                bytes.extend_from_slice(&buffer[..count]);
                self.used = 0;
            }
            _ if count == 0 => {}
            _ => self.bytes = Bytes::Lent(buffer, count),
        }
    }

    /// Gives a borrowed buffer back.
    fn keep(&mut self) {
        if let Bytes::Lent(..) = self.bytes {
            self.bytes = Bytes::Kept(self.unread().to_vec());
            self.used = 0;
        }
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        self.unread().to_vec()
    }
}

/// Whether the error says that a deadline passed.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
