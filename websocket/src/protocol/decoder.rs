//! From bytes to messages: frames are unmasked where they lie, fragments joined, control frames let
//! through in between, limits checked on the header before a byte of payload is stored.

use super::deflate::{Inflater, Window};
use super::frame::{Header, MAX_HEADER, Opcode, Rules};
use super::text::{self, Text};
use super::{Role, close::CloseReason, mask, violation::Violation};
use crate::{Kind, Message, MessageRef};
use std::mem;

/// As much of a compressed message is decompressed at a time when it is read in pieces: it can become
/// a thousand times as long.
const COMPRESSED_PIECE: usize = 256;

/// What a piece of input completed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Message(Arrived),
    /// Its payload is in [`Decoder::ping_payload`] until the next input.
    Ping,
    Pong,
    Close(CloseReason),
}

/// A whole message, and where it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// So many bytes at the end of the input that was consumed. Text is not checked yet.
    InPlace(Kind, usize),
    /// Put together from pieces.
    Joined(Message),
}

/// How long a frame and a message may be, in bytes of payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) frame: usize,
    pub(crate) message: usize,
}

/// The receiving side of one connection. Holds nothing but a few words between messages.
#[derive(Debug)]
pub(crate) struct Decoder {
    rules: Rules,
    limits: Limits,
    /// There if compression was agreed on.
    inflater: Option<Inflater>,
    /// The message is read in pieces: it need not fit into memory.
    in_pieces: bool,
    /// A header that has arrived in part.
    head: [u8; MAX_HEADER],
    head_len: usize,
    /// The frame whose payload is arriving; its `payload` counts what is missing.
    frame: Option<Header>,
    /// The payload of a control frame, at most 125 bytes.
    control: Vec<u8>,
    message: Option<Partial>,
}

/// A message of which a part has arrived.
#[derive(Debug)]
struct Partial {
    compressed: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Text(Text),
    Binary(Vec<u8>),
}

impl Decoder {
    /// `inflate` is there if compression was agreed on.
    pub(crate) fn new(role: Role, limits: Limits, inflate: Option<Window>) -> Decoder {
        let deflate = inflate.is_some();
        Decoder {
            rules: Rules { role, deflate },
            limits,
            inflater: inflate.map(Inflater::new),
            in_pieces: false,
            head: [0; MAX_HEADER],
            head_len: 0,
            frame: None,
            control: Vec::new(),
            message: None,
        }
    }

    /// Moves the state out and leaves a new decoder behind.
    pub(crate) fn take(&mut self) -> Decoder {
        mem::replace(self, Decoder::new(self.rules.role, self.limits, None))
    }

    /// From now on until the end of the message that is arriving, or comes next, its limits do not
    /// hold, and its [`pieces`](Self::take_piece) are to be taken.
    pub(crate) fn read_in_pieces(&mut self) {
        self.in_pieces = true;
    }

    /// The kind of the message that is arriving.
    pub(crate) fn arriving(&self) -> Option<Kind> {
        self.message.as_ref().map(|message| match message.content {
            Content::Text(_) => Kind::Text,
            Content::Binary(_) => Kind::Binary,
        })
    }

    /// What has arrived of the message since the last call.
    pub(crate) fn take_piece(&mut self) -> Vec<u8> {
        match &mut self.message {
            None => Vec::new(),
            Some(message) => match &mut message.content {
                Content::Text(text) => text.take().into_bytes(),
                Content::Binary(bytes) => mem::take(bytes),
            },
        }
    }

    /// Consumes `input` from its start, up to the end of the first event; returns how far it came.
    /// Without an event all of the input is consumed, or a piece of a message can be taken. After a
    /// violation nothing more may be fed.
    pub(crate) fn decode(&mut self, input: &mut [u8]) -> Result<(usize, Option<Event>), Violation> {
        let mut at = 0;
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => {
                    let (used, frame) = self.next_frame(&input[at..])?;
                    at += used;
                    let Some(frame) = frame else {
                        return Ok((at, None));
                    };
                    frame
                }
            };
            let rest = &mut input[at..];
            let here = usize::try_from(frame.payload).map_or(rest.len(), |n| n.min(rest.len()));
            let here = here.min(self.most_at_once(&frame));
            let piece = &mut rest[..here];
            frame.key = frame.key.map(|key| mask::apply(key, piece));
            frame.payload -= here as u64;
            at += here;
            if let Some(event) = self.take_payload(&frame, piece)? {
                return Ok((at, Some(event)));
            }
            if frame.payload > 0 {
                self.frame = Some(frame);
                return Ok((at, None));
            }
        }
    }

    /// How many bytes of a frame may be taken at once.
    #[inline]
    fn most_at_once(&self, frame: &Header) -> usize {
        let compressed = self.in_pieces
            && !frame.first.opcode.is_control()
            && self
                .message
                .as_ref()
                .map_or(frame.first.compressed, |message| message.compressed);
        if compressed {
            COMPRESSED_PIECE
        } else {
            usize::MAX
        }
    }

    /// The payload of the ping that was the last event.
    pub(crate) fn ping_payload(&self) -> &[u8] {
        &self.control
    }

    /// Whether `input`, which follows what was decoded so far, holds at least one whole frame.
    pub(crate) fn has_whole_frame(&self, input: &[u8]) -> bool {
        match Header::parse(input, self.rules) {
            Ok(Some((header, size))) => header.payload <= (input.len() - size) as u64,
            Ok(None) => false,
            // It will be refused without waiting for more.
            Err(_) => true,
        }
    }

    /// The next frame's header, which may lie in two or more pieces of input.
    #[inline]
    fn next_frame(&mut self, input: &[u8]) -> Result<(usize, Option<Header>), Violation> {
        if self.head_len == 0
            && let Some((header, size)) = Header::parse(input, self.rules)?
        {
            self.admit(&header)?;
            return Ok((size, Some(header)));
        }
        for (i, byte) in input.iter().enumerate() {
            self.head[self.head_len] = *byte;
            self.head_len += 1;
            if let Some((header, _)) = Header::parse(&self.head[..self.head_len], self.rules)? {
                self.head_len = 0;
                self.admit(&header)?;
                return Ok((i + 1, Some(header)));
            }
        }
        Ok((input.len(), None))
    }

    /// Prepares for a frame, or refuses one that may not come here or is too long.
    fn admit(&mut self, header: &Header) -> Result<(), Violation> {
        if header.first.opcode.is_control() {
            self.control = Vec::new();
            return Ok(());
        }
        let (so_far, compressed) = match (&self.message, header.first.opcode) {
            (None, Opcode::Continuation) => return Err(Violation::StrayContinuation),
            (Some(message), Opcode::Continuation) => (message.len(), message.compressed),
            (Some(_), _) => return Err(Violation::UnfinishedMessage),
            (None, _) => (0, header.first.compressed),
        };
        let Limits { frame, message } = self.limits;
        if self.in_pieces {
            return Ok(());
        }
        if header.payload > frame as u64 {
            return Err(Violation::TooBig { limit: frame });
        }
        // How long a compressed message is shows when it is decompressed.
        if !compressed && header.payload > message.saturating_sub(so_far) as u64 {
            return Err(Violation::TooBig { limit: message });
        }
        Ok(())
    }

    /// Takes the next piece of a frame's payload.
    #[inline]
    fn take_payload(&mut self, frame: &Header, piece: &[u8]) -> Result<Option<Event>, Violation> {
        if frame.first.opcode.is_control() {
            return self.take_control(frame, piece);
        }
        let last = frame.first.fin && frame.payload == 0;
        if last && self.message.is_none() && !frame.first.compressed {
            self.in_pieces = false;
            let kind = match frame.first.opcode {
                Opcode::Text => Kind::Text,
                _ => Kind::Binary,
            };
            let whole = Arrived::InPlace(kind, piece.len());
            return Ok(Some(Event::Message(whole)));
        }
        let message = self.message.get_or_insert_with(|| Partial::new(frame));
        match &mut self.inflater {
            Some(inflater) if message.compressed => {
                let limit = if self.in_pieces {
                    usize::MAX
                } else {
                    self.limits.message
                };
                let mut take = |bytes: &[u8]| message.append(bytes, limit);
                inflater.inflate(piece, &mut take)?;
                if last {
                    inflater.finish(&mut take)?;
                }
            }
            _ => message.push(piece, frame)?,
        }
        if !last {
            return Ok(None);
        }
        self.in_pieces = false;
        self.message.take().map(Partial::finish).transpose()
    }

    fn take_control(&mut self, frame: &Header, piece: &[u8]) -> Result<Option<Event>, Violation> {
        self.control.extend_from_slice(piece);
        if frame.payload > 0 {
            return Ok(None);
        }
        Ok(Some(match frame.first.opcode {
            Opcode::Ping => Event::Ping,
            Opcode::Close => Event::Close(CloseReason::parse(&self.control)?),
            _ => Event::Pong,
        }))
    }
}

impl Arrived {
    /// The message, which may lie at the end of `consumed`.
    #[inline]
    pub(crate) fn lend<'a>(&'a self, consumed: &'a [u8]) -> Result<MessageRef<'a>, Violation> {
        let payload = |len: usize| &consumed[consumed.len() - len..];
        Ok(match self {
            Arrived::InPlace(Kind::Text, len) => MessageRef::Text(text::check(payload(*len))?),
            Arrived::InPlace(Kind::Binary, len) => MessageRef::Binary(payload(*len)),
            Arrived::Joined(message) => message.as_ref(),
        })
    }

    /// The same, copied unless it is put together already.
    #[inline]
    pub(crate) fn take(self, consumed: &[u8]) -> Result<Message, Violation> {
        match self {
            Arrived::Joined(message) => Ok(message),
            in_place => in_place.lend(consumed).map(Message::from),
        }
    }
}

impl Partial {
    fn new(frame: &Header) -> Partial {
        Partial {
            compressed: frame.first.compressed,
            content: match frame.first.opcode {
                Opcode::Text => Content::Text(Text::default()),
                _ => Content::Binary(Vec::new()),
            },
        }
    }

    fn len(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::Binary(bytes) => bytes.len(),
        }
    }

    /// Appends `piece` of `frame`.
    fn push(&mut self, piece: &[u8], frame: &Header) -> Result<(), Violation> {
        match &mut self.content {
            Content::Text(text) => {
                if text.room() < piece.len() {
                    text.reserve(growth(text.len(), piece.len(), frame));
                }
                text.push(piece)
            }
            Content::Binary(bytes) => {
                if bytes.capacity() - bytes.len() < piece.len() {
                    bytes.reserve_exact(growth(bytes.len(), piece.len(), frame));
                }
                bytes.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// Appends decompressed bytes, up to `limit` in all.
    fn append(&mut self, bytes: &[u8], limit: usize) -> Result<(), Violation> {
        if bytes.len() > limit.saturating_sub(self.len()) {
            return Err(Violation::TooBig { limit });
        }
        match &mut self.content {
            Content::Text(text) => text.push(bytes),
            Content::Binary(so_far) => {
                so_far.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<Event, Violation> {
        Ok(Event::Message(Arrived::Joined(match self.content {
            Content::Text(text) => Message::Text(text.finish()?),
            Content::Binary(bytes) => Message::Binary(bytes),
        })))
    }
}

/// How much to reserve: enough that copying stays linear, but never the whole length on the word of
/// the header alone, and for the last frame of a message no more than it needs.
fn growth(len: usize, piece: usize, frame: &Header) -> usize {
    let missing = usize::try_from(frame.payload).unwrap_or(usize::MAX);
    let ahead = missing.min(len + piece);
    let least = if frame.first.fin { 0 } else { len / 2 };
    piece.saturating_add(ahead).max(least)
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
