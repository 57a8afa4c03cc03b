//! The sending side: frames are gathered in a queue and leave in as few writes as possible.
//!
//! A frame goes from `send` into the queue, under a short lock. What moves it on to the socket:
//!
//! * on a green thread, the moment before that green thread parks (`before_park`);
//! * on an OS thread, `send` itself, unless the caller is the reader and has the next frame already;
//! * after a broadcast to many, a green thread that gives way between writes (`wave`);
//! * in any case, 64 KiB of frames, or a long payload that is only lent.
//!
//! When the socket takes no more, one green thread, the *drainer*, writes the rest with waiting
//! writes and ends when nothing is left. While it lives nobody else writes, which keeps the order.
//! When too much is left, the policy for slow readers decides. The lock is never held across a wait.

mod drainer;
mod queue;
mod wave;

use self::drainer::Drainer;
use self::queue::{Queue, State};
pub(crate) use self::wave::Wave;
use crate::config::{Settings, SlowReader};
use crate::payload::Prepared;
use crate::protocol::deflate::{Deflater, Window};
use crate::protocol::frame::{self, First, Opcode, Rules};
use crate::protocol::{Role, mask};
use crate::{Compression, Error, Kind, random, spare};
use greenwire_net::Stream;
use greenwire_runtime::sync::mpsc;
use greenwire_runtime::{BeforePark, before_park, thread};
use std::borrow::Cow;
use std::io::{self, IoSlice};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// Frames of this many bytes leave at once, and the drainer writes pieces of this size.
const WRITE_AT_ONCE: usize = 64 * 1024;

/// Payloads of this many bytes are written from where they lie, at once: a copy, to write them later with
/// others, would cost as much as the system call that it saves.
const LENT_AT_ONCE: usize = 16 * 1024;

/// Payloads of this many bytes are not copied if their senders give them away.
pub(crate) const COPIED_BELOW: usize = 4096;

/// The sending side of one connection, shared by all its senders, the receiver and the drainer.
#[derive(Debug)]
pub(crate) struct Outbound {
    stream: Stream,
    role: Role,
    pub(crate) settings: Arc<Settings>,
    deflate: Option<Deflate>,
    /// The OS thread whose reader has more frames at hand and will flush before it waits; or 0.
    gathering: AtomicUsize,
    queue: Mutex<Queue>,
    me: Weak<Outbound>,
}

/// How messages of this connection are compressed.
#[derive(Clone, Copy, Debug)]
struct Deflate {
    window: Window,
    level: u32,
    threshold: usize,
}

/// Whether the caller can wait for room in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Waits,
    Never,
}

impl Outbound {
    /// `deflate` is there if compression was agreed on.
    pub(crate) fn new(
        stream: Stream,
        role: Role,
        settings: Arc<Settings>,
        deflate: Option<(Window, Compression)>,
    ) -> Arc<Outbound> {
        let deflate = deflate.map(|(mut window, compression)| {
            // What follows a message that is dropped must not refer to it.
            window.takeover &= settings.slow_reader != SlowReader::DropOldest;
            Deflate {
                window,
                level: compression.level,
                // zlib cannot compress for the smallest window of the RFC.
                threshold: match window.bits {
                    8 => usize::MAX,
                    _ => compression.threshold.max(1),
                },
            }
        });
        let deflater = deflate.map(|deflate| Deflater::new(deflate.window, deflate.level));
        Arc::new_cyclic(|me| Outbound {
            stream,
            role,
            settings,
            deflate,
            gathering: AtomicUsize::new(0),
            queue: Mutex::new(Queue::new(deflater)),
            me: me.clone(),
        })
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Sends a message. When the queue is full, what the policy says; whether it was taken.
    #[inline]
    pub(crate) fn send(&self, kind: Kind, payload: Cow<'_, [u8]>) -> Result<bool, Error> {
        let key = self.key()?;
        let Some(mut queue) = self.room(Patience::Waits)? else {
            return Ok(false);
        };
        self.push_message(&mut queue, kind, payload, key);
        self.dispatch(queue).map(|()| true)
    }

    /// As [`send`](Self::send), what is encoded already.
    pub(crate) fn send_prepared(&self, prepared: &Prepared) -> Result<bool, Error> {
        match self.push_prepared(prepared, Patience::Waits)? {
            Some(queue) => self.dispatch(queue).map(|()| true),
            None => Ok(false),
        }
    }

    /// As [`send_prepared`](Self::send_prepared), but never waits, and `wave` sees to it that it leaves.
    pub(crate) fn broadcast(&self, prepared: &Prepared, wave: &mut Wave) -> Result<bool, Error> {
        let Some(mut queue) = self.push_prepared(prepared, Patience::Never)? else {
            return Ok(false);
        };
        if queue.draining || !thread::is_green() {
            return self.dispatch(queue).map(|()| true);
        }
        if !mem::replace(&mut queue.in_wave, true) {
            drop(queue);
            wave.add(self.arc());
        }
        Ok(true)
    }

    /// Queues what is encoded already; `None` if it is to be dropped.
    fn push_prepared(
        &self,
        prepared: &Prepared,
        patience: Patience,
    ) -> Result<Option<MutexGuard<'_, Queue>>, Error> {
        let key = self.key()?;
        let Some(mut queue) = self.room(patience)? else {
            return Ok(None);
        };
        if !prepared.messages().is_empty() {
            self.push_sequence(&mut queue, prepared, key);
        } else if key.is_some() {
            let payload = Cow::Borrowed(prepared.payload());
            self.push_message(&mut queue, prepared.kind(), payload, key);
        } else {
            match self.deflate_for(prepared.payload()) {
                Some(deflate) => {
                    queue.forget_context();
                    queue.push_shared(prepared.compressed(deflate.window.bits, deflate.level));
                }
                None => queue.push_shared(prepared.plain()),
            }
        }
        Ok(Some(queue))
    }

    /// Queues messages that stay together.
    fn push_sequence(&self, queue: &mut Queue, prepared: &Prepared, key: Option<[u8; 4]>) {
        if key.is_none() {
            return queue.push_shared(prepared.plain());
        }
        for message in prepared.messages() {
            let first = First::whole(message.kind().into());
            queue.push(|bytes| frame::encode(bytes, first, message.payload(), key));
        }
    }

    /// Sends a ping or pong, unless the queue is full: then the peer sees that we live by what it
    /// has not read.
    pub(crate) fn send_control(&self, opcode: Opcode, payload: &[u8]) -> Result<(), Error> {
        let key = self.key()?;
        let mut queue = self.lock_open()?;
        if queue.len() >= self.settings.max_queued {
            return Ok(());
        }
        queue.push(|bytes| frame::encode(bytes, First::whole(opcode), payload, key));
        self.dispatch(queue)
    }

    /// Waits until nobody else sends a message in pieces; then only the caller sends messages.
    pub(crate) fn begin_pieces(&self) -> Result<(), Error> {
        loop {
            let mut queue = self.lock_open()?;
            if !queue.in_pieces {
                queue.in_pieces = true;
                return Ok(());
            }
            wait(queue);
        }
    }

    /// Sends a piece of the message that was begun; waits for room.
    pub(crate) fn send_piece(&self, first: First, payload: &[u8]) -> Result<(), Error> {
        let key = self.key()?;
        loop {
            let mut queue = self.lock_open()?;
            if queue.len() < self.settings.max_queued {
                queue.push(|bytes| frame::encode(bytes, first, payload, key));
                if first.fin {
                    queue.end_pieces();
                }
                return self.dispatch(queue);
            }
            wait(queue);
        }
    }

    /// Queues the close frame, whatever is queued already; `false` if the connection was not open.
    pub(crate) fn close(&self, payload: &[u8]) -> Result<bool, Error> {
        self.close_after(payload, |_| {})
    }

    /// As [`close`](Self::close), but drops the messages that have not begun to leave.
    pub(crate) fn close_at_once(&self, payload: &[u8]) -> Result<bool, Error> {
        self.close_after(payload, Queue::forget_waiting)
    }

    fn close_after(&self, payload: &[u8], first: impl FnOnce(&mut Queue)) -> Result<bool, Error> {
        let key = self.key()?;
        let mut queue = self.lock();
        if !matches!(queue.state, State::Open) {
            return Ok(false);
        }
        first(&mut queue);
        queue.push(|bytes| frame::encode(bytes, First::whole(Opcode::Close), payload, key));
        queue.state = State::Closing {
            since: Instant::now(),
        };
        queue.tell_waiting();
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
            if matches!(queue.state, State::Failed(_)) {
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

    /// Bytes that wait for the socket to take them.
    pub(crate) fn queued(&self) -> usize {
        self.lock().len()
    }

    /// Messages that the policy for slow readers has dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
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
        queue.fail(error);
        self.stream.cut();
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No code that may panic leaves the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue of a connection that is open. Only a peer that reads too slowly keeps it full.
    #[inline]
    fn lock_open(&self) -> Result<MutexGuard<'_, Queue>, Error> {
        let mut queue = self.lock();
        if queue.len() >= self.settings.max_queued {
            self.write(&mut queue, &[]);
        }
        queue.check_open().map(|()| queue)
    }

    #[inline]
    fn key(&self) -> io::Result<Option<[u8; 4]>> {
        match self.role {
            Role::Server => Ok(None),
            Role::Client => random::bytes().map(Some),
        }
    }

    /// How to compress `payload`, if it is to be.
    #[inline]
    fn deflate_for(&self, payload: &[u8]) -> Option<Deflate> {
        self.deflate
            .filter(|deflate| payload.len() >= deflate.threshold)
    }

    /// The open queue with room for a message; `None` if the message is to be dropped.
    #[inline]
    fn room(&self, patience: Patience) -> Result<Option<MutexGuard<'_, Queue>>, Error> {
        loop {
            let mut queue = self.lock_open()?;
            if queue.len() < self.settings.max_queued && !queue.in_pieces {
                return Ok(Some(queue));
            }
            match self.settings.slow_reader {
                // Others wait for the end of a message in pieces, which itself waits for the peer.
                SlowReader::Wait if patience == Patience::Waits => wait(queue),
                SlowReader::DropOldest if !queue.in_pieces && queue.drop_oldest(self.rules()) => {}
                SlowReader::Disconnect if !queue.in_pieces => return Err(Error::SlowReader),
                SlowReader::Disconnect if patience == Patience::Waits => wait(queue),
                _ => {
                    queue.dropped += 1;
                    return Ok(None);
                }
            }
        }
    }

    /// What the peer reads our frames by.
    fn rules(&self) -> Rules {
        let role = match self.role {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        Rules {
            role,
            deflate: self.deflate.is_some(),
        }
    }

    /// Queues a message; one that is large, and goes as it is, only as far as the socket leaves it.
    #[inline]
    fn push_message(
        &self,
        queue: &mut Queue,
        kind: Kind,
        payload: Cow<'_, [u8]>,
        key: Option<[u8; 4]>,
    ) {
        let first = First::whole(kind.into());
        if self.deflate_for(&payload).is_some() {
            return queue.push_compressed(first, &payload, key);
        }
        match payload {
            Cow::Owned(payload) if payload.len() >= COPIED_BELOW => {
                push_given(queue, first, payload, key);
            }
            payload if payload.len() < LENT_AT_ONCE || key.is_some() => {
                queue.push(|bytes| frame::encode(bytes, first, &payload, key));
            }
            payload => {
                queue.push(|bytes| frame::encode_header(bytes, first, payload.len(), key));
                self.write(queue, &payload);
            }
        }
    }

    /// Sees to it that what was queued leaves in time.
    #[inline]
    fn dispatch(&self, mut queue: MutexGuard<'_, Queue>) -> Result<(), Error> {
        if queue.draining || queue.len() == 0 {
            return queue.check_open();
        }
        let here = spare::this_os_thread();
        if queue.len() < WRITE_AT_ONCE {
            if thread::is_green() && queue.hooked == 0 {
                queue.hooked = here;
                drop(queue);
                before_park(self.arc());
                return Ok(());
            }
            // A flush that another worker owes may take until its green thread parks.
            if queue.hooked == here || self.gathering.load(Ordering::Relaxed) == here {
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
            if !rest.is_empty() {
                queue.push(|bytes| bytes.extend_from_slice(rest));
            }
            return;
        }
        let shared = queue.shared.as_deref().unwrap_or_default();
        let mut parts = [shared, &queue.bytes, &queue.last, rest].map(IoSlice::new);
        // One part is a cheaper system call than one and nothing.
        let last = parts.iter().rposition(|part| !part.is_empty());
        let parts = &mut parts[..last.map_or(0, |last| last + 1)];
        let written = try_write_all(&self.stream, parts)
            .and_then(|left| Ok((left, left.is_empty() && try_flush(&self.stream)?)));
        match written {
            Ok((_, true)) => queue.recycle(),
            Ok((left, false)) => {
                let left = concat(left);
                queue.recycle();
                self.start_draining(queue, left);
            }
            Err(error) => self.fail_locked(queue, &error),
        }
    }

    fn start_draining(&self, queue: &mut Queue, left: Vec<u8>) {
        queue.draining = true;
        queue.in_flight = left.len();
        let outbound = self.arc();
        let builder = thread::Builder::new().name("websocket drainer".to_owned());
        if let Err(error) = builder.spawn(move || Drainer::run(outbound, left)) {
            queue.draining = false;
            queue.in_flight = 0;
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
        if queue.hooked == spare::this_os_thread() {
            queue.hooked = 0;
        }
        queue.in_wave = false;
        self.write(&mut queue, &[]);
    }
}

/// Queues a long message whose payload need not be copied.
fn push_given(queue: &mut Queue, first: First, mut payload: Vec<u8>, key: Option<[u8; 4]>) {
    queue.push(|bytes| frame::encode_header(bytes, first, payload.len(), key));
    if let Some(key) = key {
        mask::apply(key, &mut payload);
    }
    queue.push_payload(payload);
}

/// Waits until the queue has changed.
fn wait(mut queue: MutexGuard<'_, Queue>) {
    let progress = queue.wait();
    drop(queue);
    // The sender never sends: it is dropped when there may be room.
    let _ = progress.recv();
}

/// Sends what the stream has taken; whether all of it has left.
fn try_flush(stream: &Stream) -> io::Result<bool> {
    match stream.try_flush() {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        flushed => flushed.map(|()| true),
    }
}

fn concat(parts: &[IoSlice<'_>]) -> Vec<u8> {
    let mut all = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        all.extend_from_slice(part);
    }
    all
}

/// Writes as much as the socket takes now; what it has left.
fn try_write_all<'a, 'b>(
    stream: &Stream,
    mut parts: &'a mut [IoSlice<'b>],
) -> io::Result<&'a [IoSlice<'b>]> {
    loop {
        IoSlice::advance_slices(&mut parts, 0);
        if parts.is_empty() {
            return Ok(parts);
        }
        match stream.try_write_vectored(parts) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut parts, n),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(parts),
            Err(error) => return Err(error),
        }
    }
}
