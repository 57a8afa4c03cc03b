//! The sending side: frames are gathered in a buffer and leave in as few writes as possible.
//!
//! A frame goes from `send` into the buffer, under a short lock. What moves it on to the socket:
//!
//! * on a green thread, the moment before that green thread parks (`before_park`);
//! * on an OS thread, `send` itself, unless the caller is the reader and has the next frame already;
//! * in any case, 64 KiB of frames.
//!
//! When the socket takes no more, one green thread, the *drainer*, writes the rest with waiting
//! writes and ends when nothing is left. While it lives nobody else writes, which keeps the order.
//! The lock is never held across a wait.

use crate::protocol::{Role, frame, frame::Opcode};
use crate::{Error, random, spare};
use greenwire_net::{Shutdown, TcpStream};
use greenwire_runtime::sync::mpsc;
use greenwire_runtime::{BeforePark, before_park, thread};
use std::io::{self, Write as _};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Frames of this many bytes leave at once, and the drainer writes pieces of this size.
const WRITE_AT_ONCE: usize = 64 * 1024;

/// The sending side of one connection, shared by all its senders, the receiver and the drainer.
#[derive(Debug)]
pub(crate) struct Outbound {
    stream: TcpStream,
    role: Role,
    max_queued: usize,
    stall_limit: Duration,
    /// The OS thread whose reader has more frames at hand and will flush before it waits; or 0.
    gathering: AtomicUsize,
    queue: Mutex<Queue>,
    me: Weak<Outbound>,
}

/// What is on its way, and whether more may follow.
#[derive(Debug)]
struct Queue {
    state: State,
    /// Frames; the socket has taken the first `taken` bytes.
    bytes: Vec<u8>,
    taken: usize,
    /// Bytes the drainer holds.
    in_flight: usize,
    draining: bool,
    /// The OS threads on which a flush is due before the running green thread parks.
    hooked: Vec<usize>,
    /// Dropped to wake those who wait for room.
    waiting: Vec<mpsc::Sender<()>>,
}

/// How far the connection has come. Only forwards.
#[derive(Clone, Debug)]
enum State {
    Open,
    /// A close frame is queued or sent; nothing may follow it.
    Closing {
        since: Instant,
    },
    /// The stream failed; kind and text of the error.
    Failed(io::ErrorKind, String),
}

impl Outbound {
    pub(crate) fn new(
        stream: TcpStream,
        role: Role,
        max_queued: usize,
        stall_limit: Duration,
    ) -> Arc<Outbound> {
        let queue = Queue {
            state: State::Open,
            bytes: Vec::new(),
            taken: 0,
            in_flight: 0,
            draining: false,
            hooked: Vec::new(),
            waiting: Vec::new(),
        };
        Arc::new_cyclic(|me| Outbound {
            stream,
            role,
            max_queued,
            stall_limit,
            gathering: AtomicUsize::new(0),
            queue: Mutex::new(queue),
            me: me.clone(),
        })
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends one frame; waits while `max_queued` bytes or more are queued.
    pub(crate) fn send(&self, opcode: Opcode, payload: &[u8]) -> Result<(), Error> {
        let key = self.key()?;
        let mut queue = self.room()?;
        if payload.len() < WRITE_AT_ONCE || key.is_some() {
            queue.push(|bytes| frame::encode(bytes, opcode, payload, key));
            return self.dispatch(queue);
        }
        // The header leaves together with a part of the payload, the rest without being copied.
        let (first, rest) = payload.split_at(WRITE_AT_ONCE / 2);
        queue.push(|bytes| {
            frame::encode_header(bytes, opcode, payload.len(), key);
            bytes.extend_from_slice(first);
        });
        self.write(&mut queue, rest);
        queue.check_open()
    }

    /// Queues the close frame, whatever is queued already; `false` if the connection was not open.
    pub(crate) fn close(&self, payload: &[u8]) -> Result<bool, Error> {
        let key = self.key()?;
        let mut queue = self.lock();
        if !matches!(queue.state, State::Open) {
            return Ok(false);
        }
        queue.push(|bytes| frame::encode(bytes, Opcode::Close, payload, key));
        queue.state = State::Closing {
            since: Instant::now(),
        };
        match self.dispatch(queue) {
            // The state just set is what `dispatch` calls closed.
            Ok(()) | Err(Error::Closed) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Writes what the socket takes now; the rest follows by itself.
    pub(crate) fn flush(&self) {
        self.write(&mut self.lock(), &[]);
    }

    /// Waits until the socket has taken everything, or `deadline`; whether it has.
    pub(crate) fn wait_flushed(&self, deadline: Instant) -> bool {
        loop {
            let mut queue = self.lock();
            self.write(&mut queue, &[]);
            if matches!(queue.state, State::Failed(..)) {
                return false;
            }
            if !queue.draining {
                return true;
            }
            let progress = queue.wait();
            drop(queue);
            let left = deadline.saturating_duration_since(Instant::now());
            if let Err(mpsc::RecvTimeoutError::Timeout) = progress.recv_timeout(left) {
                return false;
            }
        }
    }

    /// The reader says whether it has another whole frame at hand, and so will be back soon.
    pub(crate) fn set_gathering(&self, more: bool) {
        let reader = if more { spare::this_os_thread() } else { 0 };
        self.gathering.store(reader, Ordering::Relaxed);
    }

    /// Since when the closing handshake is going on.
    pub(crate) fn closing_since(&self) -> Option<Instant> {
        match self.lock().state {
            State::Closing { since } => Some(since),
            _ => None,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.lock().state, State::Open)
    }

    /// The error the stream failed with, if it did.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.lock().failure()
    }

    /// Ends the connection: what is queued is dropped, everybody who waits is woken.
    pub(crate) fn fail(&self, error: &io::Error) {
        self.fail_locked(&mut self.lock(), error);
    }

    fn fail_locked(&self, queue: &mut Queue, error: &io::Error) {
        if !matches!(queue.state, State::Failed(..)) {
            queue.state = State::Failed(error.kind(), error.to_string());
        }
        queue.recycle();
        queue.waiting.clear();
        // An error means that the stream is down already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No code that may panic leaves the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self) -> io::Result<Option<[u8; 4]>> {
        match self.role {
            Role::Server => Ok(None),
            Role::Client => random::bytes().map(Some),
        }
    }

    /// The open queue with room in it.
    fn room(&self) -> Result<MutexGuard<'_, Queue>, Error> {
        loop {
            let mut queue = self.lock();
            queue.check_open()?;
            if queue.len() < self.max_queued {
                return Ok(queue);
            }
            if !queue.draining {
                self.write(&mut queue, &[]);
                continue;
            }
            let room = queue.wait();
            drop(queue);
            // The sender never sends: it is dropped when there may be room.
            let _ = room.recv();
        }
    }

    /// Sees to it that what was queued leaves in time.
    fn dispatch(&self, mut queue: MutexGuard<'_, Queue>) -> Result<(), Error> {
        if queue.draining {
            return Ok(());
        }
        let here = spare::this_os_thread();
        if queue.len() < WRITE_AT_ONCE {
            if thread::is_green() {
                if !queue.hooked.contains(&here) {
                    queue.hooked.push(here);
                    drop(queue);
                    before_park(self.arc());
                }
                return Ok(());
            }
            if self.gathering.load(Ordering::Relaxed) == here {
                return Ok(());
            }
        }
        self.write(&mut queue, &[]);
        queue.check_open()
    }

    /// Writes what is queued and then `rest`, as far as the socket takes it without waiting; leaves
    /// what it does not take to the drainer.
    fn write(&self, queue: &mut Queue, rest: &[u8]) {
        if queue.draining {
            queue.bytes.extend_from_slice(rest);
            return;
        }
        match self.try_write(queue, rest) {
            Ok(taken) if queue.bytes.len() == queue.taken && taken == rest.len() => queue.recycle(),
            Ok(taken) => {
                queue.bytes.extend_from_slice(&rest[taken..]);
                self.start_draining(queue);
            }
            Err(error) => self.fail_locked(queue, &error),
        }
    }

    /// How much of `rest` was taken; 0 if not all that was queued before it was.
    fn try_write(&self, queue: &mut Queue, rest: &[u8]) -> io::Result<usize> {
        queue.taken += self.try_write_all(&queue.bytes[queue.taken..])?;
        if queue.taken < queue.bytes.len() {
            return Ok(0);
        }
        self.try_write_all(rest)
    }

    fn try_write_all(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        while taken < bytes.len() {
            match self.stream.try_write(&bytes[taken..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => taken += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    fn start_draining(&self, queue: &mut Queue) {
        queue.draining = true;
        let drainer = Drainer {
            outbound: self.arc(),
            done: false,
        };
        let builder = thread::Builder::new().name("websocket drainer".to_owned());
        if let Err(error) = builder.spawn(move || drainer.run()) {
            queue.draining = false;
            self.fail_locked(queue, &error);
        }
    }

    fn arc(&self) -> Arc<Outbound> {
        // Whoever calls a method got here through an `Arc`.
        self.me
            .upgrade()
            .expect("a method runs on a living connection")
    }
}

impl BeforePark for Outbound {
    fn before_park(&self) {
        let mut queue = self.lock();
        let here = spare::this_os_thread();
        queue.hooked.retain(|thread| *thread != here);
        self.write(&mut queue, &[]);
    }
}

impl Queue {
    /// Bytes that the socket has not taken.
    fn len(&self) -> usize {
        self.in_flight + self.bytes.len() - self.taken
    }

    fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if self.bytes.capacity() == 0 {
            self.bytes = spare::take();
        }
        encode(&mut self.bytes);
    }

    /// Forgets what is queued and gives the buffer back.
    fn recycle(&mut self) {
        self.taken = 0;
        spare::give(mem::take(&mut self.bytes));
    }

    fn check_open(&self) -> Result<(), Error> {
        match &self.state {
            State::Open => Ok(()),
            State::Closing { .. } => Err(Error::Closed),
            State::Failed(..) => Err(self.failure().unwrap_or(Error::Closed)),
        }
    }

    fn failure(&self) -> Option<Error> {
        match &self.state {
            State::Failed(kind, text) => Some(io::Error::new(*kind, text.clone()).into()),
            _ => None,
        }
    }

    /// Its receiver is disconnected when the drainer has made progress.
    fn wait(&mut self) -> mpsc::Receiver<()> {
        let (waker, progress) = mpsc::channel();
        self.waiting.push(waker);
        progress
    }
}

/// The green thread that writes what the socket did not take at once.
struct Drainer {
    outbound: Arc<Outbound>,
    /// Nothing was left; another drainer may be at work already.
    done: bool,
}

impl Drainer {
    fn run(mut self) {
        if let Err(error) = self.drain() {
            let error = match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing any more")
                }
                _ => error,
            };
            log::debug!("websocket: {error}");
            self.outbound.fail(&error);
        }
    }

    fn drain(&mut self) -> io::Result<()> {
        let mut stream = self.outbound.stream.try_clone()?;
        stream.set_write_timeout(Some(self.outbound.stall_limit))?;
        while let Some(batch) = self.next_batch() {
            let mut rest = batch.as_slice();
            while !rest.is_empty() {
                match stream.write(&rest[..rest.len().min(WRITE_AT_ONCE)]) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(n) => {
                        rest = &rest[n..];
                        self.progress(n);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            spare::give(batch);
        }
        Ok(())
    }

    /// What was queued meanwhile; `None` ends the draining.
    fn next_batch(&mut self) -> Option<Vec<u8>> {
        let mut queue = self.outbound.lock();
        let start = mem::take(&mut queue.taken);
        let mut batch = mem::take(&mut queue.bytes);
        batch.drain(..start);
        if batch.is_empty() {
            self.done = true;
            queue.draining = false;
            queue.waiting.clear();
            return None;
        }
        queue.in_flight = batch.len();
        Some(batch)
    }

    fn progress(&self, written: usize) {
        let mut queue = self.outbound.lock();
        queue.in_flight -= written;
        if queue.len() <= self.outbound.max_queued / 2 {
            queue.waiting.clear();
        }
    }
}

impl Drop for Drainer {
    /// However it ends, nobody may be left waiting for it.
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut queue = self.outbound.lock();
        queue.draining = false;
        queue.in_flight = 0;
        let error = io::Error::new(io::ErrorKind::Interrupted, "the writer was cut short");
        self.outbound.fail_locked(&mut queue, &error);
    }
}
