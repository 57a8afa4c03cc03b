//! The writing side of a connection: gathers what is written and sends it in as few writes as the
//! client's patience allows, at the latest when the green thread parks.

use greenwire_net::Stream;
use greenwire_runtime::sync::{Mutex, MutexGuard};
use greenwire_runtime::{BeforePark, before_park, thread};
use std::io::{self, IoSlice, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, TryLockError};

/// As much is gathered before it is sent.
const GATHER: usize = 64 << 10;
/// From this size on, bytes are sent from where they lie.
const LARGE: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Output {
    stream: Stream,
    pending: Mutex<Vec<u8>>,
    /// Whether [`BeforePark`] is registered.
    armed: AtomicBool,
}

impl Output {
    pub(crate) fn new(stream: Stream) -> Arc<Output> {
        Arc::new(Output {
            stream,
            pending: Mutex::default(),
            armed: AtomicBool::new(false),
        })
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Gathers what `write` appends, then `body`.
    pub(crate) fn append(&self, body: &[u8], write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.append_framed(body, b"", write)
    }

    /// Gathers what `write` appends, then `body`, then `end`.
    pub(crate) fn append_framed(
        &self,
        body: &[u8],
        end: &[u8],
        write: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        let mut pending = self.lock();
        write(&mut pending);
        if body.len() >= LARGE {
            let parts = &mut [
                IoSlice::new(&pending),
                IoSlice::new(body),
                IoSlice::new(end),
            ];
            let sent = write_all_vectored(&self.stream, parts);
            *pending = Vec::new();
            return sent;
        }
        pending.extend_from_slice(body);
        pending.extend_from_slice(end);
        if pending.len() >= GATHER {
            self.send(&mut pending)
        } else {
            Ok(())
        }
    }

    /// Sends what is gathered; waits until the socket has taken it.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.send(&mut self.lock())
    }

    /// Has what is gathered sent before the calling green thread parks. An ordinary OS thread may
    /// wait anywhere, so there it is sent now.
    pub(crate) fn flush_before_park(self: &Arc<Self>) -> io::Result<()> {
        if !thread::is_green() {
            return self.flush();
        }
        if !self.lock().is_empty() && !self.armed.swap(true, Ordering::Relaxed) {
            before_park(self.clone());
        }
        Ok(())
    }

    /// Writes all, and forgets it even on failure: the connection ends then.
    fn send(&self, pending: &mut Vec<u8>) -> io::Result<()> {
        if pending.is_empty() {
            return Ok(());
        }
        let sent = (&self.stream).write_all(pending);
        *pending = Vec::new();
        sent
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BeforePark for Output {
    /// Sends what the socket takes without waiting; the rest stays for the next flush. Does nothing
    /// within a flush, which is what parks then.
    fn before_park(&self) {
        self.armed.store(false, Ordering::Relaxed);
        let mut pending = match self.pending.try_lock() {
            Ok(pending) => pending,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let mut sent = 0;
        while sent < pending.len() {
            match self.stream.try_write(&pending[sent..]) {
                Ok(count @ 1..) => sent += count,
                // An error is met again, and reported, by the next flush.
                _ => break,
            }
        }
        if sent == pending.len() {
            *pending = Vec::new();
        } else {
            pending.drain(..sent);
        }
    }
}

fn write_all_vectored(mut stream: &Stream, mut parts: &mut [IoSlice<'_>]) -> io::Result<()> {
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        match stream.write_vectored(parts) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut parts, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenwire_net::{TcpListener, TcpStream};
    use std::io::Read;
    use std::time::Duration;

    fn pair() -> (Arc<Output>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        (Output::new(listener.accept().unwrap().0.into()), client)
    }

    #[test]
    fn what_is_gathered_leaves_in_one_write() {
        let (output, mut client) = pair();
        output.append(b"one", |_| {}).unwrap();
        output
            .append(b"three", |pending| pending.extend_from_slice(b"two"))
            .unwrap();
        output.flush().unwrap();
        let mut buf = [0; 64];
        let count = client.read(&mut buf).unwrap();
        assert_eq!(&buf[..count], b"onetwothree");
    }

    #[test]
    fn what_is_gathered_leaves_before_a_park() {
        let (output, mut client) = pair();
        output.append(b"early", |_| {}).unwrap();
        output.before_park();
        let mut buf = [0; 64];
        assert_eq!(client.read(&mut buf).unwrap(), 5);
        assert!(output.lock().is_empty());
    }

    #[test]
    fn a_park_within_a_flush_is_left_alone() {
        let (output, _client) = pair();
        let mut pending = output.lock();
        pending.extend_from_slice(b"in flight");
        output.before_park();
        assert_eq!(&pending[..], b"in flight");
    }

    #[test]
    fn large_bytes_are_sent_in_order() {
        let (output, mut client) = pair();
        output.append(b"a", |_| {}).unwrap();
        let large = vec![b'b'; LARGE];
        output
            .append_framed(&large, b"d", |pending| pending.push(b'c'))
            .unwrap();
        let mut buf = vec![0; LARGE + 3];
        client.read_exact(&mut buf).unwrap();
        assert_eq!((&buf[..2], buf[LARGE + 2]), (&b"ac"[..], b'd'));
    }
}
