//! The receiving side's own state: the decoder and the bytes it has not seen yet.

use crate::protocol::decoder::{Arrived, Decoder, Event};
use crate::protocol::violation::Violation;
use crate::{Kind, Message, MessageRef};
use greenwire_net::Buffer;
use greenwire_net::Stream;
use std::io;
use std::mem;
use std::time::Duration;

/// Bytes that were read, and how far they are decoded.
#[derive(Debug)]
pub(crate) struct Inbound {
    decoder: Decoder,
    unread: Unread,
    at: usize,
    end: usize,
    finished: bool,
}

/// Where unread bytes lie. A buffer is borrowed only while it holds some.
#[derive(Debug)]
enum Unread {
    None,
    /// What came together with the opening handshake.
    Early(Vec<u8>),
    Pooled(Buffer),
}

impl Inbound {
    pub(crate) fn new(decoder: Decoder, early: Vec<u8>) -> Inbound {
        let end = early.len();
        let unread = if end == 0 {
            Unread::None
        } else {
            Unread::Early(early)
        };
        Inbound {
            decoder,
            unread,
            at: 0,
            end,
            finished: false,
        }
    }

    /// The next event among the bytes at hand; `None` asks for [`fill`](Self::fill), unless a message
    /// is read in pieces and not all of them [is decoded](Self::is_empty).
    #[inline]
    pub(crate) fn next_event(&mut self) -> Result<Option<Event>, Violation> {
        self.let_go();
        let bytes = match &mut self.unread {
            Unread::None => return Ok(None),
            Unread::Early(bytes) => bytes.as_mut_slice(),
            Unread::Pooled(buffer) => &mut buffer[..],
        };
        let (used, event) = self.decoder.decode(&mut bytes[self.at..self.end])?;
        self.at += used;
        if event.is_none() {
            self.let_go();
        }
        Ok(event)
    }

    /// The message that was the last event.
    #[inline]
    pub(crate) fn lend<'a>(&'a self, message: &'a Arrived) -> Result<MessageRef<'a>, Violation> {
        message.lend(&self.bytes()[..self.at])
    }

    /// The same, to be kept.
    #[inline]
    pub(crate) fn take_message(&mut self, message: Arrived) -> Result<Message, Violation> {
        let message = message.take(&self.bytes()[..self.at]);
        self.let_go();
        message
    }

    /// Gives the buffer back if all of it is decoded: what was lent of it is not used any more.
    #[inline]
    fn let_go(&mut self) {
        if self.at == self.end {
            self.unread = Unread::None;
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.unread {
            Unread::None => &[],
            Unread::Early(bytes) => bytes,
            Unread::Pooled(buffer) => buffer,
        }
    }

    /// The payload of the ping that was the last event.
    pub(crate) fn ping_payload(&self) -> &[u8] {
        self.decoder.ping_payload()
    }

    /// Whether all bytes at hand are decoded.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.unread, Unread::None)
    }

    /// See [`Decoder::read_in_pieces`].
    pub(crate) fn read_in_pieces(&mut self) {
        self.decoder.read_in_pieces();
    }

    /// See [`Decoder::take_piece`].
    pub(crate) fn take_piece(&mut self) -> Vec<u8> {
        self.decoder.take_piece()
    }

    /// See [`Decoder::arriving`].
    pub(crate) fn arriving(&self) -> Option<Kind> {
        self.decoder.arriving()
    }

    /// Whether the next event, or violation, is at hand in full.
    #[inline]
    pub(crate) fn has_more(&self) -> bool {
        match &self.unread {
            Unread::None => false,
            Unread::Early(bytes) => self.decoder.has_whole_frame(&bytes[self.at..self.end]),
            Unread::Pooled(buffer) => self.decoder.has_whole_frame(&buffer[self.at..self.end]),
        }
    }

    /// Waits for bytes, for up to `limit`; `false` at the end of the stream.
    pub(crate) fn fill(&mut self, stream: &Stream, limit: Option<Duration>) -> io::Result<bool> {
        let (buffer, end) = stream.read_lent(limit)?;
        (self.at, self.end) = (0, end);
        if end > 0 {
            self.unread = Unread::Pooled(buffer);
        }
        Ok(end > 0)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// No more events will come; the buffer goes back.
    pub(crate) fn set_finished(&mut self) {
        self.finished = true;
        self.unread = Unread::None;
    }

    /// Moves the state out; what stays behind is finished.
    pub(crate) fn take(&mut self) -> Inbound {
        let decoder = self.decoder.take();
        let unread = mem::replace(&mut self.unread, Unread::None);
        let finished = mem::replace(&mut self.finished, true);
        Inbound {
            decoder,
            unread,
            at: self.at,
            end: self.end,
            finished,
        }
    }
}
