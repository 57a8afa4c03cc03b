//! The writing side of a connection: gathers what is written and sends it in as few writes as the
//! client's patience allows, at the latest when the green thread parks.

use greenwire_net::Stream;
use greenwire_runtime::{BeforePark, before_park, sync, thread};
use std::cell::Cell;
use std::io::{self, IoSlice, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// As much is gathered before it is sent.
const GATHER: usize = 64 << 10;
/// From this size on, bytes are sent from where they lie.
const LARGE: usize = 16 << 10;

thread_local! {
    /// The memory of what was sent last, for whoever gathers next: an idle connection owns none.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

#[derive(Debug)]
pub(crate) struct Output {
    stream: Stream,
    /// Never locked across a wait, so std's lock will do, which is the cheapest.
    gathered: Mutex<Gathered>,
    /// Taken by whoever waits for the socket to take bytes.
    turn: sync::Mutex<()>,
    /// Whether [`BeforePark`] is registered.
    armed: AtomicBool,
}

#[derive(Debug, Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// The stream has taken bytes that have not left: TLS does so.
    held_up: bool,
    /// Somebody waits for the socket with bytes that come before these.
    behind: bool,
}

impl Output {
    pub(crate) fn new(stream: Stream) -> Arc<Output> {
        Arc::new(Output {
            stream,
            gathered: Mutex::default(),
            turn: sync::Mutex::default(),
            armed: AtomicBool::new(false),
        })
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Gathers what `write` appends, then `body`.
    #[inline]
    pub(crate) fn append<R>(
        &self,
        body: &[u8],
        write: impl FnOnce(&mut Vec<u8>) -> R,
    ) -> io::Result<R> {
        self.append_framed(body, b"", write)
    }

    /// Gathers what `write` appends, then `body`, then `end`.
    #[inline]
    pub(crate) fn append_framed<R>(
        &self,
        body: &[u8],
        end: &[u8],
        write: impl FnOnce(&mut Vec<u8>) -> R,
    ) -> io::Result<R> {
        let mut gathered = self.lock();
        gathered.make_room();
        let written = write(&mut gathered.bytes);
        if body.len() >= LARGE {
            drop(gathered);
            return self.send(body, end).map(|()| written);
        }
        gathered.bytes.extend_from_slice(body);
        gathered.bytes.extend_from_slice(end);
        if gathered.bytes.len() < GATHER {
            return Ok(written);
        }
        drop(gathered);
        self.flush().map(|()| written)
    }

    /// Sends what is gathered; waits until the socket has taken it.
    #[inline]
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut gathered = self.lock();
        if gathered.is_empty() {
            return Ok(());
        }
        // Mostly the socket takes all of it at once.
        if !gathered.behind && gathered.send_now(&self.stream)? {
            return Ok(());
        }
        drop(gathered);
        self.send(b"", b"")
    }

    /// Has what is gathered sent before the calling green thread parks. For an ordinary OS thread
    /// nobody can do that.
    pub(crate) fn flush_at_park(self: &Arc<Self>) {
        if thread::is_green()
            && !self.lock().is_empty()
            && !self.armed.swap(true, Ordering::Relaxed)
        {
            before_park(self.clone());
        }
    }

    /// As [`flush_at_park`](Output::flush_at_park), and at once on an ordinary OS thread, which may
    /// wait anywhere.
    pub(crate) fn flush_before_park(self: &Arc<Self>) -> io::Result<()> {
        if !thread::is_green() {
            return self.flush();
        }
        self.flush_at_park();
        Ok(())
    }

    /// Sends what is gathered, then `body` and `end`, and forgets them even on failure: the connection
    /// ends then.
    fn send(&self, body: &[u8], end: &[u8]) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _waiting = Waiting::begin(self);
        let gathered = mem::take(&mut self.lock().bytes);
        let parts = &mut [&gathered, body, end].map(IoSlice::new);
        write_all_vectored(&self.stream, parts)?;
        (&self.stream).flush()?;
        self.lock().held_up = false;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.held_up && !self.behind
    }

    fn make_room(&mut self) {
        if self.bytes.capacity() == 0 {
            self.bytes = SPARE.try_with(Cell::take).unwrap_or_default();
        }
    }

    /// Leaves the memory of what was sent to others.
    fn give_room_away(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
        bytes.clear();
        // While the thread-local is being destroyed, and if it is too much to be kept, it is freed.
        if bytes.capacity() <= GATHER + LARGE {
            let _ = SPARE.try_with(|spare| spare.set(bytes));
        }
    }

    /// Sends what the socket takes without waiting; whether that was all.
    #[inline]
    fn send_now(&mut self, stream: &Stream) -> io::Result<bool> {
        let mut sent = 0;
        while sent < self.bytes.len() {
            match stream.try_write(&self.bytes[sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.bytes.drain(..sent);
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        self.give_room_away();
        self.held_up = match stream.try_flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => true,
            flushed => flushed.map(|()| false)?,
        };
        Ok(!self.held_up)
    }
}

/// While it lives, what is gathered comes behind bytes that wait for the socket.
struct Waiting<'a>(&'a Output);

impl Waiting<'_> {
    fn begin(output: &Output) -> Waiting<'_> {
        output.lock().behind = true;
        Waiting(output)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().behind = false;
    }
}

impl BeforePark for Output {
    /// Sends what the socket takes without waiting; the rest stays for the next flush. Does nothing
    /// within a flush, which is what parks then.
    fn before_park(&self) {
        self.armed.store(false, Ordering::Relaxed);
        let mut gathered = self.lock();
        if !gathered.behind {
            // An error is met again, and reported, by the next flush.
            let _ = gathered.send_now(&self.stream);
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
        output.append(b"in flight", |_| {}).unwrap();
        let waiting = Waiting::begin(&output);
        output.before_park();
        assert_eq!(output.lock().bytes, b"in flight");
        drop(waiting);
        output.before_park();
        assert!(output.lock().is_empty());
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
