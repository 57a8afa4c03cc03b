//! Requests made ready to be written, many at a time.

use greenwire::net::TcpStream;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

/// Requests of one length in a row, which all connections share and send over and over.
#[derive(Clone)]
pub(crate) struct Prepared {
    bytes: Arc<[u8]>,
    length: usize,
}

impl Prepared {
    /// `bytes` holds requests of `length` bytes each.
    pub(crate) fn new(bytes: Vec<u8>, length: usize) -> Prepared {
        assert_eq!(bytes.len() % length, 0, "requests are whole");
        Prepared {
            bytes: bytes.into(),
            length,
        }
    }

    /// How many different ones there are.
    pub(crate) fn count(&self) -> usize {
        self.bytes.len() / self.length
    }
}

/// What one connection sends.
pub(crate) struct Requests {
    prepared: Prepared,
    /// The byte that is written next.
    position: usize,
    /// How many bytes wait for room in the socket.
    unsent: usize,
}

impl Requests {
    /// Begins with the `first` of the prepared ones.
    pub(crate) fn new(prepared: Prepared, first: usize) -> Requests {
        Requests {
            position: first % prepared.count() * prepared.length,
            prepared,
            unsent: 0,
        }
    }

    /// Sends `count` more, of which the socket may not take all at once. The others go with a later
    /// call: the server reads and answers what it has, and every answer makes the reader call again.
    ///
    /// To wait for room here would be a mistake with many requests under way: the server may be
    /// waiting as well, for somebody to read its answers.
    pub(crate) fn send(&mut self, stream: &TcpStream, count: usize) -> io::Result<()> {
        let length = self.prepared.length;
        self.unsent += count * length;
        while self.unsent > 0 {
            let row = &self.prepared.bytes[self.position..];
            let row = &row[..row.len().min(self.unsent)];
            match stream.try_write(row) {
                Ok(written) => self.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until all is sent that was to be.
    pub(crate) fn finish(&mut self, mut stream: &TcpStream) -> io::Result<()> {
        while self.unsent > 0 {
            let row = &self.prepared.bytes[self.position..];
            let row = &row[..row.len().min(self.unsent)];
            let written = stream.write(row)?;
            self.advance(written);
        }
        Ok(())
    }

    /// How many requests the socket has not taken as a whole.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent.div_ceil(self.prepared.length)
    }

    fn advance(&mut self, written: usize) {
        self.position = (self.position + written) % self.prepared.bytes.len();
        self.unsent -= written;
    }
}
