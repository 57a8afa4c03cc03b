//! What waits to leave on one connection, and who waits for room.

use crate::protocol::deflate::Deflater;
use crate::protocol::frame::{self, First, Header, Opcode, Rules};
use crate::{Error, spare};
use greenwire_runtime::sync::mpsc;
use std::io;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

/// What is on its way, and whether more may follow.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) state: State,
    /// A prepared frame before all others. It is copied only if another one follows before it leaves.
    pub(super) shared: Option<Arc<[u8]>>,
    /// Frames. Those before `start` have been dropped, or given to the drainer.
    pub(super) bytes: Vec<u8>,
    start: usize,
    /// The payload of the last frame, if it is long and was given away. It is copied, too, only if another frame
    /// follows.
    pub(super) last: Vec<u8>,
    /// Bytes the drainer holds.
    pub(super) in_flight: usize,
    pub(super) draining: bool,
    /// A message is being sent in pieces: no other may begin.
    pub(super) in_pieces: bool,
    deflater: Option<Deflater>,
    /// Messages dropped because the peer was too slow.
    pub(super) dropped: u64,
    /// The OS thread on which a flush is due before the running green thread parks; or 0.
    pub(super) hooked: usize,
    /// A broadcast will flush this.
    pub(super) in_wave: bool,
    /// Dropped to wake those who wait for room.
    waiting: Vec<mpsc::Sender<()>>,
}

/// How far the connection has come. Only forwards.
#[derive(Debug)]
pub(super) enum State {
    Open,
    /// A close frame is queued or sent; nothing may follow it.
    Closing {
        since: Instant,
    },
    /// The stream failed.
    Failed(io::Error),
}

impl Queue {
    pub(super) fn new(deflater: Option<Deflater>) -> Queue {
        Queue {
            state: State::Open,
            shared: None,
            bytes: Vec::new(),
            start: 0,
            last: Vec::new(),
            in_flight: 0,
            draining: false,
            in_pieces: false,
            deflater,
            dropped: 0,
            hooked: 0,
            in_wave: false,
            waiting: Vec::new(),
        }
    }

    /// Bytes that the socket has not taken.
    #[inline]
    pub(super) fn len(&self) -> usize {
        let shared = self.shared.as_ref().map_or(0, |frame| frame.len());
        self.in_flight + shared + self.bytes.len() - self.start + self.last.len()
    }

    #[inline]
    pub(super) fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if self.bytes.capacity() == 0 {
            self.bytes = spare::take();
        }
        if let Some(frame) = self.shared.take() {
            self.bytes.extend_from_slice(&frame);
        }
        if !self.last.is_empty() {
            self.bytes.append(&mut self.last);
            self.last = Vec::new();
        }
        encode(&mut self.bytes);
    }

    /// Queues the payload of the frame whose header was queued just now.
    pub(super) fn push_payload(&mut self, payload: Vec<u8>) {
        if self.draining {
            self.push(|bytes| bytes.extend_from_slice(&payload));
        } else {
            self.last = payload;
        }
    }

    /// Queues a frame that others have as well.
    pub(super) fn push_shared(&mut self, frame: &Arc<[u8]>) {
        if self.len() == 0 && !self.draining {
            self.shared = Some(frame.clone());
        } else {
            self.push(|bytes| bytes.extend_from_slice(frame));
        }
    }

    /// Queues a compressed message. There must be a deflater.
    pub(super) fn push_compressed(&mut self, first: First, payload: &[u8], key: Option<[u8; 4]>) {
        let mut compressed = spare::take();
        if let Some(deflater) = &mut self.deflater {
            deflater.deflate(payload, &mut compressed);
        }
        let first = First {
            compressed: true,
            ..first
        };
        self.push(|bytes| frame::encode(bytes, first, &compressed, key));
        spare::give(compressed);
    }

    /// The next compressed message will not refer to those before it.
    pub(super) fn forget_context(&mut self) {
        if let Some(deflater) = &mut self.deflater {
            deflater.forget();
        }
    }

    /// Forgets what is queued and gives the buffer back.
    pub(super) fn recycle(&mut self) {
        self.shared = None;
        self.start = 0;
        self.last = Vec::new();
        spare::give(mem::take(&mut self.bytes));
    }

    /// Forgets what has not begun to leave.
    pub(super) fn forget_waiting(&mut self) {
        if self.draining {
            self.recycle();
        }
    }

    /// Drops the oldest message that has not begun to leave; `false` if there is none.
    pub(super) fn drop_oldest(&mut self, rules: Rules) -> bool {
        let waiting = &self.bytes[self.start..];
        let Some(len) = message_len(waiting, rules) else {
            return false;
        };
        self.start += len;
        self.dropped += 1;
        self.compact();
        true
    }

    /// Hands out whole frames, of `least` bytes if there are as many and they may still be dropped;
    /// `None` if there are none.
    pub(super) fn take_batch(&mut self, least: Option<usize>, rules: Rules) -> Option<Vec<u8>> {
        let waiting = &self.bytes[self.start..];
        let len = match least {
            Some(least) => frames_len(waiting, least, rules),
            None => waiting.len(),
        };
        let batch = if self.start == 0 && len == waiting.len() {
            mem::take(&mut self.bytes)
        } else {
            waiting[..len].to_vec()
        };
        if !self.bytes.is_empty() {
            self.start += len;
            self.compact();
        }
        self.in_flight = batch.len();
        (!batch.is_empty()).then_some(batch)
    }

    /// Keeps what has left from taking more room than what has not.
    fn compact(&mut self) {
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    pub(super) fn end_pieces(&mut self) {
        self.in_pieces = false;
        self.tell_waiting();
    }

    /// Forgets what is queued, and tells why nothing will be sent any more.
    pub(super) fn fail(&mut self, error: &io::Error) {
        if !matches!(self.state, State::Failed(_)) {
            self.state = State::Failed(copy(error));
        }
        self.recycle();
        self.tell_waiting();
    }

    #[inline]
    pub(super) fn check_open(&self) -> Result<(), Error> {
        match &self.state {
            State::Open => Ok(()),
            State::Closing { .. } => Err(Error::Closed),
            State::Failed(error) => Err(copy(error).into()),
        }
    }

    pub(super) fn failure(&self) -> Option<Error> {
        match &self.state {
            State::Failed(error) => Some(copy(error).into()),
            _ => None,
        }
    }

    /// Its receiver is disconnected when there may be room, or nothing to wait for.
    pub(super) fn wait(&mut self) -> mpsc::Receiver<()> {
        let (waker, progress) = mpsc::channel();
        self.waiting.push(waker);
        progress
    }

    /// Wakes all who wait.
    pub(super) fn tell_waiting(&mut self) {
        self.waiting.clear();
    }
}

/// Kind and text: each who asks gets an error of its own.
fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// The length of the message at the start of `frames`, with the control frames before it and in it;
/// `None` if there is none, or a part of it has left.
fn message_len(frames: &[u8], rules: Rules) -> Option<usize> {
    let (mut len, mut begun) = (0, false);
    loop {
        let (first, frame_len) = first_frame(&frames[len..], rules)?;
        match first.opcode {
            Opcode::Close => return None,
            Opcode::Continuation if !begun => return None,
            _ => {}
        }
        len += frame_len;
        begun |= !first.opcode.is_control();
        if begun && first.fin && !first.opcode.is_control() {
            return Some(len);
        }
    }
}

/// The length of the first whole frames that have at least `least` bytes, or of all.
fn frames_len(frames: &[u8], least: usize, rules: Rules) -> usize {
    let mut len = 0;
    while len < least
        && let Some((_, frame_len)) = first_frame(&frames[len..], rules)
    {
        len += frame_len;
    }
    len
}

/// The frame at the start of `frames`, and its length.
fn first_frame(frames: &[u8], rules: Rules) -> Option<(First, usize)> {
    let (header, size) = Header::parse(frames, rules).ok().flatten()?;
    let len = size + usize::try_from(header.payload).ok()?;
    (len <= frames.len()).then_some((header.first, len))
}
